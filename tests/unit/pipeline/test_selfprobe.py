"""Our own questions are known again by every process of the instance, and by nobody else."""

from __future__ import annotations

import dns.message

from smartdoh.model import Answer, Query, Route
from smartdoh.pipeline.selfprobe import SelfProbe
from smartdoh.wire import compose
from smartdoh.wire.question import parse_query

ROUTE = Route("main", False, False, "")
SECRET = bytes(range(32))


def said(probe: SelfProbe, query: Query) -> Answer | None:
    """What a listener says to a question that came back over the wire."""
    return probe.answer(parse_query(compose.upstream_query(query)), ROUTE)


def test_no_two_are_alike() -> None:
    probe = SelfProbe()
    names = {probe.query().name for _ in range(100)}
    assert len(names) == 100
    assert all(name.endswith(b"\x0dsmartdoh-loop\x03alt\0") for name in names)


def test_what_comes_back_is_known_by_its_answer() -> None:
    sender, listener = SelfProbe(SECRET), SelfProbe(SECRET)
    query = sender.query()
    answer = said(listener, query)
    assert answer is not None
    assert sender.has_returned(query, answer)
    assert answer.scan.min_ttl == 0, "nobody keeps it"
    message = dns.message.from_wire(answer.wire)
    assert message.answer[0].ttl == 0


def test_what_others_sent_is_a_question_like_any_other() -> None:
    """It has to go on: they may be in a loop that we are a part of."""
    query = SelfProbe().query()
    assert said(SelfProbe(), query) is None


def test_names_that_only_look_like_it() -> None:
    probe = SelfProbe()
    for name in ("smartdoh-loop.alt.", "a.smartdoh-loop.alt.", f"{'0' * 32}.{'0' * 32}.smartdoh-loop.alt."):
        assert probe.answer(parse_query(dns.message.make_query(name, "TXT").to_wire()), ROUTE) is None


def test_nobody_can_make_up_that_it_came_back() -> None:
    probe = SelfProbe()
    query, other = probe.query(), probe.query()
    forged = said(probe, other)
    assert forged is not None
    assert not probe.has_returned(query, forged), "the proof of another probe"
    echo = compose.answer(query, 0, [compose.Rr(query.name, 16, 0, query.name)], source="liar")
    assert not probe.has_returned(query, echo), "what was in the question"
