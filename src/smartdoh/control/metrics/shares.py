"""What one process has counted, in a form that adds up with that of others and goes through JSON."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, cast

from typing_extensions import TypedDict

from smartdoh.app.runtime import Runtime
from smartdoh.app.server import Server
from smartdoh.control.api import counting
from smartdoh.control.api.shapes_counts import Histogram, QuestionCount
from smartdoh.control.workers.adding import add_up
from smartdoh.upstream.health import FAILURES_TO_REST
from smartdoh.upstream.member import Member


class UpstreamCounts(TypedDict):
    """One upstream, or those of a group that have the same name."""

    requests: int
    in_flight: int
    failing: int  # of the workers, those in which it is not well until it answers again
    errors: dict[str, int]
    answers: Histogram


class GroupCounts(TypedDict):
    """One group."""

    questions: int
    hedges: int
    upstreams: dict[str, UpstreamCounts]


class Counts(TypedDict):
    """All that may be added up."""

    questions: list[QuestionCount]
    latency: dict[str, Histogram]
    memory: dict[str, int]
    disk: dict[str, Any] | None
    under_way: int
    waiting: int
    tcp: dict[str, int]
    groups: dict[str, GroupCounts]


class Share(TypedDict):
    """One process."""

    pid: int
    worker: int
    restarts: int
    counts: Counts


async def share_of(server: Server, worker: int = 0, restarts: int = 0) -> Share:
    """What this process has counted, gathered with the loop's turn after each part."""
    return Share(pid=os.getpid(), worker=worker, restarts=restarts, counts=await _counts(server))


async def added_up(shares: Sequence[Share]) -> Counts:
    """The counts of all processes, part by part, with the loop's turn after each."""
    first, *others = (share["counts"] for share in shares)
    if not others:
        return first
    found: dict[str, Any] = {}
    for part, value in first.items():
        found[part] = add_up([value, *(other.get(part) for other in others)], (part,))
        await asyncio.sleep(0)
    return cast("Counts", found)


async def _counts(server: Server) -> Counts:
    runtime = server.runtime
    flights, tcp = runtime.resolver.flights, server.connections
    memory = runtime.fast.statistics()
    await asyncio.sleep(0)
    questions = counting.questions(runtime, memory)
    await asyncio.sleep(0)
    return Counts(
        questions=questions,
        latency=counting.latency(runtime),
        memory={name: count for name, count in asdict(memory).items() if isinstance(count, int)},
        disk=asdict(runtime.disk.statistics()) if runtime.disk is not None else None,
        under_way=len(flights),
        waiting=flights.waiting,
        tcp={"open": len(tcp), "refused": tcp.refused, "evicted": tcp.evicted},
        groups={name: await _group(runtime, name) for name in runtime.groups},
    )


async def _group(runtime: Runtime, name: str) -> GroupCounts:
    group = runtime.groups[name]
    upstreams: dict[str, UpstreamCounts] = {}
    for member in group.members:
        found = _upstream(member)
        known = upstreams.get(member.name)  # two URLs may differ in their paths alone
        upstreams[member.name] = found if known is None else add_up([known, found])
    await asyncio.sleep(0)
    return GroupCounts(questions=group.questions, hedges=group.hedges, upstreams=upstreams)


def _upstream(member: Member) -> UpstreamCounts:
    return UpstreamCounts(
        requests=member.requests,
        in_flight=member.budget.in_flight,
        failing=int(member.health.failures >= FAILURES_TO_REST),
        errors=dict(member.tally.errors),
        answers=counting.histogram(member.tally.answers.snapshot()),
    )
