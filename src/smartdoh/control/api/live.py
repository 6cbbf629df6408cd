"""The live view as the API shows it: what each worker has seen, and all of it as one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, cast

from smartdoh.app.questions.seconds import Second
from smartdoh.app.questions.spread import add_up, quantile
from smartdoh.app.server import Server
from smartdoh.control.api import health
from smartdoh.control.api.asking import question, time_text
from smartdoh.control.api.shapes import GroupStatus, UpstreamStatus
from smartdoh.control.api.shapes_live import (
    BlockedCount,
    ClientCount,
    Kept,
    Live,
    LiveShare,
    NameCount,
    Point,
    Quantiles,
    ShareSecond,
)
from smartdoh.control.workers.adding import add_up as add_counts
from smartdoh.wire.names import to_text

OUTCOMES = ("hit", "stale", "miss", "blocked", "local", "refused", "failed")
TOP = 50  # names, clients and blocked names that are shown
LAST = 50  # questions that are shown
KNOWN = ("hit", "stale")  # what memory or disk could answer
FETCHED = ("miss", "failed")  # what they could have answered


def share(server: Server, *, history: bool) -> LiveShare:
    """What this process has seen."""
    look, runtime = server.live.look(), server.runtime
    memory = runtime.fast.statistics()
    return LiveShare(
        at=look.at,
        seconds=look.seconds,
        rate=_rate(look.last_second) if look.last_second is not None else {},
        counts=dict(look.counts),
        spread=list(look.spread.items()),
        names=[(to_text(name), count) for name, count in look.names],
        clients=look.clients,
        blocked=[(to_text(name), count, where) for name, count, where in look.blocked],
        last=[question(seen) for seen in look.last],
        groups=health.groups(runtime),
        under_way=len(runtime.resolver.flights),
        memory=Kept(entries=memory.entries, octets=memory.octets),
        history=[_second(second) for second in look.history] if history else [],
        sampled=look.sampled,
    )


def merged(shares: Sequence[LiveShare]) -> Live:
    """All shares as one; the first is the own, which says how upstreams do."""
    rate = _full(add_up(one["rate"] for one in shares))
    counts = _full(add_up(one["counts"] for one in shares))
    last = sorted(chain(*(one["last"] for one in shares)), key=lambda row: row["at"], reverse=True)
    lists = {name: where for one in shares for name, _, where in one["blocked"] if where}
    blocked = _top((name, count) for one in shares for name, count, _ in one["blocked"])
    return Live(
        at=time_text(max(one["at"] for one in shares)),
        seconds=round(max(one["seconds"] for one in shares), 1),
        rate=_rounded(rate),
        questions=round(sum(rate.values()), 1),
        counts={outcome: round(count) for outcome, count in counts.items()},
        hit_ratio=_hit_ratio(counts),
        latency_ms=_quantiles(one["spread"] for one in shares),
        names=[NameCount(name=name, count=count) for name, count in _top(_all(shares, "names"))],
        clients=[ClientCount(client=client, count=count) for client, count in _top(_all(shares, "clients"))],
        blocked=[BlockedCount(name=name, count=count, list=lists.get(name, "")) for name, count in blocked],
        last=last[:LAST],
        groups=_groups([one["groups"] for one in shares]),
        under_way=sum(one["under_way"] for one in shares),
        memory=Kept(
            entries=sum(one["memory"]["entries"] for one in shares),
            octets=sum(one["memory"]["octets"] for one in shares),
        ),
        history=_history(shares),
        sampled=any(one["sampled"] for one in shares),
    )


def _rate(second: Second) -> dict[str, float]:
    length = max(second.length, 0.001)
    return {outcome: count / length for outcome, count in second.counts.items()}


def _second(second: Second) -> ShareSecond:
    return ShareSecond(at=second.at, rate=_rate(second), spread=list(second.spread.items()))


def _full(counts: Mapping[str, float]) -> dict[str, float]:
    """Every outcome, in its order."""
    return {outcome: counts.get(outcome, 0.0) for outcome in OUTCOMES}


def _rounded(rate: Mapping[str, float]) -> dict[str, float]:
    return {outcome: round(each, 1) for outcome, each in rate.items()}


def _hit_ratio(counts: Mapping[str, float]) -> float:
    known = sum(counts[outcome] for outcome in KNOWN)
    asked = known + sum(counts[outcome] for outcome in FETCHED)
    return round(known / asked, 4) if asked else 0.0


def _quantiles(spreads: Iterable[Sequence[tuple[int, float]]]) -> Quantiles | None:
    spread = add_up(dict(one) for one in spreads)
    middle, high, highest = (quantile(spread, share) for share in (0.5, 0.95, 0.99))
    if middle is None or high is None or highest is None:
        return None
    return Quantiles(p50=_ms(middle), p95=_ms(high), p99=_ms(highest))


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _all(shares: Sequence[LiveShare], what: str) -> Iterable[tuple[str, int]]:
    return chain(*(cast("dict[str, Any]", one)[what] for one in shares))


def _top(counted: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    sums = add_up({key: count} for key, count in counted)
    ranked = sorted(sums.items(), key=lambda one: one[1], reverse=True)
    return [(key, round(count)) for key, count in ranked[:TOP]]


def _history(shares: Sequence[LiveShare]) -> list[Point]:
    seconds: dict[int, list[ShareSecond]] = {}
    for second in chain(*(one["history"] for one in shares)):
        seconds.setdefault(second["at"], []).append(second)
    return [
        Point(
            at=time_text(at),
            rate=_rounded(_full(add_up(second["rate"] for second in some))),
            latency_ms=_quantiles(second["spread"] for second in some),
        )
        for at, some in sorted(seconds.items())
    ]


def _groups(shares: Sequence[list[GroupStatus]]) -> list[GroupStatus]:
    """The first share's, what is counted added up from all; what is measured is of whoever asked an upstream most."""
    others: dict[str, list[GroupStatus]] = {group["name"]: [] for group in shares[0]}
    for group in chain(*shares):
        if group["name"] in others:
            others[group["name"]].append(group)
    return [_group(some) for some in others.values()]


def _group(some: Sequence[GroupStatus]) -> GroupStatus:
    found = some[0].copy()
    found["questions"] = sum(one["questions"] for one in some)
    found["hedges"] = sum(one["hedges"] for one in some)
    by_name: dict[str, list[UpstreamStatus]] = {}
    for upstream in chain(*(one["upstreams"] for one in some)):
        by_name.setdefault(upstream["name"], []).append(upstream)
    found["upstreams"] = [_upstream(by_name[one["name"]]) for one in some[0]["upstreams"]]
    return found


def _upstream(some: Sequence[UpstreamStatus]) -> UpstreamStatus:
    found = max(some, key=lambda one: one["requests"]).copy()
    found["requests"] = sum(one["requests"] for one in some)
    found["in_flight"] = sum(one["in_flight"] for one in some)
    found["most_in_flight"] = sum(one["most_in_flight"] for one in some)
    found["errors"] = add_counts([one["errors"] for one in some])
    found["answers"] = add_counts([one["answers"] for one in some])
    return found
