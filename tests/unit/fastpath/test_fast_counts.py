"""Counters of answers: by transport, outcome, type and rcode; both builds number the kinds alike."""

import json
from collections.abc import Iterator
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartdoh.fastpath import counts
from smartdoh.fastpath.counts import KINDS, TCP, UDP, Answered, answered, kind_of
from smartdoh.outcome import NAMES
from tests.scenario.fast import Rig, rig
from tests.scenario.messages import CLIENT, question, soa

A = "www.example.com. 300 A 192.0.2.1"
URI = 'www.example.com. 300 URI 10 1 "https://example.com/"'


@pytest.fixture
def fast(build: object) -> Iterator[Rig]:
    with rig() as made:
        yield made


@given(
    transport=st.sampled_from((UDP, TCP)),
    outcome=st.integers(0, len(NAMES) - 1),
    qtype=st.integers(0, 0xFFFF),
    rcode=st.integers(0, 15),
)
def test_a_kind_says_what_it_was_made_from(transport: int, outcome: int, qtype: int, rcode: int) -> None:
    kind = kind_of(transport, outcome, qtype, rcode)
    assert 0 <= kind < KINDS
    shown = counts.TRANSPORTS[transport], counts.OUTCOMES[outcome]
    assert answered([(kind, 7)]) == [Answered(*shown, qtype if qtype < 256 else 0, rcode, 7)]


def test_answers_are_counted_by_kind(fast: Rig) -> None:
    """The first from the table, those from what was made before, over both transports, fresh and stale."""
    asked = question(), question("www.example.com.", "URI"), question("no.example.com.")
    fast.store(asked[0], A)
    fast.store(asked[1], URI)
    fast.store(asked[2], rcode="NXDOMAIN", authority=(soa("com.", 300, 300),))
    fast.drain(asked[0], asked[0], asked[1], asked[1], asked[2], question("m.example.com."))
    fast.fast.ask(asked[0], CLIENT)
    fast.fast.ask_stream(bytearray(len(asked[0]).to_bytes(2) + asked[0]), CLIENT)
    fast.clock.forward(301)
    fast.drain(asked[0])
    found = fast.fast.statistics()
    assert found.answered == [
        Answered("udp", "hit", 0, 0, 2),
        Answered("udp", "hit", 1, 0, 2),
        Answered("udp", "hit", 1, 3, 1),
        Answered("udp", "stale", 1, 0, 1),
        Answered("tcp", "hit", 1, 0, 2),
    ]
    assert (found.hits, found.stale, found.misses) == (7, 1, 1)
    assert json.loads(json.dumps(asdict(found)))["answered"][0]["count"] == 2


def test_a_snapshot_is_a_copy(fast: Rig) -> None:
    fast.store(question(), A)
    fast.ask(question())
    found = fast.fast.statistics()
    fast.ask(question())
    assert found.answered == [Answered("udp", "hit", 1, 0, 1)]
