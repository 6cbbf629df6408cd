"""A kept answer as each client sees it: flags, spelling, TTLs, staleness, OPT, and what fits over UDP."""

from collections.abc import Iterator

import dns.edns
import dns.flags
import dns.message
import pytest

from smartdoh.fastpath import entry as entries
from smartdoh.fastpath.entry import Entry
from smartdoh.model import Answer, Query
from smartdoh.wire import edns
from smartdoh.wire.answer import records, scan_answer
from tests.builds import BUILDS, PYTHON, fast_path
from tests.unit.wire.messages import (
    QUESTION,
    QUESTION_END,
    TO_QUESTION,
    TXT,
    address,
    answer_wire,
    name,
    opt,
    option,
    query,
    query_wire,
    question,
    record,
)

RD, RA, AD, CD, TC, DO = 0x0100, 0x0080, 0x0020, 0x0010, 0x0200, 0x8000


@pytest.fixture(params=BUILDS, autouse=True)
def build(request: pytest.FixtureRequest) -> Iterator[None]:
    """Have `render` be that of one build."""
    global _build  # noqa: PLW0603
    _build = request.param
    yield
    _build = PYTHON


_build = PYTHON


def render(query: Query, entry: Entry, now: float, *, udp: bool) -> bytes:
    """The answer without its id, by the build that the test is for."""
    if _build == PYTHON:
        return entries.render(query, entry, now, udp=udp)
    fast = fast_path(_build)(entries=1, view_of=lambda host: 0, clock=lambda: now)
    return fast.render(query, entry, udp=udp)[2:]


SPELLED = question(name("wWw.eXample.com"))
STORED, TTL, STALE = 1000.0, 300.0, 3600.0
EDE = edns.extended_error(22, "why it failed")
OPT_SIZE = 11


def entry(wire: bytes, *, ede: bytes = b"") -> Entry:
    """What is kept of an upstream's answer without OPT."""
    answer = Answer(wire, scan_answer(wire, query()), "upstream", ede=ede)
    return Entry(answer, STORED, TTL, STALE, STORED + TTL)


def rendered(asked: Query, kept: Entry, *, age: float = 0.0, udp: bool = True) -> bytes:
    """The whole answer, with the id that the fast path puts before it."""
    return asked.wire[:2] + render(asked, kept, STORED + age, udp=udp)


def flags_of(wire: bytes) -> int:
    return int.from_bytes(wire[2:4])


def ttls(wire: bytes) -> list[int]:
    return [item.ttl for item in records(wire, QUESTION_END)]


def error_codes(wire: bytes) -> list[int]:
    options = dns.message.from_wire(wire).options
    return [int(option.code) for option in options if isinstance(option, dns.edns.EDEOption)]


ONE = entry(answer_wire((address(1),)))


@pytest.mark.parametrize("sent", [0x0000, RD, CD, RD | CD, 0x86C0, 0x06CF, 0xFFFF])
def test_flags_are_ours_but_for_rd_and_cd(sent: int) -> None:
    """RFC 1035 section 4.1.1: QR and RA set; AA, TC, Z clear, whatever was sent or came from upstream."""
    kept = entry(answer_wire((address(1),), flags=0x8580 | 0x0040 | CD))
    asked = query(flags=sent & 0x7FFF)
    assert flags_of(rendered(asked, kept)) == 0x8000 | RA | sent & (RD | CD)


@pytest.mark.parametrize("rcode", [0, 3])
def test_the_rcode_is_kept(rcode: int) -> None:
    assert flags_of(rendered(query(), entry(answer_wire(flags=0x8180 | rcode)))) & 0xF == rcode


@pytest.mark.parametrize(
    ("upstream", "asked", "shown"),
    [
        (True, query(), False),
        (True, query(flags=RD | AD), True),
        (True, query(opt(flags=DO)), True),
        (True, query(opt()), False),
        (False, query(opt(flags=DO), flags=RD | AD), False),
    ],
)
def test_ad_is_shown_to_those_who_know_it(upstream: bool, asked: Query, shown: bool) -> None:
    """RFC 6840 section 5.8: to clients that set AD or DO."""
    kept = entry(answer_wire((address(1),), flags=0x8180 | (AD if upstream else 0)))
    assert bool(flags_of(rendered(asked, kept)) & AD) == shown


@pytest.mark.parametrize("spelled", [QUESTION, SPELLED, question(name("WWW.EXAMPLE.COM"))])
@pytest.mark.parametrize("udp", [True, False])
def test_the_question_comes_back_as_it_was_spelled(spelled: bytes, udp: bool) -> None:
    """RFC 5452 section 9.1, whatever the upstream made of it."""
    kept = entry(answer_wire((address(1),), asked=question(name("www.EXAMPLE.com"))))
    made = rendered(query(asked=spelled), kept, udp=udp)
    assert made[12:QUESTION_END] == spelled
    assert made[QUESTION_END:] == address(1)


@pytest.mark.parametrize(
    ("age", "left"),
    [
        (-5, [300, 400]),
        (0, [300, 400]),
        (0.9, [300, 400]),
        (1, [299, 399]),
        (299, [1, 101]),
        (299.9, [1, 101]),
    ],
)
def test_ttls_count_down_and_never_to_zero(age: float, left: list[int]) -> None:
    """RFC 1034 section 3.6; a clock that went back does not make them grow."""
    kept = entry(answer_wire((address(1), address(2, 400))))
    assert ttls(rendered(query(), kept, age=age)) == left


@pytest.mark.parametrize(("rcode", "code"), [(0, 3), (3, 19)])
@pytest.mark.parametrize("age", [300.0, 3000.0])
def test_a_stale_answer_says_so(rcode: int, code: int, age: float) -> None:
    """RFC 8767 section 5: 30 s, whatever they were; RFC 8914 sections 4.4 and 4.20."""
    wire = answer_wire((address(1), address(2, 400)), (), (address(3, 5),), flags=0x8180 | rcode)
    made = rendered(query(opt()), entry(wire), age=age)
    assert ttls(made)[:-1] == [30, 30, 30]
    assert error_codes(made) == [code]


def test_a_stale_answer_without_edns_has_no_way_to_say_so() -> None:
    assert rendered(query(), ONE, age=300.0)[QUESTION_END:] == address(1, 30)


def test_both_errors_of_a_stale_answer() -> None:
    assert error_codes(rendered(query(opt()), entry(answer_wire(), ede=EDE), age=300.0)) == [22, 3]


@pytest.mark.parametrize("udp", [True, False])
@pytest.mark.parametrize("do", [False, True])
def test_opt_goes_to_clients_that_sent_one(do: bool, udp: bool) -> None:
    """RFC 6891 section 7: ours, with our payload size and DO as it was sent (RFC 3225 section 3)."""
    asked = query(opt(option(10, b"8 octets") + option(12, bytes(50)), payload=4096, flags=0x7FFF | do << 15))
    made = rendered(asked, entry(answer_wire((address(1),), (), (address(2),))), udp=udp)
    assert made[10:12] == b"\0\2"
    assert made.endswith(address(2) + opt(flags=DO if do else 0))


@pytest.mark.parametrize("udp", [True, False])
def test_no_opt_for_clients_that_sent_none(udp: bool) -> None:
    kept = entry(answer_wire((address(1),)), ede=EDE)
    assert rendered(query(), kept, udp=udp)[QUESTION_END:] == address(1)


def of_size(size: int, *, additional: int = 0) -> Entry:
    """An answer of so many octets without OPT, of them so many in the additional section."""
    fill = size - QUESTION_END - additional
    texts = [record(TO_QUESTION, TXT, bytes(fill - 12))]
    extra = [record(TO_QUESTION, TXT, bytes(additional - 12))] if additional else []
    kept = entry(answer_wire(tuple(texts), (), tuple(extra)))
    assert len(kept.wire) == size
    return kept


@pytest.mark.parametrize(
    ("payload", "limit"),
    [
        (None, 512),
        (0, 512),
        (511, 512),
        (512, 512),
        (600, 600),
        (1231, 1231),
        (1232, 1232),
        (1233, 1232),
        (65535, 1232),
    ],
)
def test_what_a_client_takes_over_udp(payload: int | None, limit: int) -> None:
    """512 without EDNS (RFC 1035), less than 512 means 512 (RFC 6891 section 6.2.3), 1232 at most (RFC 9715)."""
    asked = query() if payload is None else query(opt(payload=payload))
    room = limit - (0 if payload is None else OPT_SIZE)
    fits = rendered(asked, of_size(room))
    assert (len(fits), flags_of(fits) & TC) == (limit, 0)
    cut = rendered(asked, of_size(room + 1))
    assert (flags_of(cut) & TC, ttls(cut)[: 0 if payload is None else -1]) == (TC, [])
    assert cut[12:QUESTION_END] == QUESTION
    assert cut[QUESTION_END:] == (b"" if payload is None else opt())


def test_over_tcp_everything_fits() -> None:
    asked = query(opt(payload=512))
    made = rendered(asked, of_size(65_535 - OPT_SIZE), udp=False)
    assert (len(made), flags_of(made) & TC) == (65_535, 0)


@pytest.mark.parametrize("count", [255, 256, 300])
def test_counts_have_two_octets(count: int) -> None:
    """Those of an answer that is whole, and of one that is cut."""
    asked = query(opt())
    others = tuple(address(number % 256, owner=name(f"n{number}")) for number in range(count))
    kept = entry(answer_wire((address(1),), (), others))
    assert rendered(asked, kept, udp=False)[10:12] == (count + 1).to_bytes(2)
    large = entry(
        answer_wire((address(1),), (), (*others, record(b"\0", TXT, bytes(65_400 - len(kept.wire)))))
    )
    large.ede = edns.extended_error(22, "x" * 200)
    cut = rendered(asked, large, udp=False)
    assert (cut[10:12], error_codes(cut)) == ((count + 2).to_bytes(2), [])


def test_over_tcp_nothing_is_longer_than_its_length_can_say() -> None:
    made = rendered(query(opt()), of_size(65_535), udp=False)
    assert (len(made), flags_of(made) & TC) == (QUESTION_END + OPT_SIZE, TC)


def test_additional_records_go_without_a_word() -> None:
    """RFC 2181 section 9."""
    made = rendered(query(), of_size(513, additional=100))
    assert (len(made), flags_of(made) & TC, made[6:12]) == (413, 0, b"\0\1\0\0\0\0")


@pytest.mark.parametrize("kept_size", [1232 - OPT_SIZE - len(EDE) + 1, 1232 - OPT_SIZE])
def test_extended_errors_go_first(kept_size: int) -> None:
    """RFC 8914 section 3: no record is lost for the sake of one."""
    kept = of_size(kept_size)
    kept.ede = EDE
    made = rendered(query(opt()), kept)
    assert (len(made), flags_of(made) & TC, error_codes(made)) == (kept_size + OPT_SIZE, 0, [])
    whole = of_size(1232 - OPT_SIZE - len(EDE))
    whole.ede = EDE
    assert error_codes(rendered(query(opt()), whole)) == [22]


def test_ttls_are_aged_where_it_is_cut_too() -> None:
    kept = entry(answer_wire((address(1),), (), (record(TO_QUESTION, TXT, bytes(500)),)))
    assert ttls(rendered(query(), kept, age=100.0)) == [200]


def test_rendering_changes_nothing_that_is_kept() -> None:
    before = ONE.wire, ONE.ede, ONE.ttl_offsets
    for age in (0.0, 100.0, 400.0):
        rendered(query(opt(), asked=SPELLED), ONE, age=age)
    assert before == (ONE.wire, ONE.ede, ONE.ttl_offsets)
    assert rendered(query(), ONE) == query_wire()[:2] + b"\x81\x80" + ONE.wire[4:]
