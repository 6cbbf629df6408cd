"""Both builds of the fast path, fed the same: whatever one says, the other says too, to the octet."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from smartdoh.cache.policy import Bounds, entry_of
from smartdoh.errors import WireError
from smartdoh.fastpath import Entry
from smartdoh.fastpath._python import FastPath
from smartdoh.fastpath.cookies import Cookies, Secrets
from smartdoh.fastpath.surface import NO_TIMEOUT
from smartdoh.model import Answer, Query
from smartdoh.wire import edns
from smartdoh.wire.answer import scan_answer
from smartdoh.wire.codes import HEADER
from smartdoh.wire.question import parse_query
from tests.builds import BUILDS, fast_path
from tests.scenario.world import Clock, Datagrams

HOSTS: dict[str, int | None] = {"127.0.0.1": 0, "198.51.100.7": 3, "2001:db8::1": 0, "192.0.2.1": None}
CLIENT_COOKIE = b"a client"
SINCE_1970 = 1_800_000_000.0  # seconds, where the clock begins
UNEQUAL = ("octets",)  # the memory that they take is their own


class Both:
    """Two tables, one clock."""

    def __init__(self, *, stale_at_once: bool = True, entries: int = 1000) -> None:
        self.clock = Clock(1000.0)
        self.timeout = NO_TIMEOUT  # what clients of streams are told
        self._cookies = Cookies(Secrets(b"the same for all"), lambda: SINCE_1970 + self.clock())
        self._builds: list[FastPath] = [
            fast_path(build)(
                entries=entries, view_of=HOSTS.get, clock=self.clock, stale_at_once=stale_at_once
            )
            for build in BUILDS
        ]

    def store(self, query: Query, wire: bytes, bounds: Bounds, source: str = "") -> bool:
        """Keep a message as the answer to `query`; False if it may not be kept. Raises WireError for no answer."""
        answer = Answer(wire, scan_answer(wire, query), source)
        if answer.scan.opt is not None:
            return False
        for fast in self._builds:
            entry, ttl = entry_of(query, answer, bounds, self.clock())
            if not ttl:
                return False
            fast.store(query.key, entry)
        return True

    def ask(self, wire: bytes, host: str) -> object:
        """What a message gets over TCP and over UDP, and what is due then."""
        said = self._same(lambda fast: fast.ask(wire, host, self.timeout))
        self._same(lambda fast: fast.take_due())
        self._same(lambda fast: _drained(fast, wire, host))
        self._same(lambda fast: fast.take_due())
        return said

    def stream(self, octets: bytes, host: str) -> object:
        """What a stream of messages gets."""
        return self._same(lambda fast: fast.ask_stream(bytearray(octets), host, self.timeout))

    def use_cookies(self, *, wanted: bool) -> None:
        """Whether clients that send a cookie get one."""
        self.change("use_cookies", self._cookies if wanted else None)

    def with_cookie(self, wire: bytes, host: str) -> bytes:
        """A question as its client sends it that knows a good cookie by now; what is none stays as it is."""
        try:
            query = parse_query(wire.ljust(HEADER, b"\0"))
        except WireError:
            return wire
        opt = edns.render(options=edns.cookie(self._cookies.answer(CLIENT_COOKIE, host)[0]))
        return wire[:4] + b"\0\1\0\0\0\0\0\1" + wire[HEADER : query.end] + opt

    def render(self, query: Query, entry: Entry, *, udp: bool) -> object:
        """An entry that is in no table."""
        return self._same(lambda fast: fast.render(query, entry, udp=udp))

    def change(self, verb: str, *arguments: object) -> object:
        """Any other verb of the surface."""
        return self._same(lambda fast: getattr(fast, verb)(*arguments))

    def compare(self) -> None:
        """Counters, records, keys and all that is kept."""
        self._same(lambda fast: fast.take_log())
        self._same(
            lambda fast: {
                name: value for name, value in asdict(fast.statistics()).items() if name not in UNEQUAL
            }
        )
        keys = self._same(lambda fast: fast.keys_at(0, fast.places))
        assert isinstance(keys, list)
        for key in keys:
            self._same(lambda fast, key=key: _shown(fast.peek(key)))

    def _same(self, do: Any) -> object:
        ours, theirs = (do(fast) for fast in self._builds)
        assert ours == theirs
        return ours


def _drained(fast: FastPath, wire: bytes, host: str) -> object:
    datagrams = Datagrams()
    datagrams.waiting.append((wire, (host, 5353)))
    return fast.drain(datagrams), datagrams.sent


def _shown(entry: Entry | None) -> object:
    if entry is None:
        return None
    hidden = ("slot", "rendered", "asked", "generation")
    return {name: getattr(entry, name) for name in Entry.__slots__ if name not in hidden}
