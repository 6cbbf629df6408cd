"""fast(q) == slow(q) for every question after every history of stores, clock moves, flushes and generations.

Each question goes through `drain`, which remembers finished answers, through `ask`, which does not, and through a
naive reference that knows only what was stored and when, and composes with dnspython.
"""

from dataclasses import dataclass

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from smartdoh.cache.policy import Bounds, entry_of
from smartdoh.model import Query
from smartdoh.wire.names import from_text
from smartdoh.wire.question import parse_query
from tests.builds import COMPILED, PYTHON, fast_path
from tests.scenario.fast import forget_name
from tests.scenario.messages import answer_to, error_codes, question, soa
from tests.scenario.world import Clock, Datagrams

NAMES = ("example.com.", "www.example.com.", "a.www.example.com.", "notexample.com.")
HOSTS = {"127.0.0.1": 0, "127.0.0.2": 0, "127.0.0.3": 5}
TYPES = ("A", "TXT")
RECHECK, STALE_TTL = 30, 30

Key = tuple[str, str, bool, bool, int]  # name, type, DO, CD, view


@dataclass(frozen=True)
class Asked:
    """One question of a client."""

    name: str
    rdtype: str
    host: str
    id: int
    flags: frozenset[str]
    edns: bool
    do: bool
    payload: int
    spelling: int

    @property
    def key(self) -> Key:
        return self.name, self.rdtype, self.do, "CD" in self.flags, HOSTS[self.host]

    @property
    def wire(self) -> bytes:
        letters = (c.upper() if self.spelling >> at & 1 else c for at, c in enumerate(self.name))
        return question(
            "".join(letters),
            self.rdtype,
            id=self.id,
            flags=" ".join(self.flags),
            edns=self.edns,
            do=self.do,
            payload=self.payload,
        )

    @property
    def limit(self) -> int:
        return min(max(self.payload, 512), 1232) if self.edns or self.do else 512


ASKED = st.builds(
    Asked,
    name=st.sampled_from(NAMES),
    rdtype=st.sampled_from(TYPES),
    host=st.sampled_from(list(HOSTS)),
    id=st.sampled_from((0, 1, 0xFFFF)),
    flags=st.sampled_from(("RD", "RD", "RD", "RD CD", "RD AD", "", "CD AD")).map(
        lambda text: frozenset(text.split())
    ),
    edns=st.booleans(),
    do=st.booleans(),
    payload=st.sampled_from((0, 512, 600, 1232, 4096)),
    spelling=st.sampled_from((0, 0, 0, 1, 6, 0xFFFF)),
)


@dataclass
class Known:
    """What the reference knows of one stored answer."""

    answer: dns.message.Message
    stored: float
    expires: float
    stale_until: float
    refresh_at: float


class FastEqualsSlow(RuleBasedStateMachine):
    """The fast path beside a reference that is too simple to be wrong."""

    build = PYTHON

    @initialize(at_once=st.booleans())
    def start(self, at_once: bool) -> None:
        self.clock = Clock(0.0)
        self.at_once = at_once
        self.fast = fast_path(self.build)(
            entries=1000, view_of=HOSTS.get, clock=self.clock, stale_at_once=at_once
        )
        self.known: dict[Key, Known] = {}
        self.last = Asked(NAMES[0], "A", "127.0.0.1", 1, frozenset({"RD"}), False, False, 0, 0)

    @rule(
        asked=ASKED,
        ttl=st.sampled_from((1, 5, 5, 60, 300)),
        count=st.integers(1, 40),
        ad=st.booleans(),
        stale=st.sampled_from((0.0, 50.0, 1000.0)),
        prefetch=st.booleans(),
        is_no=st.booleans(),
    )
    def store(
        self, asked: Asked, ttl: int, count: int, ad: bool, stale: float, prefetch: bool, is_no: bool
    ) -> None:
        query = parse_query(asked.wire, HOSTS[asked.host], asked.host)
        rdata = "192.0.2.{}" if asked.rdtype == "A" else '"text number {}"'
        records = [
            f"{asked.name} {ttl + number % 2} {asked.rdtype} {rdata.format(number)}"
            for number in range(count)
        ]
        if is_no:
            said = answer_to(query, rcode="NXDOMAIN", authority=(soa("com.", ttl, ttl),), ad=ad)
        else:
            said = answer_to(query, *records, additional=("ns.example. 400 AAAA 2001:db8::1",), ad=ad)
        entry, lifetime = entry_of(query, said, Bounds(stale=stale, prefetch=prefetch), self.clock.now)
        assert lifetime == ttl
        self.fast.store(query.key, entry)
        expires = self.clock.now + ttl
        refresh_at = self.clock.now + ttl * (0.9 if prefetch else 1)
        parsed = dns.message.from_wire(entry.wire, one_rr_per_rrset=True)
        self.known[asked.key] = Known(parsed, self.clock.now, expires, expires + stale, refresh_at)
        self.last = asked

    @rule(seconds=st.sampled_from((0.25, 0.5, 1.0, 1.75, 4.0, 5.0, 29.75, 30.0, 55.0, 270.0, 1000.0)))
    def time_passes(self, seconds: float) -> None:
        self.clock.forward(seconds)

    @rule(edge=st.sampled_from(("refresh_at", "expires", "stale_until")))
    def an_edge_is_passed(self, edge: str) -> None:
        """The same packet just before something changes, and just when it does."""
        known = self.known.get(self.last.key)
        if known is not None and self.clock.now <= getattr(known, edge) - 0.25:
            self.clock.now = getattr(known, edge) - 0.25
            self.compare(self.last)
            self.clock.forward(0.25)
            self.compare(self.last)

    @rule(other=ASKED, everything=st.booleans())
    def a_new_generation(self, other: Asked, everything: bool) -> None:
        """What was asked in the old one is asked again, after something of the new one."""
        before = self.last
        self.compare(before)
        if everything:
            self.fast.flush()
        else:
            self.fast.next_generation()
        self.known.clear()
        self.store(other, 60, 1, False, 0.0, False, False)
        self.compare(other)
        self.compare(before)

    @rule(name=st.sampled_from((*NAMES, "com.", "other.")), below=st.booleans())
    def flush_by_name(self, name: str, below: bool) -> None:
        gone = [key for key in self.known if key[0] == name or (below and key[0].endswith("." + name))]
        forget_name(self.fast, from_text(name), below=below)
        for key in gone:
            del self.known[key]

    @rule(asked=ASKED)
    def forget(self, asked: Asked) -> None:
        self.fast.remove(parse_query(asked.wire, HOSTS[asked.host], asked.host).key)
        self.known.pop(asked.key, None)

    @rule(asked=ASKED)
    def ask(self, asked: Asked) -> None:
        self.compare(asked)

    @rule(id=st.integers(0, 0xFFFF))
    def ask_as_it_was_stored(self, id: int) -> None:  # noqa: A002
        self.compare(Asked(**{**vars(self.last), "id": id}))

    @rule(asked=ASKED, at=st.integers(2, 40), octet=st.integers(0, 255))
    def a_broken_packet_gets_the_same_both_ways(self, asked: Asked, at: int, octet: int) -> None:
        broken = bytearray(asked.wire)
        broken[at % len(broken)] = octet
        datagram, leftover = self.drain(bytes(broken), asked.host)
        streamed = self.fast.ask(bytes(broken), asked.host)
        self.fast.take_due()
        assert (leftover is None) != isinstance(streamed, Query)
        if isinstance(streamed, bytes) and len(streamed) <= 512:
            assert datagram == streamed
        self.forget_refreshes()

    def compare(self, asked: Asked) -> None:
        wanted, is_due = self.reference(asked)
        for time in range(2):
            datagram, leftover = self.drain(asked.wire, asked.host)
            assert len(self.fast.take_due()) == (is_due and time == 0)
            streamed = self.fast.ask(asked.wire, asked.host)
            assert self.fast.take_due() == []
            if wanted is None:
                assert datagram is None
                assert isinstance(streamed, Query)
                assert leftover == streamed
            else:
                assert isinstance(streamed, bytes)
                assert leftover is None
                self.check(asked, streamed, wanted)
                self.check_datagram(asked, datagram, streamed)

    def drain(self, wire: bytes, host: str) -> tuple[bytes | None, Query | None]:
        datagrams = Datagrams()
        datagrams.waiting.append((wire, (host, 5353)))
        misses = [query for query, _ in self.fast.drain(datagrams)]
        sent = [answer for answer, _ in datagrams.sent]
        assert len(sent) + len(misses) <= 1
        return (*sent, None)[0], (*misses, None)[0]

    def reference(self, asked: Asked) -> tuple[dns.message.Message | None, bool]:
        """What the client shall see, None for a miss; and whether a refresh falls due with it."""
        known, now = self.known.get(asked.key), self.clock.now
        if known is None or now >= known.stale_until:
            return None, False
        is_stale = now >= known.expires
        if is_stale and ("RD" not in asked.flags or not (self.at_once or now < known.refresh_at)):
            return None, False
        is_due = now >= known.refresh_at
        if is_due:
            known.refresh_at = now + RECHECK
        return self.compose(asked, known, is_stale=is_stale), is_due

    def compose(self, asked: Asked, known: Known, *, is_stale: bool) -> dns.message.Message:
        message = dns.message.from_wire(asked.wire)
        message.flags = dns.flags.QR | dns.flags.RA | message.flags & (dns.flags.RD | dns.flags.CD)
        if known.answer.flags & dns.flags.AD and (asked.do or "AD" in asked.flags):
            message.flags |= dns.flags.AD
        message.set_rcode(known.answer.rcode())
        passed = int(self.clock.now - known.stored)
        for ours, theirs in zip(message.sections[1:], known.answer.sections[1:], strict=True):
            for rrset in theirs:
                aged: dns.rrset.RRset = rrset.copy()  # type: ignore[no-untyped-call]
                aged.ttl = STALE_TTL if is_stale else max(0, rrset.ttl - passed)
                ours.append(aged)
        return message

    def check(self, asked: Asked, got: bytes, wanted: dns.message.Message) -> None:
        message = dns.message.from_wire(got, one_rr_per_rrset=True)
        assert got[12:].startswith(asked.wire[12 : asked.wire.index(0, 12) + 5]), "as the client spelled it"
        assert (message.id, message.flags) == (wanted.id, wanted.flags)
        assert message.rcode() == wanted.rcode()
        for ours, theirs in zip(message.sections[1:], wanted.sections[1:], strict=True):
            assert ours == theirs
            assert [rrset.ttl for rrset in ours] == [rrset.ttl for rrset in theirs]
        has_opt = asked.edns or asked.do
        assert message.edns == (0 if has_opt else -1)
        assert message.ednsflags == (dns.flags.DO if asked.do else 0)
        known = self.known[asked.key]
        is_stale = self.clock.now >= known.expires
        code = 19 if message.rcode() == dns.rcode.NXDOMAIN else 3
        assert error_codes(message) == ([code] if has_opt and is_stale else [])

    def check_datagram(self, asked: Asked, got: bytes | None, streamed: bytes) -> None:
        """The same octets where they fit; otherwise less of the same, and TC if what is missing was asked for."""
        assert got is not None
        if len(streamed) <= asked.limit:
            assert got == streamed
            return
        assert len(got) <= asked.limit
        cut = dns.message.from_wire(got, one_rr_per_rrset=True)
        whole = dns.message.from_wire(streamed, one_rr_per_rrset=True)
        is_short = len(cut.answer) < len(whole.answer)
        assert cut.answer == ([] if is_short else whole.answer)
        assert bool(cut.flags & dns.flags.TC) == is_short
        assert cut.flags & ~dns.flags.TC == whole.flags
        assert (cut.id, cut.edns, cut.rcode()) == (whole.id, whole.edns, whole.rcode())

    def forget_refreshes(self) -> None:
        """A broken packet may have asked for anything that is kept, and made its refresh due."""
        for known in self.known.values():
            if self.clock.now >= known.refresh_at:
                self.known = {}
                self.fast.flush()
                return


class CompiledEqualsSlow(FastEqualsSlow):
    """The same for the other build."""

    build = COMPILED


TestFastEqualsSlow = FastEqualsSlow.TestCase
TestFastEqualsSlow.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
TestCompiledEqualsSlow = CompiledEqualsSlow.TestCase
TestCompiledEqualsSlow.settings = TestFastEqualsSlow.settings
