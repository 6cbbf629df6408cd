"""What becomes of a question, in a few lines of text: who decided, who would be asked, and what is kept.

Nothing here acts, waits or reads a file: it is asked on the way of other questions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_address
from pathlib import PurePath

from smartdoh.cache import policy
from smartdoh.cache.second import SecondLevel
from smartdoh.config.names import qtype_text
from smartdoh.fastpath import Entry
from smartdoh.model import Query, Route, Stage
from smartdoh.pipeline import failures
from smartdoh.rules.decide import Decisions
from smartdoh.rules.lists import NameSet
from smartdoh.upstream.group import Group
from smartdoh.upstream.member import Member
from smartdoh.wire.codes import NOERROR, NXDOMAIN, REFUSED, SERVFAIL
from smartdoh.wire.edns import read_extended_error
from smartdoh.wire.names import to_text

MOST_LET_THROUGH = 2  # exceptions that are told of
_POLICY = 3  # octets at a key's end: the view, then DO and CD in the last two bits
_ASKED_WITH = ("", " with CD", " with DO", " with DO and CD")
_RCODES = {NOERROR: "NOERROR", SERVFAIL: "SERVFAIL", NXDOMAIN: "NXDOMAIN", REFUSED: "REFUSED"}


class Explained:
    """Looks at what decides. All of it is what the pipeline itself goes by."""

    def __init__(
        self,
        decisions: Decisions,
        groups: Mapping[str, Group],
        stages: Sequence[Stage],
        peek: Callable[[bytes], Entry | None],
        second: SecondLevel | None,
        lists: Callable[[], Mapping[str, NameSet | None]],
        clock: Callable[[], float],
    ) -> None:
        """`peek` looks into the table, whose clock is `clock`; `lists` has None for those never loaded."""
        self._decisions = decisions
        self._groups = groups
        self._stages = stages
        self._peek = peek
        self._second = second
        self._lists = lists
        self._clock = clock

    def __call__(self, query: Query) -> Iterator[str]:
        """The lines for the question of a client; what matters most comes first."""
        route = self._decisions.route(query)
        yield f"{to_text(query.name)} {qtype_text(query.qtype)}, asked by {query.host}"
        yield f"decision: {_decision(route)}"
        yield f"because of: {route.why}"
        if route.line:
            yield f"list: {_line(route.list_name, route.file, route.line)}"
        here = self._answered_here(query, route)
        if here:
            yield f"answered here: {here}"
        else:
            now = asyncio.get_running_loop().time()
            yield from _of_group(self._groups[route.group], now)
        yield from self._kept(query, route.group) or ("cache: nothing is kept",)
        yield from self._let_through(query, route)
        missing = [name for name, names in self._lists().items() if names is None]
        if missing:
            yield f"never loaded: {', '.join(missing)}"

    def _answered_here(self, query: Query, route: Route) -> str:
        answers = (stage(query, route) for stage in self._stages)
        return next((answer.source or "smartdoh" for answer in answers if answer is not None), "")

    def _let_through(self, query: Query, route: Route) -> Iterator[str]:
        """The exceptions that the rules came past; none where an override decided instead of them."""
        router = self._decisions.router
        if router.route(query).why != route.why:
            return
        for number, passed in enumerate(router.exceptions(query)):
            if number == MOST_LET_THROUGH:
                return
            yield f"let through by: {passed.rule}: {_line(passed.list_name, passed.file, passed.line)}"

    def _kept(self, query: Query, group: str) -> list[str]:
        """What is kept of it for this client, in memory or else on disk, however it was asked."""
        found, now = [], self._clock()
        for bits, asked_with in enumerate(_ASKED_WITH):
            key = query.key[:-_POLICY] + (query.view << 2 | bits).to_bytes(_POLICY)
            entry, where = self._peek(key), "memory"
            if entry is None and self._second is not None:
                entry = self._second.recall(query._replace(key=key), group, is_asked=False)
                where = "disk"
            if entry is not None:
                found.append(f"cache ({where}){asked_with}: {_entry(entry, now)}")
        return found


def _decision(route: Route) -> str:
    if route.is_refused:
        return "refused: a list that fails closed was never loaded"
    if route.is_blocked:
        return "blocked"
    if route.addresses:
        return f"answered with {', '.join(str(ip_address(address)) for address in route.addresses)}"
    if route.pointer:
        return f"answered with {to_text(route.pointer)}"
    return f"group {route.group}"


def _line(list_name: str, file: str, line: int) -> str:
    return f"{list_name}, {PurePath(file).name} line {line}"


def _of_group(group: Group, now: float) -> Iterable[str]:
    """How its best upstream does, how many others do, and the last failure of any of them."""
    members = group.members
    best = min(members, key=lambda member: (member.health.is_doubtful(now), member.health.latency))
    well = sum(not member.health.is_doubtful(now) for member in members)
    yield f"group {group.name}: {well} of {len(members)} upstreams well, best {_member(best)}"
    failed = [member.last_failure for member in members if member.last_failure is not None]
    if failed:
        at, error = max(failed, key=lambda one: one[0])
        yield f"last failure: {now - at:.0f} s ago, {failures.words(error)}"


def _member(member: Member) -> str:
    health = member.health
    if not health.is_known:
        return f"{member.name}, not heard of yet"
    return f"{member.name}, {health.latency * 1e3:.1f} ms, 95% within {health.p95 * 1e3:.1f} ms"


def _entry(entry: Entry, now: float) -> str:
    rcode = _RCODES.get(entry.rcode, f"rcode {entry.rcode}")
    if now < entry.expires:
        state = f"fresh for {entry.expires - now:.0f} s"
    elif now < entry.stale_until:
        state = f"stale for {now - entry.expires:.0f} s, given for {entry.stale_until - now:.0f} s more"
    else:
        state = "expired"
    error = read_extended_error(entry.ede) if policy.is_failure(entry) else None
    because = f": {error[1]}" if error is not None and error[1] else ""
    return f"{rcode}, {state}, {now - entry.stored:.0f} s old, from {entry.source or 'nobody'}{because}"
