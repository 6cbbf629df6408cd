"""What the tables show, as rows of plain text: made from one look at the live view, without a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from smartdoh.control.api.shapes import GroupStatus, UpstreamStatus
from smartdoh.control.api.shapes_live import Live, Question
from smartdoh.control.top import words

SLOWEST = "slowest"
BY_RULE = "a rule (Enter)"
RESTING, DOUBTFUL = "resting", "doubtful"


class Row(NamedTuple):
    """One row: what it is about, and what it shows."""

    key: str  # of all rows of the table this one's alone
    cells: tuple[str, ...]
    name: str = ""  # the name that it is about, as the proxy knows it
    qtype: str = ""
    client: str = ""
    upstream: tuple[str, str] | None = None  # group and name
    style: str = ""


class Column(NamedTuple):
    """One column; a width of 0 is what is left. A spare one is left out where there is little room."""

    label: str
    width: int
    right: bool = False
    is_spare: bool = False


class View(NamedTuple):
    """One table: how it is called, what it shows, and how its rows are made."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: Callable[[Live], list[Row]]
    order: str = ""

    @property
    def heading(self) -> str:
        """The title, with the order of the rows where the title does not say it."""
        return f"{self.title}, {self.order}" if self.order else self.title


def upstreams_slowest_first(groups: Sequence[GroupStatus]) -> list[tuple[GroupStatus, UpstreamStatus]]:
    """All upstreams; those that were never heard of come last."""
    pairs = [(group, upstream) for group in groups for upstream in group["upstreams"]]
    return sorted(pairs, key=lambda pair: -1 if pair[1]["latency_ms"] is None else pair[1]["latency_ms"])[
        ::-1
    ]


def _asked(look: Live) -> int:
    return sum(look["counts"].values())


def _names(look: Live) -> list[Row]:
    asked = _asked(look)
    return [
        Row(
            one["name"],
            (words.name(one["name"]), words.count(one["count"]), words.share(one["count"], asked)),
            name=one["name"],
        )
        for one in look["names"]
    ]


def _clients(look: Live) -> list[Row]:
    asked = _asked(look)
    return [
        Row(
            one["client"],
            (words.plain(one["client"]), words.count(one["count"]), words.share(one["count"], asked)),
            client=one["client"],
        )
        for one in look["clients"]
    ]


def _blocked(look: Live) -> list[Row]:
    return [
        Row(
            one["name"],
            (
                words.name(one["name"]),
                words.count(one["count"]),
                f"list {words.plain(one['list'])}" if one["list"] else BY_RULE,
            ),
            name=one["name"],
        )
        for one in look["blocked"]
    ]


def _upstreams(look: Live) -> list[Row]:
    pairs = upstreams_slowest_first(look["groups"])
    known = sum(upstream["latency_ms"] is not None for _, upstream in pairs)
    return [
        _upstream(group, upstream, is_slowest=place == 0 and known > 1)
        for place, (group, upstream) in enumerate(pairs)
    ]


def _upstream(group: GroupStatus, upstream: UpstreamStatus, *, is_slowest: bool) -> Row:
    health, rests = upstream["health"], upstream["rests_s"]
    how = [f"{health} {rests:.0f} s" if health == RESTING else health, *([SLOWEST] if is_slowest else [])]
    cells = (
        words.plain(upstream["name"]),
        words.plain(group["name"]),
        words.milliseconds(upstream["latency_ms"]),
        words.milliseconds(upstream["p95_ms"]),
        ", ".join(how),
        words.count(sum(upstream["errors"].values())),
        words.count(upstream["requests"]),
        words.count(upstream["in_flight"]),
    )
    style = {RESTING: "red", DOUBTFUL: "yellow"}.get(health, "bold" if is_slowest else "")
    key = f"{group['name']}\n{upstream['name']}"
    return Row(key, cells, upstream=(group["name"], upstream["name"]), style=style)


def _last(look: Live) -> list[Row]:
    return [_question(one, place) for place, one in enumerate(look["last"])]


def _question(one: Question, place: int) -> Row:
    outcome = one["outcome"]
    cells = (
        words.clock(one["at"]),
        words.plain(one["client"]),
        words.name(one["name"]),
        words.plain(one["type"]),
        outcome if one["rcode"] == "NOERROR" else f"{outcome} {one['rcode']}",
        "" if one["ms"] is None else words.milliseconds(one["ms"]),
        words.plain(f"list {one['list']}" if one["list"] else one["upstream"] or one["rule"]),
    )
    style = {"blocked": "magenta", "failed": "red", "refused": "red", "stale": "yellow"}.get(outcome, "")
    return Row(str(place), cells, name=one["name"], qtype=one["type"], client=one["client"], style=style)


COUNTED = (Column("asked", 9, right=True), Column("of all", 7, right=True, is_spare=True))
VIEWS = (
    View("names", "Busiest names", (Column("name", 0), *COUNTED), _names),
    View(
        "blocked",
        "Blocked",
        (Column("name", 0), Column("asked", 9, right=True), Column("blocked by", 14)),
        _blocked,
    ),
    View("clients", "Busiest clients", (Column("client", 0), *COUNTED), _clients),
    View(
        "upstreams",
        "Upstreams",
        (
            Column("upstream", 0),
            Column("group", 8),
            Column("latency", 9, right=True),
            Column("95%", 9, right=True),
            Column("health", 14),
            Column("errors", 7, right=True),
            Column("asked", 8, right=True, is_spare=True),
            Column("in flight", 9, right=True, is_spare=True),
        ),
        _upstreams,
        "slowest first",
    ),
    View(
        "last",
        "Last questions",
        (
            Column("time", 8),
            Column("client", 15),
            Column("name", 0),
            Column("type", 5),
            Column("outcome", 12),
            Column("took", 8, right=True),
            Column("by", 24, is_spare=True),
        ),
        _last,
        "newest first",
    ),
)
