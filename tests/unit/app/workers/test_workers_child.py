"""What a supervisor and its workers tell each other, and how a death is put into words."""

from __future__ import annotations

import json
import socket

import pytest

from smartdoh.app.workers.child import reason
from smartdoh.app.workers.lifeline import Lifeline, cookie_key
from smartdoh.app.workers.plainlog import PlainLog
from smartdoh.app.workers.seat import Plan, Seat

SEAT = Seat(1, 3, 4, 77, 5, (6, 7), (8,), None, 9, 0.5)
PLAN = Plan(
    ("python", "-m", "smartdoh"), (((1,), (2,)), ((3,), (4,))), False, 9, "/x", None, "1", "y", "info", True
)


def test_what_is_told_on_the_command_line_comes_back() -> None:
    assert Seat.from_json(SEAT.to_json()) == SEAT
    assert Plan.from_json(PLAN.to_json()) == PLAN


def test_a_worker_inherits_what_it_needs_alone() -> None:
    assert SEAT.descriptors == (5, 6, 7, 8, 9)


@pytest.mark.parametrize(
    ("status", "words"), [(0, "exit status 0"), (2, "exit status 2"), (-9, "signal 9 (SIGKILL)")]
)
def test_reason(status: int, words: str) -> None:
    assert reason(status) == words


def test_reloads_within_reloads_are_told_once() -> None:
    """The first worker reloads itself within the reload of all."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        line = Lifeline(theirs, 0.0)
        line.ready()
        line.reloading()
        line.reloading()
        line.ready()
        assert ours.recv(64) == b"RL"
        line.ready()
        assert ours.recv(64) == b"R"


def test_a_worker_is_told_its_key_before_it_speaks() -> None:
    """It waits in the socket; the lifeline has it out of the way."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.send(bytes(range(16)))
        assert cookie_key(theirs) == bytes(range(16))
        line = Lifeline(theirs, 0.0)
        line.ready()
        assert ours.recv(64) == b"R"


def test_lines_look_like_those_of_the_workers(capsys: pytest.CaptureFixture[str]) -> None:
    PlainLog("warning", as_text=False).info("not seen")
    PlainLog("info", as_text=False).warning("gone", worker=1)
    found = json.loads(capsys.readouterr().err)
    assert found.pop("timestamp").endswith("Z")
    assert found == {"worker": 1, "event": "gone", "level": "warning"}
    PlainLog("info", as_text=True).info("ready", listening="127.0.0.1 port 53", workers=2)
    assert "[info     ] ready" in (line := capsys.readouterr().err)
    assert line.endswith("listening='127.0.0.1 port 53' workers=2\n")
