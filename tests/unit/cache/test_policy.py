"""May it be kept, and how long: RFC 1034, 2181, 2308, 8484, 8767 and 9520 as tables."""

import math

import dns.message
import pytest

from smartdoh.cache.policy import Bounds, entry_of, failure_entry, is_failure, is_negative, lifetime, unkept
from smartdoh.fastpath import Entry
from smartdoh.model import Answer
from smartdoh.wire import compose
from smartdoh.wire.codes import SERVFAIL
from smartdoh.wire.edns import read_extended_error
from tests.scenario.messages import answer_to, query, soa, ttls

DAY = 86_400
WWW = "www.example.com."
A = f"{WWW} 300 A 192.0.2.1"
CNAME = f"{WWW} 120 CNAME real.example.com."
RRSIG = f"{WWW} 120 RRSIG CNAME 13 3 120 20300101000000 20200101000000 1 example.com. AAAA"
ASKED = query()
OPEN = Bounds(max_ttl=0xFFFFFFFF)


def signature(owner: str, covers: str, ttl: int = 300) -> str:
    return f"{owner} {ttl} RRSIG {covers} 13 3 {ttl} 20300101000000 20200101000000 1 example.com. AAAA"


@pytest.mark.parametrize(
    ("ttl", "bounds", "kept"),
    [
        (300, Bounds(), 300),
        (1, Bounds(), 1),
        (0, Bounds(), 0),
        (DAY, Bounds(), DAY),
        (DAY + 1, Bounds(), DAY),
        (0x7FFFFFFF, Bounds(), DAY),
        (0x80000000, Bounds(), DAY),  # RFC 8767 section 4: the high bit means a large one, not 0
        (0xFFFFFFFF, Bounds(), DAY),
        (30, Bounds(min_ttl=60), 60),
        (0, Bounds(min_ttl=60), 60),
        (61, Bounds(min_ttl=60), 61),
        (90, Bounds(min_ttl=60, max_ttl=60), 60),
        (300, Bounds(max_ttl=10), 10),
    ],
)
def test_a_positive_answer_lives_for_its_ttl_within_the_bounds(ttl: int, bounds: Bounds, kept: int) -> None:
    answer = answer_to(ASKED, f"{WWW} {ttl} A 192.0.2.1")
    assert lifetime(answer, bounds, negative=False) == kept
    entry, seconds = entry_of(ASKED, answer, bounds, 1000.0)
    assert seconds == kept
    assert seen_ttls(entry) == [kept]


def test_the_shortest_lived_record_rules() -> None:
    """Of all sections (RFC 1034 section 3.6); each RRset keeps its own TTL."""
    answer = answer_to(
        ASKED, CNAME, "real.example.com. 300 A 192.0.2.1", additional=("x.example.com. 60 A 192.0.2.9",)
    )
    entry, seconds = entry_of(ASKED, answer, Bounds(), 0.0)
    assert seconds == 60
    assert seen_ttls(entry) == [120, 300, 60]


@pytest.mark.parametrize(
    ("soa_ttl", "minimum", "bounds", "kept"),
    [
        (3600, 60, Bounds(), 60),
        (60, 3600, Bounds(), 60),
        (DAY, DAY, Bounds(), 10_800),  # RFC 2308 section 5
        (DAY, DAY, Bounds(negative_max=DAY), DAY),
        (300, 300, Bounds(negative_max=10), 10),
        (300, 300, Bounds(negative_max=0), 0),
        (300, 0, Bounds(), 0),
        (0, 300, Bounds(), 0),
        (10, 10, Bounds(min_ttl=60), 10),  # the bound is for what there is, not for what is missing
        (300, 0x80000000, Bounds(), 300),
    ],
)
@pytest.mark.parametrize("rcode", ["NXDOMAIN", "NOERROR"])
def test_a_no_lives_for_the_lower_of_soa_ttl_and_minimum(
    soa_ttl: int, minimum: int, bounds: Bounds, kept: int, rcode: str
) -> None:
    answer = answer_to(ASKED, rcode=rcode, authority=(soa("example.com.", soa_ttl, minimum),))
    assert is_negative(ASKED, answer)
    entry, seconds = entry_of(ASKED, answer, bounds, 0.0)
    assert seconds == kept
    assert seen_ttls(entry) == [min(soa_ttl, kept)], "a client must not keep it longer than we do"


@pytest.mark.parametrize("rcode", ["NXDOMAIN", "NOERROR"])
@pytest.mark.parametrize("records", [(), (CNAME,)])
@pytest.mark.parametrize("authority", [(), ("example.com. 300 NS ns.example.com.",)])
def test_a_no_without_soa_is_not_kept(
    rcode: str, records: tuple[str, ...], authority: tuple[str, ...]
) -> None:
    answer = answer_to(ASKED, *records, rcode=rcode, authority=authority)
    assert entry_of(ASKED, answer, Bounds(min_ttl=60), 0.0)[1] == 0


@pytest.mark.parametrize(
    ("qtype", "records", "rcode", "is_no"),
    [
        ("A", (A,), "NOERROR", False),
        ("A", (CNAME, "real.example.com. 300 A 192.0.2.1"), "NOERROR", False),
        ("A", ("real.example.com. 300 A 192.0.2.1", CNAME), "NOERROR", False),  # in whatever order
        ("A", (A, signature(WWW, "A")), "NOERROR", False),
        ("A", (CNAME,), "NOERROR", True),
        ("AAAA", (CNAME, signature(WWW, "CNAME")), "NOERROR", True),  # with DO, signatures come last
        ("AAAA", (CNAME, RRSIG, "real.example.com. 300 CNAME far.example.net."), "NOERROR", True),
        ("CNAME", (CNAME,), "NOERROR", False),
        ("RRSIG", (RRSIG,), "NOERROR", False),
        ("ANY", (CNAME,), "NOERROR", False),
        ("A", (CNAME,), "NXDOMAIN", True),  # RFC 6604: the rcode is about the last name
        ("A", (), "NOERROR", True),
        ("A", (), "NXDOMAIN", True),
    ],
)
def test_what_is_a_no(qtype: str, records: tuple[str, ...], rcode: str, is_no: bool) -> None:
    asked = query(rdtype=qtype)
    assert is_negative(asked, answer_to(asked, *records, rcode=rcode)) is is_no


@pytest.mark.parametrize("rcode", ["NXDOMAIN", "NOERROR"])
def test_a_no_at_the_end_of_a_chain_lives_no_longer_than_its_links(rcode: str) -> None:
    for cname_ttl, minimum, kept in ((120, 300, 120), (120, 60, 60)):
        answer = answer_to(
            ASKED,
            f"{WWW} {cname_ttl} CNAME real.example.com.",
            rcode=rcode,
            authority=(soa("example.com.", 3600, minimum),),
        )
        assert lifetime(answer, Bounds(), negative=is_negative(ASKED, answer)) == kept


def test_a_signed_no_through_a_cname_lives_for_the_soa_minimum() -> None:
    asked = query(rdtype="AAAA", do=True)
    authority = (soa("example.com.", 3600, 60), signature("example.com.", "SOA", 3600))
    answer = answer_to(asked, CNAME, signature(WWW, "CNAME", 120), authority=authority)
    assert entry_of(asked, answer, Bounds(), 0.0)[1] == 60


@pytest.mark.parametrize(
    ("ttl", "age", "min_ttl", "kept"),
    [
        (300, 100, 0, 200),
        (300, 299, 0, 1),
        (300, 300, 0, 0),
        (300, 400, 0, 0),
        (300, 400, 60, 0),
        (300, 290, 60, 60),
    ],
)
def test_time_spent_in_http_caches_counts(ttl: int, age: int, min_ttl: int, kept: int) -> None:
    """RFC 8484 section 5.1; what they have kept beyond its end is for those who wait alone."""
    answer = answer_to(ASKED, f"{WWW} {ttl} A 192.0.2.1", age=age)
    entry, seconds = entry_of(ASKED, answer, Bounds(min_ttl=min_ttl), 0.0)
    assert seconds == kept
    assert seen_ttls(entry) == [kept]


def test_age_counts_for_a_no_too() -> None:
    answer = answer_to(ASKED, rcode="NXDOMAIN", authority=(soa("example.com.", 300, 300),), age=100)
    entry, seconds = entry_of(ASKED, answer, Bounds(), 0.0)
    assert seconds == 200
    assert seen_ttls(entry) == [200]


def test_an_rrset_has_one_ttl() -> None:
    """The lowest of its records (RFC 2181 section 5.2); other types keep theirs."""
    answer = answer_to(
        ASKED,
        f"{WWW} 300 A 192.0.2.1",
        f"{WWW} 200 A 192.0.2.2",
        f"{WWW} 250 A 192.0.2.3",
        signature(WWW, "A", 400),
    )
    assert seen_ttls(entry_of(ASKED, answer, Bounds(), 0.0)[0]) == [200, 200, 200, 400]


def test_an_entry_s_times() -> None:
    entry, seconds = entry_of(ASKED, answer_to(ASKED, A), Bounds(stale=1000.0), 50.0)
    assert seconds == 300
    assert (entry.stored, entry.expires, entry.stale_until) == (50.0, 350.0, 1350.0)
    assert entry.refresh_at == pytest.approx(50.0 + 270.0)
    late, _ = entry_of(ASKED, answer_to(ASKED, A), Bounds(prefetch=False), 50.0)
    assert late.refresh_at == late.expires


def test_what_is_not_kept_is_neither_stale_nor_refreshed() -> None:
    entry = unkept(answer_to(ASKED, A), 50.0)
    assert entry.expires > 50.0
    assert entry.stale_until == entry.expires
    assert entry.refresh_at == math.inf


def failed() -> Answer:
    return compose.answer(ASKED, SERVFAIL, source="upstream")


def test_failures_double_up_to_their_bound() -> None:
    now, previous, lengths = 0.0, None, []
    for _ in range(6):
        previous = failure_entry(failed(), previous, OPEN, now)
        lengths.append(previous.expires - now)
        now = previous.expires
    assert lengths == [1.0, 2.0, 4.0, 5.0, 5.0, 5.0]
    assert previous is not None
    assert previous.stale_until == previous.expires == previous.refresh_at


@pytest.mark.parametrize(("pause", "length"), [(4.999, 2.0), (5.0, 1.0), (3600.0, 1.0)])
def test_a_failure_long_after_the_last_one_is_a_first_one(pause: float, length: float) -> None:
    first = failure_entry(failed(), None, OPEN, 0.0)
    again = failure_entry(failed(), first, OPEN, first.expires + pause)
    assert again.expires - again.stored == length


def test_data_before_a_failure_does_not_count_as_one() -> None:
    data, _ = entry_of(ASKED, answer_to(ASKED, A), OPEN, 0.0)
    assert failure_entry(failed(), data, OPEN, 1.0).expires == 2.0


def test_a_longer_bound_lets_failures_double_further() -> None:
    bounds, now, previous = Bounds(failure_max=300.0), 0.0, None
    for _ in range(12):
        previous = failure_entry(failed(), previous, bounds, now)
        now = previous.expires
    assert previous is not None
    assert previous.expires - previous.stored == 300.0, "RFC 9520 section 3.2: five minutes at most"


def test_a_kept_failure_says_that_it_is_one() -> None:
    assert read_extended_error(failure_entry(failed(), None, OPEN, 0.0).ede) == (13, "")


@pytest.mark.parametrize(
    ("rcode", "is_one"), [("NOERROR", False), ("NXDOMAIN", False), ("SERVFAIL", True), ("REFUSED", True)]
)
def test_what_is_a_failure(rcode: str, is_one: bool) -> None:
    assert is_failure(unkept(answer_to(ASKED, rcode=rcode), 0.0)) is is_one


def seen_ttls(entry: Entry) -> list[int]:
    return ttls(dns.message.from_wire(entry.wire, one_rr_per_rrset=True))
