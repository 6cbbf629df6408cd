"""sd_notify: what the service manager hears, and what happens where there is none."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from smartdoh.app.notify import Notifier


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.setblocking(False)
        yield sock


def test_every_state_is_one_message(manager: socket.socket) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": manager.getsockname()})
    for tell in (notifier.ready, notifier.reloading, notifier.alive, notifier.stopping):
        tell()
    heard = [manager.recv(4096).decode() for _ in range(4)]
    assert heard[0] == "READY=1"
    assert heard[1].startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert heard[1].rpartition("=")[2].isdigit()
    assert heard[2:] == ["WATCHDOG=1", "STOPPING=1"]


def test_an_abstract_socket() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(f"\0smartdoh-test-{os.getpid()}")
        sock.setblocking(False)
        Notifier({"NOTIFY_SOCKET": f"@smartdoh-test-{os.getpid()}"}).ready()
        assert sock.recv(4096) == b"READY=1"


def test_no_manager_is_no_error(tmp_path: Path) -> None:
    Notifier({}).ready()
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()


def test_a_manager_that_does_not_listen_blocks_nothing(manager: socket.socket) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": manager.getsockname()})
    for _ in range(10_000):
        notifier.alive()
    assert manager.recv(4096) == b"WATCHDOG=1"


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, 0.0),
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, 0.0),
        ({"WATCHDOG_USEC": "0"}, 0.0),
        ({"WATCHDOG_USEC": ""}, 0.0),
        ({"WATCHDOG_USEC": "soon"}, 0.0),
    ],
)
def test_the_watchdog_is_fed_twice_as_often_as_it_looks(environ: dict[str, str], seconds: float) -> None:
    assert Notifier(environ).watchdog == seconds
