"""The scripted upstream's answers, with dnspython as the judge."""

import dns.flags
import dns.message
import pytest

from bench.upstreams import compose_answer, name_of


@pytest.mark.parametrize("edns", [-1, 0])
def test_the_answer_is_a_whole_one(edns: int) -> None:
    query = dns.message.make_query("a.example.com", "A", use_edns=edns, id=7)
    answer = dns.message.from_wire(compose_answer(query.to_wire()))
    assert query.is_response(answer)
    assert answer.flags & dns.flags.RA
    assert answer.edns == edns
    assert [str(record) for rrset in answer.answer for record in rrset] == ["203.0.113.7"]


def test_the_name_of_a_message() -> None:
    query = dns.message.make_query("a.Example.com", "A")
    assert name_of(query.to_wire()) == "a.Example.com"
