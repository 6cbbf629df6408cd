"""Frame Streams: what is written can be read, and what cannot be read is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartdoh.app.dnstap.frames import (
    CONTENT_TYPE,
    LONGEST_CONTROL,
    Control,
    FrameError,
    control,
    data,
    read_control,
)


def test_ready_as_the_specification_draws_it() -> None:
    """An escape, the length, the kind, and a field with the content type."""
    assert control(Control.READY, b"abc") == bytes.fromhex(
        "00000000 0000000f 00000004 00000001 00000003 616263"
    )
    assert control(Control.STOP) == bytes.fromhex("00000000 00000004 00000003")
    assert data(b"ab") == bytes.fromhex("00000002 6162")


@settings(deadline=None)
@given(st.sampled_from(Control), st.binary(max_size=200), st.binary(max_size=20))
def test_what_is_written_can_be_read(kind: Control, content_type: bytes, more: bytes) -> None:
    written = control(kind, content_type)
    frame = read_control(written + more)
    assert frame is not None
    assert frame.kind is kind
    assert frame.content_types == ((content_type,) if content_type else ())
    assert frame.size == len(written)


@settings(deadline=None)
@given(st.integers(0, len(control(Control.ACCEPT, CONTENT_TYPE)) - 1))
def test_a_part_of_a_frame_is_waited_for(size: int) -> None:
    assert read_control(control(Control.ACCEPT, CONTENT_TYPE)[:size]) is None


@settings(deadline=None)
@given(st.binary(max_size=100))
def test_any_octets_are_a_frame_or_refused(octets: bytes) -> None:
    try:
        frame = read_control(octets)
    except FrameError:
        return
    assert frame is None or frame.size <= LONGEST_CONTROL + 8


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "a data frame"),
        (bytes.fromhex("00000000 ffffffff"), "4294967295 octets"),
        (bytes.fromhex("00000000 00000003"), "3 octets"),
        (bytes.fromhex("00000000 00000004 00000009"), "unknown kind 9"),
        (bytes.fromhex("00000000 00000008 00000001 00000001"), "cut off"),
        (bytes.fromhex("00000000 0000000c 00000001 00000002 00000000"), "cannot be read"),
        (bytes.fromhex("00000000 0000000c 00000001 00000001 00000009"), "cannot be read"),
    ],
)
def test_what_cannot_be_read(octets: bytes, why: str) -> None:
    with pytest.raises(FrameError, match=why):
        read_control(octets)
