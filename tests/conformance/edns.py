"""EDNS between client and server: the OPT record, its options, and what of them may go upstream."""

import dns.edns
import dns.flags

from tests.conformance.messages import (
    BADVERS,
    COOKIE,
    ECS,
    FORMERR,
    KEEPALIVE,
    NOERROR,
    PADDING,
    RCODE,
    Answer,
    header,
    opt,
    option,
    query,
    question,
)
from tests.conformance.script import Asked, Said, reply_to
from tests.conformance.world import NotApplicable, World

UNKNOWN = 65_001
CLIENT_COOKIE = bytes(range(1, 9))
SUBNET = b"\0\1\x18\0\xcb\0\x71"  # IPv4, /24, 203.0.113.0
OPT_OUT = b"\0\1\0\0"  # IPv4, /0: do not tell of me
BLOCK = 128  # octets, RFC 8467 section 4.1
TCP_IDLE = 10.0  # seconds, the default of the server under test; others are asked for more than nothing


def upstream_options(asked: Asked) -> set[int]:
    """The codes of the options that reached the upstream."""
    return {int(one.otype) for one in asked.query.options}


def opt_comes_back(world: World) -> None:
    """Exactly where one was sent: to data, to an error, fresh and from the cache."""
    for name in (world.name(), "localhost."):
        for edns in (b"", opt(), b"", opt()):
            answer = world.ask_name(name, edns=edns)
            assert answer.has_opt == bool(edns), "OPT came back" if answer.has_opt else "no OPT"


def refusals_have_opt(world: World) -> None:
    """FORMERR to a query with a sound OPT record has one (section 6.1.1)."""
    two = header(counts=(2, 0, 0, 1)) + question("one.example.") + question("two.example.") + opt()
    assert world.ask(two).has_opt, "FORMERR without OPT"


def opt_is_not_forwarded(world: World) -> None:
    """What the client's OPT record holds stays here; what the upstream's holds, too."""
    name = world.name()

    def say(asked: Asked) -> Said:
        answer = reply_to(asked, "@ 300 A 203.0.113.7")
        answer.use_edns(
            0, 0, 4000, options=[dns.edns.GenericOption(dns.edns.OptionType.make(UNKNOWN), b"upstream")]
        )
        return answer

    world.script.says(name, say)
    for _ in range(2):
        answer = world.ask_name(name, edns=opt(777, options=option(UNKNOWN, b"client")))
        assert not answer.options(UNKNOWN), "an option came through from upstream"
        assert answer.message.payload != 4000, "the upstream's payload size came through"
    for asked in world.script.asked(name):
        assert UNKNOWN not in upstream_options(asked), "the client's option was forwarded"
        assert asked.query.payload != 777, "the client's payload size was forwarded"


def opt_is_not_cached(world: World) -> None:
    """One who has no EDNS gets no OPT from what another brought, and the other way round."""
    for first, second in ((opt(), b""), (b"", opt())):
        name = world.name()
        world.ask_name(name, edns=first)
        assert world.ask_name(name, edns=second).has_opt == bool(second)


def newer_versions(world: World) -> None:
    """BADVERS, in version 0, without data."""
    for version in (1, 2, 255):
        answer = world.ask_name(world.name(), edns=opt(version=version))
        assert answer.rcode == BADVERS, f"version {version}: rcode {answer.rcode}"
        assert answer.message.edns == 0, f"it answers in version {answer.message.edns}"
        assert not answer.message.answer, "with data"


def unknown_options(world: World) -> None:
    """Neither an error nor an echo."""
    for data in (b"", b"whatever", bytes(200)):
        answer = world.ask_name(world.name(), edns=opt(options=option(UNKNOWN, data)))
        assert answer.rcode == NOERROR, f"rcode {answer.rcode}"
        assert not answer.options(UNKNOWN), "echoed"


def unknown_edns_flags(world: World) -> None:
    """All but DO: ignored, and zero in the answer."""
    answer = world.ask_name(world.name(), edns=opt(flags=0x7FFF))
    assert answer.rcode == NOERROR, f"rcode {answer.rcode}"
    assert not answer.message.ednsflags & 0x7FFF, f"flags {answer.message.ednsflags:#x}"


def two_opt_records(world: World) -> None:
    """FORMERR, and so is one that is not the root's."""
    twice = header(counts=(1, 0, 0, 2)) + question("one.example.") + opt() + opt()
    owned = header(counts=(1, 0, 0, 1)) + question("one.example.") + opt(owner=b"\1a\0")
    for kind, wire in (("two", twice), ("owned by a.", owned)):
        answer = world.ask(wire)
        assert answer.flags & RCODE == FORMERR, f"{kind}: rcode {answer.flags & RCODE}"


def padding_upstream(world: World) -> None:
    """What goes over TLS says little by its length."""
    for label in ("p", "padding" * 5):
        name = world.name(label)
        world.needs_doh()
        world.ask_name(name)
        sizes = {len(one.wire) % BLOCK for one in world.script.asked(name)}
        assert sizes == {0}, f"{sizes} octets over a multiple of {BLOCK}"


def no_padding_in_clear(world: World) -> None:
    """On clear UDP and TCP no answer is padded, whoever asks for it and whatever came from upstream."""
    name = world.name()

    def say(asked: Asked) -> Said:
        answer = reply_to(asked, "@ 300 A 203.0.113.7")
        answer.use_edns(0, 0, 1232, options=[dns.edns.GenericOption(dns.edns.OptionType.PADDING, bytes(64))])
        return answer

    world.script.says(name, say)
    asked = query(name, edns=opt(options=option(PADDING, bytes(40))))
    for answer in (world.ask(asked), world.ask(asked), world.ask_tcp(asked)):
        assert not answer.options(PADDING), "padded"


def subnet_is_not_added(world: World) -> None:
    """Nobody is told where the client is, whether it speaks of that or not."""
    for sent in (b"", opt(), opt(options=option(ECS, SUBNET)), opt(options=option(ECS, OPT_OUT))):
        name = world.name()
        answer = world.ask_name(name, edns=sent)
        assert answer.rcode == NOERROR, f"rcode {answer.rcode}"
        for asked in world.script.asked(name):
            for item in asked.query.options:
                is_told = isinstance(item, dns.edns.ECSOption) and item.srclen
                assert not is_told, "a client's subnet was sent upstream"


def subnet_answers_are_for_all(world: World) -> None:
    """As none is sent, an answer is good for every client: the next one gets it from the cache."""
    name = world.name()
    world.ask_name(name, edns=opt(options=option(ECS, SUBNET)))
    world.ask_name(name, edns=opt(options=option(ECS, OPT_OUT)))
    world.ask_name(name)
    assert len(world.script.asked(name)) == 1, "asked again for another client"


def subnet_refused(world: World) -> None:
    """An upstream that refuses ECS is not one for which a client goes without an answer (section 7.1.3)."""
    name = world.name()

    def say(asked: Asked) -> Said:
        if ECS in upstream_options(asked):
            return reply_to(asked, rcode="REFUSED")
        return reply_to(asked, "@ 300 A 203.0.113.7")

    world.script.says(name, say)
    assert world.ask_name(name, edns=opt(options=option(ECS, SUBNET))).rcode == NOERROR


def keepalive_on_udp(world: World) -> None:
    """It means nothing there."""
    answer = world.ask_name(world.name(), edns=opt(options=option(KEEPALIVE)))
    assert answer.rcode == NOERROR, f"rcode {answer.rcode}"
    assert not answer.options(KEEPALIVE), "answered over UDP"


def keepalive_on_tcp(world: World) -> None:
    """The time-out, in tenths of a second, to those who ask for it; nothing to those who do not."""
    name = world.name()
    told = world.ask_tcp(query(name, edns=opt(options=option(KEEPALIVE)))).options(KEEPALIVE)
    assert [len(data) for data in told] == [2], "no time-out in the answer"
    tenths = int.from_bytes(told[0])
    if world.kind == "smartdoh":
        assert tenths == TCP_IDLE * 10, f"{tenths / 10} s, and not the real one"
    assert not world.ask_tcp(query(name, edns=opt())).options(KEEPALIVE), "told to one who did not ask"


def keepalive_stays_here(world: World) -> None:
    """It is about this connection and no other."""
    name = world.name()
    world.ask_tcp(query(name, edns=opt(options=option(KEEPALIVE))))
    assert all(KEEPALIVE not in upstream_options(one) for one in world.script.asked(name)), "forwarded"


def malformed_cookies(world: World) -> None:
    """A cookie has 8, or 16 to 40 octets."""
    for length in (0, 7, 9, 15, 41):
        answer = world.ask_name(world.name(), edns=opt(options=option(COOKIE, bytes(length))))
        assert answer.rcode == FORMERR, f"{length} octets: rcode {answer.rcode}"


def _cookie_of(answer: Answer) -> bytes:
    found = answer.options(COOKIE)
    assert len(found) == 1, "no cookie in the answer"
    return found[0]


def server_cookies(world: World) -> None:
    """The client's own and a server's of 16 octets, version 1, as RFC 9018 section 4 has it; then it is taken."""
    name = world.name()
    cookie = _cookie_of(world.ask_name(name, edns=opt(options=option(COOKIE, CLIENT_COOKIE))))
    assert cookie[:8] == CLIENT_COOKIE, "another client's cookie"
    assert len(cookie) == 24, f"a server cookie of {len(cookie) - 8} octets"
    assert cookie[8] == 1, f"version {cookie[8]}"
    answer = world.ask_name(name, edns=opt(options=option(COOKIE, cookie)))
    assert answer.rcode == NOERROR, f"its own cookie: rcode {answer.rcode}"
    assert _cookie_of(answer)[:8] == CLIENT_COOKIE


def cookie_alone(world: World) -> None:
    """A query without a question asks for a cookie, and gets one (RFC 7873 section 5.4)."""
    wire = header(counts=(0, 0, 0, 1)) + opt(options=option(COOKIE, CLIENT_COOKIE))
    answer = world.ask(wire)
    assert answer.rcode == NOERROR, f"rcode {answer.rcode}"
    _cookie_of(answer)


def cookies_stay_here(world: World) -> None:
    """The client's cookie is for this server alone."""
    name = world.name()
    world.ask_name(name, edns=opt(options=option(COOKIE, CLIENT_COOKIE)))
    for one in world.script.asked(name):
        assert CLIENT_COOKIE not in one.wire, "the client's cookie was forwarded"


def cookies_where_there_are_none(world: World) -> None:
    """One who sends none gets none."""
    if world.kind != "smartdoh":
        raise NotApplicable("told by the other checks")
    assert not world.ask_name(world.name(), edns=opt()).options(COOKIE)


CHECKS = {
    "opt-presence": (opt_comes_back, refusals_have_opt),
    "opt-hop-by-hop": (opt_is_not_forwarded, opt_is_not_cached),
    "edns-version": (newer_versions,),
    "unknown-options": (unknown_options, unknown_edns_flags),
    "opt-form": (two_opt_records,),
    "keepalive": (keepalive_on_udp, keepalive_on_tcp, keepalive_stays_here),
    "padding": (padding_upstream, no_padding_in_clear),
    "client-subnet": (subnet_is_not_added, subnet_answers_are_for_all, subnet_refused),
    "cookies": (
        malformed_cookies,
        server_cookies,
        cookie_alone,
        cookies_stay_here,
        cookies_where_there_are_none,
    ),
}
