"""The servers that know the upstream's address: silent, lying, dead before anything is known."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import dns.message
import dns.rdatatype
import dns.rrset

from tests.faults.asking import Heard
from tests.faults.fault import Fault, New
from tests.faults.stage import Stage
from tests.servers.certificates import HOST_NAME, Authority
from tests.servers.plain import Transport, plain_server, right_answer
from tests.servers.scripted import ScriptedServer
from tests.servers.zone import Answers

TRUE, FORGED = "127.0.0.1", "127.0.0.9"
ZONE = f"@ 300 IN SOA ns host 1 2 3 4 5\n@ 300 IN A {TRUE}\n"


def by_name(stage: Stage) -> None:
    """One upstream that has to be looked up, somebody else at another address, and a cache on disk."""
    stage.bootstrap = stage.open.enter_context(plain_server(Answers(ZONE, origin=f"{HOST_NAME}.")))
    server = stage.add_upstream()
    stranger = Authority(stage.directory / "stranger")
    stage.stranger = stage.open.enter_context(ScriptedServer(stranger.good, host=FORGED, port=server.port))
    sections: dict[str, dict[str, Any]] = {
        "bootstrap": {"servers": [stage.bootstrap.address]},
        "cache": {"dir": stage.cache},
    }
    stage.serve(server.url_at(HOST_NAME), sections=sections)


def silent(_query: dns.message.Message, _answer: dns.message.Message, _transport: Transport) -> list[bytes]:
    """Nothing is ever said."""
    return []


def lying(query: dns.message.Message, answer: dns.message.Message, transport: Transport) -> list[bytes]:
    """The name is somebody else's."""
    if answer.answer:
        answer.answer = [dns.rrset.from_text(f"{HOST_NAME}.", 300, "IN", "A", FORGED)]
    return right_answer(query, answer, transport)


@contextmanager
def dead(stage: Stage) -> Iterator[None]:
    """It falls silent, and there is no connection."""
    stage.bootstrap.reply = silent
    stage.upstream.drop_all()
    yield
    stage.bootstrap.reply = right_answer


@contextmanager
def dead_at_start(stage: Stage) -> Iterator[None]:
    """It is silent when the proxy starts again."""
    stage.bootstrap.reply = silent
    stage.restart()
    yield
    stage.bootstrap.reply = right_answer


@contextmanager
def dead_and_nothing_known(stage: Stage) -> Iterator[None]:
    """It is silent when the proxy starts, and nothing but the cache lies on disk."""
    stage.bootstrap.reply = silent
    stage.restart(then=lambda: shutil.rmtree(stage.state))
    yield
    stage.bootstrap.reply = right_answer


@contextmanager
def lies_at_start(stage: Stage) -> Iterator[None]:
    """It lies when the proxy starts, and nothing but the cache lies on disk."""
    stage.bootstrap.reply = lying
    stage.restart(then=lambda: shutil.rmtree(stage.state))
    yield
    stage.bootstrap.reply = right_answer


def told_nothing(stage: Stage, _: Sequence[Heard]) -> None:
    """Whoever was named in its place was asked nothing."""
    assert stage.stranger.requests == [], "a stranger was asked"


FAULTS = (
    Fault(name="bootstrap dead", world=by_name, during=dead, new=New.DATA, new_within=2.5),
    Fault(name="bootstrap dead at start", world=by_name, during=dead_at_start, seconds=8.0),
    Fault(
        name="bootstrap dead at start, nothing known",
        world=by_name,
        during=dead_and_nothing_known,
        seconds=8.0,
    ),
    Fault(name="bootstrap lies", world=by_name, during=lies_at_start, seconds=6.0, check=told_nothing),
)
