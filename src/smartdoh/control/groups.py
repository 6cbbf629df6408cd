"""Groups and their upstreams as tables."""

from __future__ import annotations

from rich.console import Console

from smartdoh.control import tables
from smartdoh.control.api.shapes import GroupStatus, UpstreamStatus

COLUMNS = ("upstream", "latency", "95%", "health", "in flight", "budget")


def show(group: GroupStatus, console: Console, *, counts: bool = False) -> None:
    """Print one group; with `counts`, also how often each upstream was asked, and failed."""
    via = f", via {group['via']}" if group["via"] else ""
    title = f"group {group['name']}: {group['strategy']}, {tables.span(group['timeout_s'])}{via}"
    if counts:
        rows = ((*_row(one)[:4], f"{one['requests']:,}", _errors(one)) for one in group["upstreams"])
        tables.show(title, (*COLUMNS[:4], "requests", "errors"), rows, to=console)
    else:
        tables.show(title, COLUMNS, map(_row, group["upstreams"]), to=console)


def health(upstream: UpstreamStatus) -> str:
    """How one does, in words."""
    if upstream["health"] != "resting":
        return upstream["health"]
    why = ", as was wanted" if upstream["put_to_rest"] else ""
    return f"resting for {tables.span(upstream['rests_s'])}{why}"


def _row(upstream: UpstreamStatus) -> tuple[str, ...]:
    return (
        upstream["name"],
        "?" if upstream["latency_ms"] is None else f"{upstream['latency_ms']} ms",
        "?" if upstream["p95_ms"] is None else f"{upstream['p95_ms']} ms",
        health(upstream),
        f"{upstream['in_flight']} of {upstream['most_in_flight']}",
        "no limit" if upstream["rate"] is None else f"{upstream['rate']} a second",
    )


def _errors(upstream: UpstreamStatus) -> str:
    return ", ".join(f"{count:,} {kind}" for kind, count in upstream["errors"].items() if count)
