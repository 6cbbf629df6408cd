"""Names in wire format: walking them safely, and to and from text."""

from __future__ import annotations

from smartdoh.errors import WireError
from smartdoh.wire.codes import FORMERR, HEADER, MAX_LABEL, MAX_NAME

_POINTER = 0xC0
_ESCAPED = b'"().;\\@$'
_PRINTABLE = range(0x21, 0x7F)

Known = dict[int, int]
"""Offsets at which a name is proven to begin, and its full length: a pointer to one needs no second walk."""


def skip_name(wire: bytes, at: int, known: Known) -> int:
    """The offset after the name at `at`, every label and pointer of it checked (RFC 1035 section 4.1.4, RFC 9267).

    Pointers go only backwards and never into the header. `known` grows by the offsets proven here, which makes
    the cost of a message linear in its octets whatever its pointers do. Raises WireError or IndexError.
    """
    length, after, floor = 0, 0, at
    starts: list[tuple[int, int]] = []
    for _ in range(MAX_NAME):
        if after and at in known:
            length += known[at]
            break
        size = wire[at]
        if size >= _POINTER:
            after = after or at + 2
            at = (size & 0x3F) << 8 | wire[at + 1]
            if not HEADER <= at < floor:
                raise WireError(FORMERR, "a compression pointer does not go backwards")
            floor = at
            continue
        if size > MAX_LABEL:
            raise WireError(FORMERR, "a label of an unknown kind")
        starts.append((at, length))
        length += size + 1
        at += size + 1
        if size == 0:
            break
    else:
        raise WireError(FORMERR, "a name without an end")
    if length > MAX_NAME:
        raise WireError(FORMERR, "a name of more than 255 octets")
    for start, before in starts:
        known[start] = length - before
    return after or at


def to_text(name: bytes) -> str:
    """An uncompressed wire name as people write it, with a final dot; odd octets as \\DDD (RFC 1035 section 5.1)."""
    labels, at = [], 0
    while name[at]:
        label = name[at + 1 : at + 1 + name[at]]
        labels.append("".join(_octet_to_text(octet) for octet in label))
        at += 1 + name[at]
    return ".".join(labels) + "."


def _octet_to_text(octet: int) -> str:
    if octet in _ESCAPED:
        return "\\" + chr(octet)
    return chr(octet) if octet in _PRINTABLE else f"\\{octet:03d}"


def from_text(text: str) -> bytes:
    """A host name as wire format, folded; letters outside ASCII by IDNA. Raises ValueError where it is no name."""
    labels = [] if text in ("", ".") else text.removesuffix(".").split(".")
    encoded = [label.lower().encode("ascii") if label.isascii() else label.encode("idna") for label in labels]
    if any(not 0 < len(label) <= MAX_LABEL for label in encoded):
        raise ValueError(f"{text!r} has a label that is empty or longer than 63 octets")
    name = b"".join(bytes([len(label)]) + label for label in encoded) + b"\0"
    if len(name) > MAX_NAME:
        raise ValueError(f"{text!r} is longer than 255 octets")
    return name


def parents(name: bytes) -> list[bytes]:
    """The wire name itself and each name above it, longest first, the root last."""
    found, at = [], 0
    while name[at]:
        found.append(name[at:])
        at += 1 + name[at]
    return [*found, b"\0"]
