"""How groups and their upstreams do, as the API says it."""

from __future__ import annotations

import asyncio
import math

from smartdoh.app.runtime import Runtime
from smartdoh.control.api.counting import histogram
from smartdoh.control.api.shapes import GroupStatus, Health, UpstreamStatus
from smartdoh.upstream.health import FAILURES_TO_REST, UNKNOWN_LATENCY, UNKNOWN_P95
from smartdoh.upstream.member import Member


def groups(runtime: Runtime) -> list[GroupStatus]:
    """Every group."""
    return [group(runtime, name) for name in runtime.groups]


def group(runtime: Runtime, name: str) -> GroupStatus:
    """One group."""
    found, settings = runtime.groups[name], runtime.settings.groups[name]
    now = asyncio.get_running_loop().time()
    return GroupStatus(
        name=name,
        strategy=settings.strategy,
        timeout_s=settings.timeout,
        via=str(settings.via or ""),
        questions=found.questions,
        hedges=found.hedges,
        upstreams=[upstream(member, now) for member in found.members],
    )


def upstream(member: Member, now: float) -> UpstreamStatus:
    """One upstream at `now` (the loop's clock)."""
    health, budget = member.health, member.budget
    return UpstreamStatus(
        name=member.name,
        latency_ms=_milliseconds(health.latency, UNKNOWN_LATENCY),
        p95_ms=_milliseconds(health.p95, UNKNOWN_P95),
        health=_health(member, now),
        rests_s=round(max(0.0, health.rest_until - now, health.put_aside_until - now), 1),
        put_to_rest=health.is_put_aside(now),
        failures=health.failures,
        requests=member.requests,
        in_flight=budget.in_flight,
        most_in_flight=int(budget.limit),
        rate=None if budget.rate == math.inf else round(budget.rate, 1),
        blocked_s=round(max(0.0, budget.blocked_until - now), 1),
        errors=dict(member.tally.errors),
        answers=histogram(member.tally.answers.snapshot()),
    )


def _health(member: Member, now: float) -> Health:
    if member.health.is_put_aside(now):
        return "resting"
    if member.health.failures >= FAILURES_TO_REST and now < member.health.rest_until:
        return "resting"
    return "doubtful" if member.health.is_doubtful(now) else "well"


def _milliseconds(seconds: float, unknown: float) -> float | None:
    return None if seconds == unknown else round(seconds * 1e3, 1)
