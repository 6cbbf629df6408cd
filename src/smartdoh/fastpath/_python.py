"""The fast path in Python, and the specification of its compiled twin.

How it works. A packet equal, but for its id, to one that was answered within the current second of its answer's TTL
is answered from a dict: the datagram without its id is the key, the finished answer without its id the value. That
is sound because every check was made on those very octets, and an answer changes only when its TTLs age, it
expires, its refresh falls due or another takes its place, and each of these ends the value. Any other packet is
parsed, judged and looked up in the table; a hit there is rendered and remembered. What is left are misses.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import compress

from smartdoh.fastpath.cookies import Cookies
from smartdoh.fastpath.counts import KINDS, TCP, UDP, answered, kind_of, totals
from smartdoh.fastpath.entry import Entry, Rendered, render
from smartdoh.fastpath.judge import is_proven, judge, over_limit, refusal
from smartdoh.fastpath.latency import Waits
from smartdoh.fastpath.limits import Limits, Verdict
from smartdoh.fastpath.log import NOTHING_TAKEN, Log, Taken
from smartdoh.fastpath.surface import (
    KNOWN_CLIENTS,
    MAX_QUERY,
    NO_TIMEOUT,
    OCTETS_PER_ENTRY,
    RECHECK,
    REFUSALS,
    STREAM_OUT,
    TURN,
    Address,
    Clock,
    Datagrams,
    Sets,
    Statistics,
    ViewOf,
)
from smartdoh.fastpath.table import Table
from smartdoh.model import Query
from smartdoh.outcome import HIT, REFUSED, STALE
from smartdoh.wire.codes import HEADER, QR, RD
from smartdoh.wire.codes import REFUSED as RCODE_REFUSED

REMEMBERED = 16_384  # finished answers kept for each view
FORMS = 16  # spellings of one question that are remembered at a time
QR_BIT = QR >> 8  # in the third octet of a message
UNKNOWN = -1  # the view of a client that was not heard of yet

_NOBODY: dict[str, dict[bytes, Rendered]] = {}
"""Instead of the clients for whom answers are remembered, where every question has to be looked at."""


class FastPath:
    """The kept answers, and everything that is answered from them alone."""

    def __init__(
        self,
        *,
        entries: int,
        view_of: ViewOf,
        clock: Clock,
        stale_at_once: bool = True,
        octets: int | None = None,
        sets: Sets | None = None,
    ) -> None:
        """`entries` bounds the table; `stale_at_once` is whether a stale answer is given without asking first.

        `sets` are what `view_of` goes by, asked for anew with each generation; without them `view_of` is asked of
        every client.
        """
        self._table = Table(entries, octets or entries * OCTETS_PER_ENTRY)
        self._view_of = view_of
        self._clock = clock
        self._stale_at_once = stale_at_once
        self._generation = 0
        self._flushed_at = 0
        self._remembered: dict[int, dict[bytes, Rendered]] = {}
        self._clients: dict[str, dict[bytes, Rendered]] = {}
        self._views: dict[str, int | None] = {}
        self._due: list[Query] = []
        self._limits: Limits | None = None
        self._limit = (0, 0)
        self._cookies: Cookies | None = None
        self._log: Log | None = None
        self._is_plain = True  # neither limits nor a log: a remembered answer needs no look at its question
        self._refusals = REFUSALS
        self._refusals_at = clock()
        self._counts = Statistics()
        self._answered = [0] * KINDS
        self._waits = Waits()

    # What the listeners call

    def drain(self, sock: Datagrams) -> list[tuple[Query, Address]]:
        """Read up to 64 datagrams, answer what can be answered at once, return the misses with their senders."""
        misses: list[tuple[Query, Address]] = []
        now = self._clock()
        clients = self._clients if self._is_plain else _NOBODY
        counts = self._answered
        receive, send = sock.recvfrom, sock.sendto
        for _ in range(TURN):
            try:
                wire, address = receive(MAX_QUERY)
            except OSError:  # nothing left, or a report about an earlier answer that nobody took
                break
            remembered = clients.get(address[0])
            if remembered is not None:
                known = remembered.get(wire[2:])
                if known is not None and known.until > now:
                    counts[known.kind] += 1
                    try:
                        send(wire[:2] + known.tail, address)
                    except OSError:
                        self._counts.unsent += 1
                    continue
            answer = self._ask(wire, address[0], now, udp=True)
            if answer is None:
                continue
            if isinstance(answer, Query):
                misses.append((answer, address))
                continue
            try:
                send(answer, address)
            except OSError:
                self._counts.unsent += 1
        return misses

    def ask(self, wire: bytes, host: str, timeout: int = NO_TIMEOUT) -> bytes | Query | None:
        """One message that came over a stream: its answer, or the miss it is, or None where it gets nothing.

        `timeout` is what a client that wants to know is told of how long the stream may be idle, in units of 100 ms
        (RFC 7828): 0 that it had better end, NO_TIMEOUT nothing.
        """
        return self._ask(wire, host, self._clock(), timeout, udp=False)

    def ask_stream(
        self, buffer: bytearray, host: str, timeout: int = NO_TIMEOUT
    ) -> tuple[bytes, list[Query], int]:
        """Up to 64 messages of a stream, each behind its length (RFC 1035 section 4.2.2); `timeout` as in `ask`.

        Returns the answers in the same form, the misses, and how many octets of `buffer` were read.
        """
        out, misses, at, now = bytearray(), list[Query](), 0, self._clock()
        for _ in range(TURN):
            end = at + 2 + (buffer[at] << 8 | buffer[at + 1]) if len(buffer) >= at + 2 else len(buffer) + 1
            if end > len(buffer) or len(out) >= STREAM_OUT:
                break
            answer = self._ask(bytes(buffer[at + 2 : end]), host, now, timeout, udp=False)
            at = end
            if isinstance(answer, Query):
                misses.append(answer)
            elif answer is not None:
                out += len(answer).to_bytes(2) + answer
        return bytes(out), misses, at

    def take_due(self) -> list[Query]:
        """The questions whose entries want a refresh now, each once in 30 s."""
        due = self._due
        if due:
            self._due = []
        return due

    def render(self, query: Query, entry: Entry, *, udp: bool) -> bytes:
        """The whole answer to `query` from `entry`, kept or not."""
        return query.wire[:2] + render(query, entry, self._clock(), udp=udp)

    # What the settings change

    def limit(self, rate: int, burst: int) -> None:
        """From now on each client may ask `rate` questions a second over UDP, `burst` at once; a rate of 0: any.

        A sound question over the limit gets a truncated answer every second time, or BADCOOKIE where its client uses
        cookies. One with a good cookie of ours is not counted. What is set again stays as it is.
        """
        if (rate, burst) != self._limit:
            self._limit = rate, burst
            self._limits = Limits(rate, burst) if rate else None
            self._is_plain = self._limits is None and self._log is None

    def use_cookies(self, cookies: Cookies | None) -> None:
        """From now on clients that send a cookie get one of these back (RFC 7873); None: as if there were no such."""
        self._cookies = cookies
        self._forget_rendered()

    def log(self, capacity: int, every: int = 1) -> None:
        """From now on keep records of what the table answers, at most so many until they are taken; 0: none.

        Of `every` so many one is kept. What was kept is gone, unless the capacity is the same as before.
        """
        if capacity != (self._log.capacity if self._log is not None else 0):
            self._log = Log(capacity) if capacity else None
            self._is_plain = self._limits is None and self._log is None
        if self._log is not None:
            self._log.every = every

    def take_log(self) -> Taken:
        """The records since the last time."""
        return NOTHING_TAKEN if self._log is None else self._log.take()

    # What the spine calls

    @property
    def generation(self) -> int:
        """The number of the policy in force: what was stored under another one is a miss."""
        return self._generation

    def store(self, key: bytes, entry: Entry, generation: int | None = None) -> None:
        """Keep an answer in place of what was there, under the current generation, or under the earlier one given.

        Nobody changes the entry afterwards.
        """
        entry.generation = self._generation if generation is None else generation
        self._table.put(key, entry)

    def peek(self, key: bytes) -> Entry | None:
        """What is kept under `key` in this generation, fresh, stale or long over."""
        entry = self._table.entries.get(key)
        return entry if entry is not None and entry.generation == self._generation else None

    def earlier(self, key: bytes) -> Entry | None:
        """What is kept under `key` from a generation before this one, and not from before the last flush.

        It is a miss until somebody stores it again, having found that the present policy leads to its origin.
        """
        entry = self._table.entries.get(key)
        if entry is None or not self._flushed_at <= entry.generation < self._generation:
            return None
        return entry

    def holds(self, key: bytes, entry: Entry) -> bool:
        """Whether `entry`, once stored under `key`, is what is kept there still."""
        return self.peek(key) is entry

    def postpone(self, key: bytes, until: float) -> None:
        """Ask for no refresh of what is kept under `key` before `until`."""
        entry = self.peek(key)
        if entry is not None:
            entry.refresh_at = max(entry.refresh_at, until)

    def flush(self) -> int:
        """Forget everything at once, by a new generation; how many went. Names are for `cache.forget`."""
        gone = len(self._table.entries)
        self.next_generation()
        self._flushed_at = self._generation
        return gone

    def waited(self, seconds: float) -> None:
        """Count a client that had to wait so long for its answer."""
        self._waits.add(seconds)

    @property
    def places(self) -> int:
        """How many places of the table are taken: a walk goes from there down to 0, so that it misses nothing."""
        return self._table.places

    def keys_at(self, start: int, end: int) -> list[bytes]:
        """The keys in these places now. The name is all but a key's last 7 octets.

        A place that gets free is filled from the end, so who walks downwards meets every key that stays.
        """
        return self._table.keys_at(start, end)

    def remove(self, key: bytes) -> bool:
        """Forget one answer at once; whether it was kept."""
        return self._table.remove(key)

    def next_generation(self) -> None:
        """Make every kept answer a miss: the policy by which they were chosen is no more."""
        self._generation += 1
        self._forget_rendered()
        self._views.clear()

    def _forget_rendered(self) -> None:
        for remembered in self._remembered.values():
            _let_go(remembered)
        self._remembered.clear()
        self._clients.clear()

    def change_policy(
        self,
        view_of: ViewOf,
        *,
        stale_at_once: bool,
        sets: Sets | None = None,
    ) -> None:
        """Go by another policy from now on, which is a new generation. What is kept and counted stays."""
        self._view_of = view_of
        self._stale_at_once = stale_at_once
        self.next_generation()

    def statistics(self) -> Statistics:
        """A copy of the counters."""
        counts = self._answered
        found = answered((kind, counts[kind]) for kind in compress(range(KINDS), counts))
        stale, others = totals(found)
        return replace(
            self._counts,
            hits=others,
            stale=stale,
            entries=len(self._table.entries),
            octets=self._table.octets,
            evictions=self._table.evictions,
            answered=found,
            waits=self._waits.snapshot(),
        )

    # How a message is judged

    def _ask(
        self, wire: bytes, host: str, now: float, timeout: int = NO_TIMEOUT, *, udp: bool
    ) -> bytes | Query | None:
        if len(wire) < HEADER or wire[2] & QR_BIT:
            self._counts.ignored += 1
            return None
        view = self._views.get(host, UNKNOWN)
        if view == UNKNOWN:
            view = self._learn_view(host)
        if view is None:
            return self._refuse(wire, host, now, timeout, udp=udp)
        if udp and self._limits is not None and not (self._cookies and is_proven(wire, host, self._cookies)):
            verdict = self._limits.verdict(host, now)
            if verdict is not Verdict.PASS:
                self._counts.limited += 1
                return over_limit(wire, view, host, self._cookies) if verdict is Verdict.SLIP else None
        query = judge(wire, view, host, self._cookies, timeout)
        if isinstance(query, bytes):
            self._counts.malformed += 1
            return query
        entry = self._table.entries.get(query.key)
        if entry is not None and entry.generation == self._generation:
            answer = self._answer(query, entry, now, udp=udp)
            if answer is not None:
                return answer
        self._counts.misses += 1
        return query

    def _learn_view(self, host: str) -> int | None:
        if len(self._views) >= KNOWN_CLIENTS:
            self._views.clear()
        view = self._views[host] = self._view_of(host)
        return view

    def _refuse(self, wire: bytes, host: str, now: float, timeout: int, *, udp: bool) -> bytes | None:
        """REFUSED, over UDP only as often as cannot harm whoever the sender pretends to be."""
        self._counts.refused += 1
        self._answered[kind_of(UDP if udp else TCP, REFUSED, 0, RCODE_REFUSED)] += 1
        if udp:
            passed = now - self._refusals_at
            self._refusals = min(REFUSALS, self._refusals + passed * REFUSALS)
            self._refusals_at = now
            if self._refusals < 1:
                return None
            self._refusals -= 1
        return refusal(wire, host, self._cookies, timeout)

    def _answer(self, query: Query, entry: Entry, now: float, *, udp: bool) -> bytes | None:
        """The answer from `entry`, if it may be given at `now`; notes the refresh that it wants."""
        stale = now >= entry.expires
        if stale and not self._may_be_stale(query, entry, now):
            return None
        if now >= entry.refresh_at:
            entry.refresh_at = now + RECHECK
            self._due.append(query)
        entry.asked = True
        outcome = STALE if stale and entry.outcome == HIT else entry.outcome
        kind = kind_of(UDP if udp else TCP, outcome, query.qtype, entry.rcode)
        self._answered[kind] += 1
        if self._log is not None:
            self._log.note(now, kind, query, entry.source)
        tail = render(query, entry, now, udp=udp)
        if udp and not stale and self._is_plain and not query.own:  # that is for one client alone
            self._remember(query, entry, Rendered(tail, _good_until(entry, now), kind))
        return query.wire[:2] + tail

    def _may_be_stale(self, query: Query, entry: Entry, now: float) -> bool:
        """RD=0 asks for what is known, never for what was (RFC 8767 section 4).

        Where a client otherwise waits for a fresh answer first, it does not within 30 s of a try that failed.
        """
        if now >= entry.stale_until or not query.flags & RD:
            return False
        return self._stale_at_once or now < entry.refresh_at

    def _remember(self, query: Query, entry: Entry, rendered: Rendered) -> None:
        if len(self._clients) >= KNOWN_CLIENTS:
            self._clients.clear()
        remembered = self._remembered.setdefault(query.view, {})
        self._clients[query.host] = remembered
        if len(remembered) >= REMEMBERED:
            _let_go(remembered)
        remembered[query.wire[2:]] = rendered
        made = [old for old in entry.rendered or () if old.until > rendered.until - 1]
        while len(made) >= FORMS:
            made.pop(0).until = 0.0
        entry.rendered = [*made, rendered]


def _let_go(remembered: dict[bytes, Rendered]) -> None:
    """Forget all; entries that live on shall not hold the octets."""
    for rendered in remembered.values():
        rendered.tail, rendered.until = b"", 0.0
    remembered.clear()


def _good_until(entry: Entry, now: float) -> float:
    next_second = entry.stored + int(now - entry.stored) + 1
    return min(next_second, entry.expires, entry.refresh_at)
