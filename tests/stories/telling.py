"""Whether an answer is as a story has it, for whoever tells one."""

from __future__ import annotations

import dns.edns
import dns.message
import dns.rcode

from tests.stories.language import Expected


def assert_as_told(where: str, answer: dns.message.Message, expected: Expected) -> None:
    """`where` says which step it was."""
    assert dns.rcode.to_text(answer.rcode()) == expected.rcode, (
        f"{where}: {dns.rcode.to_text(answer.rcode())}"
    )
    data = sorted(item.to_text() for rrset in answer.answer for item in rrset)
    assert tuple(data) == expected.data, f"{where}: {data}"
    ttls = [rrset.ttl for rrset in (*answer.answer, *answer.authority)]
    if expected.ttls is not None:
        low, high = expected.ttls
        assert ttls, f"{where}: no records"
        assert all(low <= ttl <= high for ttl in ttls), f"{where}: TTLs {ttls}"
    codes = {int(option.code) for option in answer.options if isinstance(option, dns.edns.EDEOption)}
    if expected.ede is not None:
        assert expected.ede in codes, f"{where}: Extended DNS Errors {codes}"
    if expected.no_ede:
        assert not codes, f"{where}: Extended DNS Errors {codes}"
