"""The servers that know the upstream's address: silent, lying, dead before anything is known."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import dns.message
import dns.rdatatype
import dns.rrset

from tests.faults.asking import Heard
from tests.faults.fault import During, Fault, New
from tests.faults.stage import Stage
from tests.servers.certificates import HOST_NAME, Authority
from tests.servers.plain import Reply, Transport, plain_server, right_answer
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


def at_start(reply: Reply, *, nothing_known: bool = False) -> During:
    """It answers so when the proxy starts again; with `nothing_known` nothing but the cache lies on disk then."""

    @contextmanager
    def during(stage: Stage) -> Iterator[None]:
        stage.bootstrap.reply = reply
        stage.restart(then=partial(shutil.rmtree, stage.state) if nothing_known else bool)
        yield
        stage.bootstrap.reply = right_answer

    return during


def told_nothing(stage: Stage, _: Sequence[Heard]) -> None:
    """Whoever was named in its place was asked nothing."""
    assert stage.stranger.requests == [], "a stranger was asked"


FAULTS = (
    Fault(name="bootstrap dead", world=by_name, during=dead, new=New.DATA, new_within=2.5),
    Fault(name="bootstrap dead at start", world=by_name, during=at_start(silent), seconds=8.0),
    Fault(
        name="bootstrap dead at start, nothing known",
        world=by_name,
        during=at_start(silent, nothing_known=True),
        seconds=8.0,
    ),
    Fault(
        name="bootstrap lies",
        world=by_name,
        during=at_start(lying, nothing_known=True),
        seconds=6.0,
        check=told_nothing,
    ),
)
