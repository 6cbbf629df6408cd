"""Passing what is asked on: whole, in order, without waiting for who does not take it, with a count of what is lost."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartdoh.app.questions import sending
from smartdoh.app.questions.frames import FrameError, Frames, frame
from smartdoh.app.questions.hub import Gathered
from smartdoh.app.questions.sending import Sending
from smartdoh.fastpath.log import Taken
from smartdoh.fastpath.packed import WAY, pack, read
from smartdoh.wire.names import from_text

Frame = tuple[bytes, int, float]
HIT = pack(1.0, "192.0.2.1", from_text("www.example.com"), WAY.pack(0, 0, 1, 1, 0))


@given(
    st.lists(st.tuples(st.binary(max_size=300), st.integers(0, 2**32 - 1), st.floats(allow_nan=False))),
    st.lists(st.integers(1, 50), min_size=1),
)
def test_frames_come_out_as_they_went_in(frames: list[Frame], cuts: list[int]) -> None:
    octets = b"".join(frame(*each) for each in frames)
    reader, found, at, turn = Frames(), list[Frame](), 0, 0
    while at < len(octets):
        end = at + cuts[turn % len(cuts)]
        found += reader.feed(octets[at:end])
        at, turn = end, turn + 1
    assert found == frames


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(FrameError):
        list(Frames().feed(b"\xff" * 64))


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(10)
        yield ours, theirs


def hits(count: int, lost: int = 0) -> Gathered:
    return Gathered(5.0, Taken(HIT * count, count, lost), [], 0)


def everything(theirs: socket.socket, frames: int) -> list[Frame]:
    """So many frames, read in a thread."""
    reader, found = Frames(), list[Frame]()
    while len(found) < frames:
        octets = theirs.recv(1 << 20)
        assert octets
        found += reader.feed(octets)
    return found


def test_what_is_sent_arrives_though_nobody_reads_for_a_while(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    async def play() -> list[Frame]:
        made = Sending()
        made.use(pair[0])
        for _ in range(20):
            made.take(hits(5000))
        found = await asyncio.to_thread(everything, pair[1], 20)
        await made.finish(1)
        assert made.lost == 0
        assert pair[1].recv(1) == b""
        return found

    found = asyncio.run(play())
    assert [(len(list(read(packed))), lost, ahead) for packed, lost, ahead in found] == [(5000, 0, 5.0)] * 20


def test_what_finds_no_room_is_counted_and_told(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "MOST_WAITING", 100_000)

    async def play() -> None:
        made = Sending()
        made.use(pair[0])
        taken = 0
        while not made.lost:
            made.take(hits(5000))
            taken += 1
        made.take(hits(100, lost=11))
        assert made.lost == 5111
        (*_, last) = await asyncio.to_thread(everything, pair[1], taken - 1)
        assert last[1] == 0
        made.take(hits(1))
        ((_, lost, _),) = await asyncio.to_thread(everything, pair[1], 1)
        assert lost == 5111
        await made.finish(1)

    asyncio.run(play())


def test_who_went_away_is_noticed(pair: tuple[socket.socket, socket.socket]) -> None:
    async def play() -> None:
        made = Sending()
        made.use(pair[0])
        assert not made.gone.is_set()
        pair[1].close()
        await made.gone.wait()
        made.take(hits(3))
        assert made.holds
        await made.finish(1)
        assert made.lost == 3, "nobody came for them"

    asyncio.run(play())


def test_what_comes_before_there_is_a_writer_is_held_for_it(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    async def play() -> None:
        made = Sending()
        for count in (1, 2, 3):
            made.take(hits(count))
        made.use(pair[0])
        made.take(hits(4))
        found = await asyncio.to_thread(everything, pair[1], 4)
        assert [len(list(read(packed))) for packed, _, _ in found] == [1, 2, 3, 4]
        assert {lost for _, lost, _ in found} == {0}
        assert made.lost == 0
        await made.finish(1)

    asyncio.run(play())


def test_the_next_writer_gets_what_the_last_one_did_not_take_whole() -> None:
    """In order, from the frame on that was cut; and what came while there was none."""

    async def play() -> None:
        made = Sending()
        one, reader = socket.socketpair()
        made.use(one)
        for count in range(1, 21):
            made.take(hits(count * 1000))
        first = list(Frames().feed(reader.recv(100_000, socket.MSG_WAITALL)))
        assert len(first) < 19
        reader.close()  # what the socket has of later ones is gone with it
        await made.gone.wait()
        made.take(hits(7))
        two, reader = socket.socketpair()
        made.use(two)
        found = await asyncio.to_thread(_until, reader, 7)
        counts = [len(list(read(packed))) for packed, _, _ in found]
        assert counts == [*range(counts[0], 20_001, 1000), 7]
        assert 0 < counts[0] < 20_000
        assert made.lost == 0
        await made.finish(1)
        reader.close()

    asyncio.run(play())


def _until(theirs: socket.socket, count: int) -> list[Frame]:
    """Frames up to one of so many records."""
    reader, found = Frames(), list[Frame]()
    while not found or len(list(read(found[-1][0]))) != count:
        octets = theirs.recv(1 << 20)
        assert octets
        found += reader.feed(octets)
    return found


def test_what_is_held_is_bounded(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "MOST_WAITING", 100_000)

    async def play() -> None:
        made = Sending()
        taken = 0
        while not made.lost:
            made.take(hits(1000))
            taken += 1
        assert taken * 1000 * len(HIT) < 300_000
        made.use(pair[0])
        made.take(hits(1))
        *held, last = await asyncio.to_thread(everything, pair[1], taken)
        assert len(held) == taken - 1
        assert last[1] == made.lost == 1000
        await made.finish(1)

    asyncio.run(play())


def test_what_comes_while_one_writer_ends_is_for_the_next(pair: tuple[socket.socket, socket.socket]) -> None:
    async def play() -> None:
        made = Sending()
        one, reader = socket.socketpair()
        made.use(one)
        made.take(hits(50_000))
        made.end()
        made.take(hits(5))
        ((packed, _, _),) = await asyncio.to_thread(everything, reader, 1)
        assert len(list(read(packed))) == 50_000
        assert await asyncio.to_thread(reader.recv, 1) == b""
        made.use(pair[0])
        ((packed, _, _),) = await asyncio.to_thread(everything, pair[1], 1)
        assert len(list(read(packed))) == 5
        await made.finish(1)
        reader.close()

    asyncio.run(play())


def test_the_end_does_not_wait_for_who_does_not_read(pair: tuple[socket.socket, socket.socket]) -> None:
    async def play() -> None:
        made = Sending()
        made.use(pair[0])
        made.take(hits(50_000))
        await made.finish(0.01)
        assert made.gone.is_set()

    asyncio.run(play())
