"""What a hit gives: own id, own spelling, own bits, aged TTLs, stale ones, whole or cut; remembered answers too."""

from collections.abc import Iterator

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest

from smartdoh.cache.policy import Bounds
from smartdoh.wire.names import from_text
from tests.scenario.fast import Rig, forget_name, rig
from tests.scenario.messages import addresses, answer_to, error_codes, query, question, soa, ttls

pytestmark = pytest.mark.usefixtures("build")

WWW = "www.example.com."
A = f"{WWW} 300 A 192.0.2.1"
B = f"{WWW} 300 A 192.0.2.2"
QUIET = Bounds(prefetch=False)
MANY = tuple(f"{WWW} 300 A 192.0.2.{number}" for number in range(1, 201))


@pytest.fixture
def fast(build: object) -> Iterator[Rig]:
    with rig() as made:
        yield made


# What is patched


def test_the_same_packet_again_gets_the_same_answer_with_its_own_id(fast: Rig) -> None:
    fast.store(question(), A)
    first = fast.ask(question(id=1)).to_wire()
    second = fast.ask(question(id=0xFFFF)).to_wire()
    assert (first[:2], second[:2]) == (b"\0\1", b"\xff\xff")
    assert first[2:] == second[2:]


@pytest.mark.parametrize("spelling", ["www.example.com.", "WWW.EXAMPLE.COM.", "wWw.eXaMpLe.CoM."])
def test_the_question_comes_back_octet_for_octet(fast: Rig, spelling: str) -> None:
    fast.store(question(), A)
    for _ in range(2):
        wire = question(spelling)
        fast.drain(wire)
        (answer,) = fast.answers()
        assert answer[12 : len(wire)] == wire[12:]


@pytest.mark.parametrize("flags", ["", "RD", "RD AD", "AD"])
@pytest.mark.parametrize("do", [False, True])
@pytest.mark.parametrize("ad", [False, True])
def test_rd_is_the_client_s_and_ad_is_for_those_who_want_it(
    fast: Rig, flags: str, do: bool, ad: bool
) -> None:
    fast.store(question(do=do), A, ad=ad)
    for _ in range(2):
        answer = fast.ask(question(flags=flags, do=do))
        told = dns.flags.to_text(answer.flags).split()
        assert ("RD" in told) == ("RD" in flags)
        assert ("AD" in told) == (ad and (do or "AD" in flags)), "RFC 6840 section 5.8"
        assert "QR" in told
        assert "RA" in told
        assert "AA" not in told


def test_an_answer_for_cd_or_do_is_for_no_other(fast: Rig) -> None:
    fast.store(question(flags="RD CD"), A)
    assert fast.ask(question(flags="RD CD")).flags & dns.flags.CD
    assert fast.misses(question())
    assert fast.misses(question(flags="RD CD", do=True))
    fast.store(question(do=True), A)
    assert fast.ask(question(do=True)).ednsflags == dns.flags.DO
    assert fast.misses(question(edns=True))


@pytest.mark.parametrize(
    "other", [("www.example.com.", "AAAA"), ("ww.example.com.", "A"), ("example.com.", "A")]
)
def test_an_answer_is_for_its_name_and_type_alone(fast: Rig, other: tuple[str, str]) -> None:
    fast.store(question(), A)
    assert fast.misses(question(*other))


def test_type_65_is_not_type_97(fast: Rig) -> None:
    """Only the name's letters fold; 65 is an A and 97 an a."""
    fast.store(question(rdtype="TYPE65"), f"{WWW} 300 TYPE65 \\# 3 000100")
    assert not fast.misses(question(rdtype="TYPE65"))
    assert fast.misses(question(rdtype="TYPE97"))


def test_an_answer_of_one_class_is_not_given_in_another(fast: Rig) -> None:
    fast.store(question(), A)
    assert fast.misses(question(rdclass="CH"))


def test_views_share_nothing() -> None:
    with rig(view_of=lambda host: {"127.0.0.1": 1, "127.0.0.2": 2}[host]) as made:
        made.store(question(), A, view=1)
        assert addresses(made.ask(question())) == ["192.0.2.1"]
        made.store(question(), B, view=2)
        for _ in range(2):
            assert addresses(made.ask(question())) == ["192.0.2.1"]
            other = made.fast.ask(question(), "127.0.0.2")
            assert isinstance(other, bytes)
            assert addresses(dns.message.from_wire(other)) == ["192.0.2.2"]


@pytest.mark.parametrize("edns", [False, True])
def test_opt_is_for_those_who_sent_one(fast: Rig, edns: bool) -> None:
    fast.store(question(), A)
    for _ in range(2):
        answer = fast.ask(question(edns=edns))
        assert answer.edns == (0 if edns else -1)
        if edns:
            assert answer.payload == 1232


def test_options_in_the_question_change_nothing_in_the_answer(fast: Rig) -> None:
    fast.store(question(), A)
    cookie = dns.edns.GenericOption("COOKIE", b"12345678")
    answer = fast.ask(question(options=(cookie,)))
    assert addresses(answer) == ["192.0.2.1"]
    assert answer.options == ()


def test_every_section_passes_through(fast: Rig) -> None:
    records = (
        f"{WWW} 300 CNAME r.example.com.",
        "r.example.com. 300 A 192.0.2.1",
        "r.example.com. 300 TYPE999 \\# 2 abcd",
    )
    authority, additional = (
        ("example.com. 300 NS ns.example.com.",),
        ("ns.example.com. 300 AAAA 2001:db8::1",),
    )
    fast.store(question(), *records, authority=authority, additional=additional)
    wanted = dns.message.from_wire(
        answer_to(query(), *records, authority=authority, additional=additional).wire
    )
    answer = fast.ask(question(edns=True))
    assert (answer.answer, answer.authority, answer.additional) == (
        wanted.answer,
        wanted.authority,
        wanted.additional,
    )


# Time


def test_ttls_age_by_whole_seconds(fast: Rig) -> None:
    fast.store(
        question(), A, f"{WWW} 300 A 192.0.2.9", additional=("x.example.com. 400 A 192.0.2.3",), bounds=QUIET
    )
    for passed, left in ((0.0, 0), (0.999, 0), (0.001, 1), (0.5, 1), (0.5, 2), (97.9, 99), (200.0, 299)):
        fast.clock.forward(passed)
        for number in range(2):
            answer = fast.ask(question(id=number))
            assert [section.ttl for section in answer.answer] == [300 - left]
            assert answer.additional[0].ttl == 400 - left


def test_a_fresh_answer_never_has_ttl_0(fast: Rig) -> None:
    fast.store(question(), f"{WWW} 2 A 192.0.2.1", bounds=Bounds(stale=0.0))
    fast.clock.forward(1.999)
    assert ttls(fast.ask(question())) == [1]
    fast.clock.forward(0.001)
    assert fast.misses(question())


def test_another_answer_ends_the_old_one_at_once(fast: Rig) -> None:
    """Remembered or not, in whatever spelling and form it was asked for."""
    forms = [question(), question("WWW.example.com."), question(edns=True), question(flags="RD AD")]
    fast.store(question(), A)
    for wire in forms * 2:
        assert addresses(fast.ask(wire)) == ["192.0.2.1"]
    fast.store(question(), B)
    for wire in forms * 2:
        assert addresses(fast.ask(wire)) == ["192.0.2.2"]


def test_more_spellings_than_are_remembered_all_end(fast: Rig) -> None:
    """Of 40 spellings remembered within one second not one may outlive its answer."""
    spellings = [
        "".join(c.upper() if bits >> at & 1 else c for at, c in enumerate("exampl")) for bits in range(40)
    ]
    wires = [question(f"{spelling}.com.") for spelling in spellings]
    fast.store(wires[0], "exampl.com. 300 A 192.0.2.1")
    for wire in wires:
        fast.ask(wire)
    fast.store(wires[0], "exampl.com. 300 A 192.0.2.2")
    for wire in wires:
        assert addresses(fast.ask(wire)) == ["192.0.2.2"]


@pytest.mark.parametrize("how", ["flush", "generation", "name", "below", "forget"])
def test_what_was_forgotten_is_not_given_again(fast: Rig, how: str) -> None:
    fast.store(question(), A)
    fast.ask(question())
    fast.ask(question())
    name = from_text("www.example.com")
    if how == "flush":
        assert fast.fast.flush() == 1
    elif how == "generation":
        fast.fast.next_generation()
    elif how == "name":
        assert forget_name(fast.fast, name) == 1
    elif how == "below":
        assert forget_name(fast.fast, from_text("com"), below=True) == 1
    else:
        fast.fast.remove(query().key)
    assert fast.misses(question())
    assert fast.fast.peek(query().key) is None
    fast.store(question(), B)
    assert addresses(fast.ask(question())) == ["192.0.2.2"]


def test_a_flush_by_name_takes_that_name_alone(fast: Rig) -> None:
    names = ["example.com.", "www.example.com.", "notexample.com.", "a.b.example.com.", "com."]

    def known() -> list[str]:
        return [name for name in names if not fast.misses(question(name))]

    for name in names:
        fast.store(question(name), f"{name} 300 A 192.0.2.1")
        fast.store(question(name, "AAAA", do=True), f"{name} 300 AAAA 2001:db8::1")
    assert forget_name(fast.fast, from_text("example.com")) == 2
    assert known() == ["www.example.com.", "notexample.com.", "a.b.example.com.", "com."]
    assert forget_name(fast.fast, from_text("b.example.com"), below=True) == 2
    assert known() == ["www.example.com.", "notexample.com.", "com."]
    assert forget_name(fast.fast, from_text("nothing.example"), below=True) == 0
    assert forget_name(fast.fast, from_text("."), below=True) == 6
    assert known() == []


def test_a_label_that_ends_in_the_octets_of_a_name_is_not_below_it(fast: Rig) -> None:
    """x\\003com is one label: the border is the label's, not the string's."""
    odd = "a\\003com."
    fast.store(question(odd), f"{odd} 300 A 192.0.2.1")
    assert forget_name(fast.fast, b"\x03com\0", below=True) == 0
    assert not fast.misses(question(odd))


def test_a_generation_makes_all_kept_answers_misses_until_stored_again(fast: Rig) -> None:
    entry = fast.store(question(), A)
    fast.fast.next_generation()
    assert fast.misses(question())
    fast.fast.store(query().key, entry)
    assert not fast.misses(question())


# Stale and refresh


def test_stale_answers_have_30_seconds_and_say_so(fast: Rig) -> None:
    fast.store(question(), A)
    fast.clock.forward(300)
    for _ in range(2):
        answer = fast.ask(question(edns=True))
        assert ttls(answer) == [30]
        assert error_codes(answer) == [3]
        assert ttls(fast.ask(question())) == [30]


def test_a_stale_nxdomain_has_its_own_code(fast: Rig) -> None:
    fast.store(question(), rcode="NXDOMAIN", authority=(soa("example.com.", 60, 60),))
    fast.clock.forward(60)
    assert error_codes(fast.ask(question(edns=True))) == [19]


@pytest.mark.parametrize(("flags", "given"), [("RD", True), ("RD AD", True), ("", False), ("AD", False)])
def test_stale_is_for_rd_alone(fast: Rig, flags: str, given: bool) -> None:
    fast.store(question(), A)
    fast.clock.forward(301)
    assert fast.misses(question(flags=flags)) is not given


def test_stale_is_not_given_at_once_where_clients_wait_first() -> None:
    with rig(stale_at_once=False) as made:
        made.store(question(), A)
        made.clock.forward(301)
        assert made.misses(question())
        assert made.fast.peek(query().key) is not None


def test_stale_ends(fast: Rig) -> None:
    fast.store(question(), A, bounds=Bounds(stale=100.0))
    fast.clock.forward(399.999)
    assert not fast.misses(question())
    fast.clock.forward(0.001)
    assert fast.misses(question())


def due(fast: Rig, wire: bytes) -> int:
    fast.ask(wire)
    return len(fast.fast.take_due())


def test_a_refresh_is_due_once_in_30_seconds(fast: Rig) -> None:
    fast.store(question(), A)
    fast.clock.forward(269.999)
    assert due(fast, question()) == 0
    fast.clock.forward(0.001)
    assert [due(fast, question(spelling)) for spelling in ("WWW.example.com.", WWW, WWW)] == [1, 0, 0]
    fast.clock.forward(29.999)
    assert due(fast, question()) == 0
    fast.clock.forward(0.001)
    assert [due(fast, question()) for _ in range(3)] == [1, 0, 0], "now it is stale"
    fast.clock.forward(30)
    assert due(fast, question()) == 1


def test_a_remembered_answer_does_not_hide_that_a_refresh_is_due(fast: Rig) -> None:
    fast.store(question(), f"{WWW} 5 A 192.0.2.1")
    fast.clock.forward(4.25)
    assert due(fast, question()) == 0
    fast.clock.forward(0.25)
    assert due(fast, question()) == 1


def test_over_tcp_a_refresh_is_due_as_well(fast: Rig) -> None:
    fast.store(question(), A)
    fast.clock.forward(280)
    fast.fast.ask(question(), "127.0.0.1")
    assert [found.name for found in fast.fast.take_due()] == [from_text("www.example.com")]
    assert fast.fast.take_due() == []


def test_without_prefetch_nothing_is_due_before_the_end(fast: Rig) -> None:
    fast.store(question(), A, bounds=QUIET)
    fast.clock.forward(299.999)
    assert due(fast, question()) == 0
    fast.clock.forward(0.001)
    assert due(fast, question()) == 1


def test_a_client_without_rd_makes_nothing_due_once_it_is_stale(fast: Rig) -> None:
    fast.store(question(), A)
    fast.clock.forward(301)
    assert fast.misses(question(flags=""))
    assert fast.fast.take_due() == []


# Size


@pytest.mark.parametrize(
    ("form", "limit"),
    [
        ({}, 512),
        ({"edns": True, "payload": 512}, 512),
        ({"edns": True, "payload": 0}, 512),
        ({"edns": True, "payload": 511}, 512),
        ({"edns": True, "payload": 900}, 900),
        ({"edns": True, "payload": 1232}, 1232),
        ({"edns": True, "payload": 4096}, 1232),
        ({"edns": True, "payload": 65535}, 1232),
    ],
)
def test_an_answer_over_udp_is_cut_to_what_the_client_takes(
    fast: Rig, form: dict[str, int], limit: int
) -> None:
    fast.store(question(), *MANY)
    for _ in range(2):
        wire = question(**form)  # type: ignore[arg-type]
        fast.drain(wire)
        (answer,) = fast.answers()
        assert len(answer) <= limit
        message = dns.message.from_wire(answer)
        assert message.flags & dns.flags.TC
        assert message.answer == [], "an RRset comes whole or not at all (RFC 2181 section 9)"
        assert (message.edns == 0) == ("edns" in form)
        whole = fast.fast.ask(wire, "127.0.0.1")
        assert isinstance(whole, bytes)
        assert len(addresses(dns.message.from_wire(whole))) == 200


def test_whole_rrsets_stay(fast: Rig) -> None:
    fast.store(
        question(),
        f"{WWW} 300 CNAME r.example.com.",
        *(f"r.example.com. 300 A 192.0.2.{n}" for n in range(100)),
    )
    answer = fast.ask(question())
    assert [section.rdtype for section in answer.answer] == [dns.rdatatype.CNAME]
    assert answer.flags & dns.flags.TC


def test_losing_additional_records_alone_is_no_truncation(fast: Rig) -> None:
    extra = tuple(f"example.com. 300 A 192.0.2.{number}" for number in range(60))
    fast.store(question(), A, additional=extra)
    answer = fast.ask(question())
    assert addresses(answer) == ["192.0.2.1"]
    assert not answer.additional
    assert not answer.flags & dns.flags.TC


def test_the_client_s_size_is_never_kept(fast: Rig) -> None:
    few = tuple(f"{WWW} 300 A 192.0.2.{number}" for number in range(1, 41))
    fast.store(question(), *few)
    assert fast.ask(question()).flags & dns.flags.TC
    assert len(addresses(fast.ask(question(edns=True)))) == 40
    assert fast.ask(question()).flags & dns.flags.TC


def test_an_extended_error_goes_before_records_do(fast: Rig) -> None:
    """RFC 8914 section 3: an answer that would fit without it comes whole."""
    records = [f"{WWW} 300 TXT {'a' * 250}", f"{WWW} 300 TXT {'b' * 250}", f"{WWW} 300 TXT {'c' * 90}"]
    fast.store(question(rdtype="TXT"), *records, bounds=QUIET)
    size = len(answer_to(query(rdtype="TXT"), *records).wire) + 11
    assert size > 512
    fast.clock.forward(301)
    snug = fast.ask(question(rdtype="TXT", edns=True, payload=size))
    assert len(snug.answer[0]) == 3
    assert error_codes(snug) == []
    assert error_codes(fast.ask(question(rdtype="TXT", edns=True, payload=size + 6))) == [3]


def test_over_tcp_64_kilobytes_come_whole(fast: Rig) -> None:
    records = [f"{WWW} 300 TXT " + " ".join(f'"{number:03d}{"x" * 250}"' for number in range(250))]
    fast.store(question(rdtype="TXT"), *records)
    answer = fast.fast.ask(question(rdtype="TXT", edns=True), "127.0.0.1")
    assert isinstance(answer, bytes)
    assert len(answer) > 63_000
    assert not dns.message.from_wire(answer).flags & dns.flags.TC
