"""Frame Streams: the frames that one sends and those of the handshake that one reads. Octets in, values out."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from smartdoh.errors import SmartDohError

CONTENT_TYPE = b"protobuf:dnstap.Dnstap"
LONGEST_CONTROL = 512  # octets, as the reference implementation takes them
_FIELD = 1  # the only field that a control frame may have: a content type
_NUMBER = struct.Struct("!I")
_PAIR = struct.Struct("!II")


class Control(IntEnum):
    """The kinds of control frames."""

    ACCEPT = 1
    START = 2
    STOP = 3
    READY = 4
    FINISH = 5


class FrameError(SmartDohError):
    """What came is no frame that belongs there."""


class ControlFrame(NamedTuple):
    """A control frame as it came."""

    kind: Control
    content_types: tuple[bytes, ...]
    size: int  # octets that it took


def control(kind: Control, content_type: bytes = b"") -> bytes:
    """A control frame, with a content type where one is given."""
    field = _PAIR.pack(_FIELD, len(content_type)) + content_type if content_type else b""
    return bytes(4) + _PAIR.pack(4 + len(field), kind) + field


def data(payload: bytes) -> bytes:
    """A data frame."""
    return _NUMBER.pack(len(payload)) + payload


def read_control(octets: bytes) -> ControlFrame | None:
    """The control frame that `octets` begin with; None where there are too few. Raises FrameError."""
    if octets[:4] != bytes(4)[: len(octets)]:
        raise FrameError("a data frame where a control frame belongs")
    if len(octets) < 8:  # noqa: PLR2004 - the escape and the length
        return None
    (length,) = _NUMBER.unpack_from(octets, 4)
    if not 4 <= length <= LONGEST_CONTROL:  # noqa: PLR2004 - its kind
        raise FrameError(f"a control frame of {length} octets")
    if len(octets) < 8 + length:
        return None
    frame = octets[8 : 8 + length]
    (kind,) = _NUMBER.unpack_from(frame)
    try:
        return ControlFrame(Control(kind), tuple(_content_types(frame)), 8 + length)
    except ValueError:
        raise FrameError(f"a control frame of the unknown kind {kind}") from None


def _content_types(frame: bytes) -> Iterator[bytes]:
    at = 4
    while at < len(frame):
        if at + 8 > len(frame):
            raise FrameError("a field of a control frame that is cut off")
        field, length = _PAIR.unpack_from(frame, at)
        at += 8
        if field != _FIELD or at + length > len(frame):
            raise FrameError("a field of a control frame that cannot be read")
        yield frame[at : at + length]
        at += length
