"""Names as keys, written from their end: what stands above a name is the beginning of its key.

`www.example.com` has the key `moc.elpmaxe.www.`, and `moc.elpmaxe.` is the beginning of that but not of
`moc.elpmaxelive.`: the dot that closes each label is the border. The root's key is empty.
"""

from __future__ import annotations

import re
import unicodedata

from smartdoh.rules.lists.rule import Reason
from smartdoh.wire.codes import MAX_LABEL

LONGEST_NAME = 253  # characters, RFC 1035 section 3.1: 255 octets on the wire

# A host name, and no address: the last label is not a number (RFC 1123 section 2.1, WHATWG URL "ends in a number").
NAME = r"(?:[A-Za-z0-9_-]{1,63}\.)*(?![0-9]+(?![A-Za-z0-9_-]))[A-Za-z0-9_-]{1,63}"

_DOT = ord(".")
_NO_DOT = b"\xff"  # no list can write it, so it matches nothing
_NAME = re.compile(NAME)
_ADDRESS = re.compile(r"[0-9.]+|\[?[0-9A-Fa-f]*:[0-9A-Fa-f:.]*\]?")
_DOTS = re.compile("[.\u3002\uff0e\uff61]")  # IDNA's full stops, RFC 3490 section 3.1
_KEPT_BY_IDNA_2008 = re.compile(
    "[\u00df\u03c2]"
)  # ß and ς, RFC 5894 section 7.2: no longer written as ss and σ


def key_of(name: bytes) -> bytes:
    """The key of a folded wire name. A dot inside a label is no border between labels."""
    text = bytearray(name.replace(b".", _NO_DOT))
    at = 0
    while size := name[at]:
        text[at] = _DOT
        at += size + 1
    return bytes(text[-2::-1])


def text_of(key: bytes) -> bytes:
    """The name of a key as people write it, without a dot at the end."""
    return key[-2::-1]


def parse_name(text: str) -> bytes | Reason:
    """The key of a name as lists write it, letters outside ASCII by IDNA; or why it is none."""
    name = text.removesuffix(".")
    if not name.isascii():
        try:
            name = ".".join(map(_to_ascii, _DOTS.split(name)))
        except UnicodeError:
            return Reason.NAME
    if len(name) <= LONGEST_NAME and _NAME.fullmatch(name):
        return name.lower().encode()[::-1] + b"."
    return Reason.ADDRESS if _ADDRESS.fullmatch(name) else Reason.NAME


def _to_ascii(label: str) -> str:
    if not label or label.isascii():
        return label
    if _KEPT_BY_IDNA_2008.search(label.lower()):
        folded = unicodedata.normalize("NFC", label.lower())
        encoded = "xn--" + folded.encode("punycode").decode()
    else:
        encoded = label.encode("idna").decode()
    if len(encoded) > MAX_LABEL:
        raise UnicodeError("a label of more than 63 octets")
    return encoded
