"""The connection to a collector: whatever that does, nobody waits, and what is lost is counted."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from smartdoh.app.dnstap import collector as collecting
from smartdoh.app.dnstap.collector import Collector
from smartdoh.app.dnstap.frames import CONTENT_TYPE, Control, control, data
from smartdoh.fastpath.packed import WAY, Packed
from smartdoh.wire.names import from_text

SOON = 0.01  # seconds between two tries
WITHIN = 10.0
ASKED = Packed(1.7e9, -1.0, WAY.pack(0, 0, 1, 1, 0), bytes(4), from_text("a.example"), b"")
ACCEPT = control(Control.ACCEPT, CONTENT_TYPE)

Play = Callable[[socket.socket], None]


def payload(record: Packed, ahead: float) -> bytes:
    return f"{record.at + ahead:.0f}".encode()


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + WITHIN
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.005)


@contextmanager
def listening(path: Path, *plays: Play) -> Iterator[None]:
    """A collector that does one of these on each connection, in turn."""

    def serve() -> None:
        for play in plays:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(WITHIN)
                play(connection)

    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as listener:
        listener.bind(str(path))
        listener.settimeout(WITHIN)
        listener.listen()
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield
        thread.join(WITHIN)
        assert not thread.is_alive()


def read(connection: socket.socket, wanted: bytes) -> None:
    got = b""
    while not got.endswith(wanted):
        more = connection.recv(65_536)
        assert more, got
        got += more


def accept(connection: socket.socket) -> None:
    read(connection, control(Control.READY, CONTENT_TYPE))
    connection.sendall(ACCEPT)


def read_all(connection: socket.socket) -> None:
    accept(connection)
    read(connection, control(Control.STOP))
    connection.sendall(control(Control.FINISH))


class Said:
    """What the collector's thread said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, what: str, why: str, *, is_well: bool) -> None:
        self.lines.append(f"{what}: {why}")


def test_all_is_sent_and_the_end_is_in_order(tmp_path: Path) -> None:
    path, said = tmp_path / "s", Said()
    got: list[bytes] = []

    def keep(connection: socket.socket) -> None:
        accept(connection)
        octets = b""
        while not octets.endswith(control(Control.STOP)):
            octets += connection.recv(65_536)
        got.append(octets)
        connection.sendall(control(Control.FINISH))

    with listening(path, keep):
        one = Collector(path, payload, said)
        one.take([ASKED] * 700, 0.0)
        one.take([ASKED], 0.0)
        one.close()
    assert got == [control(Control.START, CONTENT_TYPE) + data(b"1700000000") * 701 + control(Control.STOP)]
    assert (one.sent, one.lost) == (701, 0)
    assert len(said.lines) == 1


@pytest.mark.parametrize(
    "play",
    [
        pytest.param(lambda connection: connection.close(), id="closes at once"),
        pytest.param(lambda connection: connection.sendall(b"HTTP/1.1 400\r\n\r\n"), id="speaks HTTP"),
        pytest.param(lambda connection: connection.sendall(bytes(4) + b"\xff" * 4), id="a frame of 4 GiB"),
        pytest.param(
            lambda connection: connection.sendall(control(Control.START, CONTENT_TYPE)), id="no ACCEPT"
        ),
        pytest.param(
            lambda connection: connection.sendall(control(Control.ACCEPT, b"protobuf:other")),
            id="wants something else",
        ),
        pytest.param(lambda connection: read(connection, b"never"), id="never accepts"),
    ],
)
def test_a_hostile_collector_and_then_a_good_one(tmp_path: Path, play: Play) -> None:
    """What waits meanwhile is sent to the good one."""
    path, said = tmp_path / "s", Said()

    def ill(connection: socket.socket) -> None:
        try:
            play(connection)
            read_until_closed(connection)
        except (AssertionError, OSError):
            return

    with listening(path, ill, ill, read_all):
        one = Collector(path, payload, said, first_pause=SOON, patience=0.3)
        one.take([ASKED], 0.0)
        until(lambda: one.sent == 1)
        one.close()
    assert one.lost == 0
    assert [line.partition(":")[0] for line in said.lines] == [
        "no dnstap collector, what it does not get is lost",
        "the dnstap collector reads",
    ], "once each, however often it was tried"


def test_without_a_collector_only_so_much_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "ROOM", 100)
    one = Collector(tmp_path / "nothing", payload, Said(), first_pause=SOON)
    one.take([ASKED] * 70, 0.0)
    one.take([ASKED] * 70, 0.0)
    one.take([ASKED] * 70, 0.0)
    assert one.lost == 110
    one.close()
    assert one.sent == 0


def test_one_that_does_not_read_is_left_and_what_it_had_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s"
    is_over = threading.Event()

    def accept_only(connection: socket.socket) -> None:
        accept(connection)
        is_over.wait(WITHIN)

    with listening(path, accept_only, read_all):
        one = Collector(path, lambda _, __: bytes(10_000), Said(), first_pause=SOON, patience=0.2)
        one.take([ASKED] * 1000, 0.0)
        until(lambda: one.lost > 0)
        is_over.set()
        until(lambda: one.sent + one.lost == 1000)
        one.close()
    assert one.sent >= 1000 - 2 * collecting.AT_ONCE


def test_one_that_restarts_is_found_again(tmp_path: Path) -> None:
    path = tmp_path / "s"

    def some(connection: socket.socket) -> None:
        accept(connection)
        read(connection, data(b"1700000000"))

    with listening(path, some, read_all):
        one = Collector(path, payload, Said(), first_pause=SOON)
        one.take([ASKED], 0.0)
        until(lambda: one.sent == 1)
        tries = 0
        while one.sent < 2:
            one.take([ASKED], 0.0)
            time.sleep(0.01)
            tries += 1
            assert tries < 1000
        one.close()


def test_taking_costs_nothing_where_nothing_can_be_sent(tmp_path: Path) -> None:
    """Whoever has questions is never kept: what finds no room is counted, and that is all."""
    asked = threading.Event()

    def never(connection: socket.socket) -> None:
        asked.set()
        read_until_closed(connection)

    with listening(tmp_path / "s", never):
        one = Collector(tmp_path / "s", payload, Said(), first_pause=60.0, patience=0.5)
        assert asked.wait(WITHIN)
        for _ in range(10):
            one.take([ASKED] * 10_000, 0.0)
        assert one.lost == 100_000 - collecting.ROOM
        one.close()


def read_until_closed(connection: socket.socket) -> None:
    while connection.recv(65_536):
        pass
