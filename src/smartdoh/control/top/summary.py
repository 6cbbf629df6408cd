"""What stands above the tables: whether all is well, and the three answers that people look for, in words."""

from __future__ import annotations

from smartdoh.control import tables
from smartdoh.control.api.shapes import Status
from smartdoh.control.api.shapes_live import Live
from smartdoh.control.top import words
from smartdoh.control.top.rows import RESTING, upstreams_slowest_first


def waiting(why: str) -> str:
    """That there is nothing to see, and why."""
    return f"smartdoh: {words.plain(why)}, waiting"


def head(status: Status, look: Live, uptime: float) -> str:
    """Version, uptime, addresses, state."""
    listening = ", ".join(status["listening"])
    return f"smartdoh {status['version']} · {state(look)} · up {tables.span(uptime)} · on {words.plain(listening)}"


def state(look: Live) -> str:
    """Whether it can answer what is not kept."""
    every = [upstream for group in look["groups"] for upstream in group["upstreams"]]
    resting = sum(upstream["health"] == RESTING for upstream in every)
    return f"{resting} of {len(every)} upstreams rest" if resting else "answering"


def figures(look: Live) -> list[tuple[str, str]]:
    """What to know at a glance, with its label."""
    asked = sum(look["counts"].values())
    return [
        (
            "questions",
            f"{words.rate(look['questions'])}, {words.count(asked)} in {tables.span(look['seconds'])}",
        ),
        (
            "from the cache",
            f"{look['hit_ratio']:.1%}, the rest was fetched" if asked else "nothing was asked yet",
        ),
        ("others waited", waits(look)),
        ("slowest upstream", slowest(look)),
        ("busiest client", busiest(look)),
        ("most blocked", most_blocked(look)),
        (
            "kept in memory",
            f"{words.count(look['memory']['entries'])} answers, {words.octets(look['memory']['octets'])}; "
            f"{look['under_way']} being asked",
        ),
    ]


def waits(look: Live) -> str:
    """How long clients waited for what was not in memory."""
    latency = look["latency_ms"]
    if latency is None:
        return "nobody"
    half, most, longest = latency["p50"], latency["p95"], latency["p99"]
    return f"half {half:,.0f}, 95% {most:,.0f}, 99% {longest:,.0f} ms"


def slowest(look: Live) -> str:
    """The upstream with the longest latency."""
    known = [
        upstream
        for _, upstream in upstreams_slowest_first(look["groups"])
        if upstream["latency_ms"] is not None
    ]
    if not known:
        return "none was asked yet"
    return f"{words.plain(known[0]['name'])}, {words.milliseconds(known[0]['latency_ms'])}"


def busiest(look: Live) -> str:
    """The client that asked most."""
    if not look["clients"]:
        return "nobody"
    first = look["clients"][0]
    of_all = words.share(first["count"], sum(look["counts"].values()))
    return f"{words.plain(first['client'])}, {of_all} of all"


def most_blocked(look: Live) -> str:
    """The name that was blocked most, and by what."""
    if not look["blocked"]:
        return "nothing"
    first = look["blocked"][0]
    by = f", by list {words.plain(first['list'])}" if first["list"] else ""
    return f"{words.name(first['name'])}{by}"
