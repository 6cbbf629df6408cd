"""Words for clients, in EXTRA-TEXT and TXT records: plain ASCII, whatever names and servers put into them."""

from __future__ import annotations

_PRINTABLE = range(0x20, 0x7F)
_MORE = "..."


def printable(text: str, most: int) -> str:
    """`text` in at most `most` printable ASCII characters: others are escaped as Python has them, an end that is cut
    off is three dots."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(char if ord(char) in _PRINTABLE else _escaped(char) for char in text[:most])
    return text if len(text) <= most else text[: most - len(_MORE)] + _MORE


def _escaped(char: str) -> str:
    return ascii(char)[1:-1]
