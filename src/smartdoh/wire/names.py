"""Names in wire format: walking them safely, and to and from text."""

from __future__ import annotations

from collections.abc import Callable

from smartdoh.errors import WireError
from smartdoh.wire.codes import FORMERR, HEADER, MAX_LABEL, MAX_NAME, MAX_POINTERS, POINTER

_ESCAPED = b'"().;\\@$'
_PRINTABLE = range(0x21, 0x7F)
_IDNA_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")  # RFC 3490 section 3.1

_JUMP = 1 << 16  # what a pointer adds to the size of a name: the octets are counted below it
_UNKNOWN = (MAX_POINTERS + 1) * _JUMP  # more than any size

Known = dict[int, int]
"""Offsets at which a name is proven to begin, and its full size: a pointer to one needs no second walk."""

Judge = Callable[[list[tuple[int, int]]], None]
"""Raises WireError where a label, a pointer or a root may not be; it gets (offset, _) for each, in the name's order."""

Expanded = dict[int, bytes]
"""Offsets at which a name begins, and the name without pointers."""


def skip_name(wire: bytes, at: int, known: Known, judge: Judge | None = None) -> int:
    """The offset after the name at `at`, every label and pointer of it checked (RFC 1035 section 4.1.4, RFC 9267).

    Pointers go only backwards and never into the header, there are at most 127 of them, and what one leads to ends
    before the place it was reached from: what lies behind a name never matters to it. `judge` may refuse more.
    `known` grows by the offsets proven here, those of pointers too, which makes the cost of a message linear in its
    octets whatever its pointers do. Raises WireError or IndexError.
    """
    if wire[at] >= POINTER:
        to = (wire[at] & 0x3F) << 8 | wire[at + 1]
        size = known.get(to, _UNKNOWN) + _JUMP
        if size < _UNKNOWN and to < at:  # the second of many records of one name, and all that follow
            known[at] = size
            return at + 2
    return _walk(wire, at, known, judge)


def _walk(wire: bytes, at: int, known: Known, judge: Judge | None) -> int:
    size, after, floor, limit = 0, 0, at, len(wire)
    starts: list[tuple[int, int]] = []
    for _ in range(MAX_NAME):
        if at >= limit:
            raise WireError(FORMERR, "a name without an end")
        if after and at in known:
            size += known[at]
            break
        octet = wire[at]
        starts.append((at, size))
        if octet >= POINTER:
            after = after or at + 2
            to = _target(wire, at, floor, limit)
            at, floor, limit, size = to, to, floor, size + _JUMP
            continue
        at += octet + 1
        if octet > MAX_LABEL:
            raise WireError(FORMERR, "a label of an unknown kind")
        size += octet + 1
        if octet == 0:
            break
    else:
        raise WireError(FORMERR, "a name without an end")
    if size % _JUMP > MAX_NAME or size // _JUMP > MAX_POINTERS:
        raise WireError(FORMERR, "a name of more than 255 octets or 127 pointers")
    if after and judge is not None:
        judge(starts)
    for start, before in starts:
        known[start] = size - before
    return after or at


def _target(wire: bytes, at: int, floor: int, limit: int) -> int:
    """Where the pointer at `at` leads to: before `floor`, and the pointer itself ends before `limit`."""
    to = (wire[at] & 0x3F) << 8 | wire[at + 1]
    if not HEADER <= to < floor or at + 2 > limit:
        raise WireError(FORMERR, "a compression pointer does not go backwards")
    return to


def end_of_name(wire: bytes, at: int) -> int:
    """The offset after the name at `at` of a message that was scanned before."""
    while 0 < wire[at] < POINTER:
        at += 1 + wire[at]
    return at + 1 if wire[at] == 0 else at + 2


def expand(wire: bytes, at: int, known: Expanded) -> bytes:
    """The name at `at` of a message that was scanned before, as it is spelled, without pointers."""
    starts: list[tuple[int, bytes]] = []
    while at not in known:
        if len(starts) > MAX_NAME:
            raise WireError(FORMERR, "a name that was never scanned")
        octet = wire[at]
        if octet >= POINTER:
            starts.append((at, b""))
            at = (octet & 0x3F) << 8 | wire[at + 1]
        elif octet:
            starts.append((at, wire[at : at + 1 + octet]))
            at += 1 + octet
        else:
            known[at] = b"\0"
    name = known[at]
    for start, label in reversed(starts):
        name = known[start] = label + name
    return name


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
    text = text.translate(_IDNA_DOTS)
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
