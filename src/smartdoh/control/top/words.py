"""How names, counts and times are written in the terminal: short, and never as what they could do to it."""

from __future__ import annotations

from datetime import datetime

CUT = "…"


def plain(text: str) -> str:
    """The text with everything that is no printable character escaped: what strangers send steers no terminal."""
    return "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in text)


def name(text: str) -> str:
    """A name without its last dot."""
    return plain(text.removesuffix(".") or ".")


def cut(text: str, width: int) -> str:
    """At most so many characters; of a name its end says more than its middle."""
    if len(text) <= width:
        return text
    head = max(0, (width - 1) // 3)
    return text[:head] + CUT + text[len(text) - (width - 1 - head) :]


def count(number: float) -> str:
    """As 12,345."""
    return f"{number:,.0f}"


def rate(each_second: float) -> str:
    """As 0.5/s, 12,345/s."""
    return f"{each_second:.1f}/s" if each_second < 100 else f"{each_second:,.0f}/s"  # noqa: PLR2004 - wide enough


def share(part: float, whole: float) -> str:
    """As 12.5%; empty of nothing."""
    return f"{part / whole:.1%}" if whole else ""


def milliseconds(number: float | None) -> str:
    """As 12.5 ms; a question mark where it is not known."""
    if number is None:
        return "?"
    return f"{number:.1f} ms" if number < 1000 else f"{number / 1000:.1f} s"  # noqa: PLR2004 - a second


def clock(at: str) -> str:
    """The time of day here, of a time as the API has it."""
    return datetime.fromisoformat(at).astimezone().strftime("%H:%M:%S")


def octets(number: float) -> str:
    """As 1.2 MB."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number:.0f} B"
