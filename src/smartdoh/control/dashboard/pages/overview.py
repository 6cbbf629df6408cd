"""Overview: what is asked now and what becomes of it, by whom, and how fast."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from nicegui import ui

from smartdoh.control.dashboard.frame import Page, card, set_text, text_of
from smartdoh.control.dashboard.parts import numbers, times
from smartdoh.control.dashboard.parts.charts import TONES, Chart
from smartdoh.control.dashboard.parts.health import health_cell, upstream_key
from smartdoh.control.dashboard.parts.questions import plain
from smartdoh.control.dashboard.parts.rows import Rows
from smartdoh.control.dashboard.parts.tiles import Tile
from smartdoh.control.slowest import slowest

SHOWN = 8  # names, clients
LATENCIES = {"p50": "#14a38b", "p95": "#e0a526", "p99": "#e2607a"}


async def build(page: Page, _query: dict[str, str]) -> None:
    """The page."""
    Overview(page).build()


class Overview:
    """What is on it, and how it follows the feed."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def build(self) -> None:
        """Everything, then what is known already."""
        t = self._page.t
        self._notice = text_of("div", "").classes("help is-bad")
        self._notice.set_visibility(False)
        with ui.element("div").classes("tiles"):
            self._rate = Tile(t("overview.rate"))
            self._hits = Tile(t("overview.hits"))
            self._latency = Tile(t("overview.latency"))
            self._blocked = Tile(t("overview.blocked"))
            self._servers = Tile(t("overview.upstreams"))
            self._slowest = Tile(t("overview.slowest"))
        with ui.element("div").classes("grid"):
            with card(t("overview.rates"), "w8", t("overview.last_minutes")):
                self._rates = Chart(t("overview.rates"), t("unit.per_second"), stacked=True)
            with card(t("overview.latencies"), "w4", t("overview.latencies_about")):
                self._latencies = Chart(t("overview.latencies"), "ms")
            self._names = self._top("overview.names", "column.name", "overview.no_questions")
            self._clients = self._top("overview.clients", "column.client", "overview.no_questions")
            self._stopped = self._top("overview.most_blocked", "column.name", "overview.no_blocked")
            self._table()
        self._page.live(self._update)
        self._update()

    def _top(self, title: str, heading: str, empty: str) -> Rows:
        t = self._page.t
        with card(t(title), "w4"):
            return Rows(
                t(title), [("what", t(heading), "name"), ("count", t("column.questions"), "number")], t(empty)
            )

    def _table(self) -> None:
        t = self._page.t
        with card(t("nav.upstreams"), "w12"):
            self._groups = Rows(
                t("nav.upstreams"),
                [
                    ("upstream", t("column.upstream"), "name"),
                    ("group", t("column.group"), "text"),
                    ("latency", t("column.latency"), "number"),
                    ("p95", t("column.p95"), "number"),
                    ("requests", t("column.requests"), "number"),
                    ("health", t("column.health"), "text"),
                ],
                t("upstreams.none"),
            )

    def _update(self) -> None:
        feed = self._page.desk.feed
        problem = feed.problem
        if problem is not None:
            set_text(self._notice, self._page.words_of(problem))
        self._notice.set_visibility(problem is not None)
        self._update_upstreams(feed.groups)
        if feed.live is not None:
            self._update_tiles(feed.live)
            self._update_tops(feed.live)
            self._update_charts(list(feed.history))

    def _update_tiles(self, live: dict[str, Any]) -> None:
        t = self._page.t
        rate, latency = live["rate"], live.get("latency_ms")
        self._rate.show(numbers.rate(live["questions"]), t("unit.per_second"))
        self._hits.show(numbers.share(live["hit_ratio"] or 0.0), t("overview.hits_note"))
        if latency:
            self._latency.show(numbers.ms(latency["p50"]), f"p95 {numbers.ms(latency['p95'])}")
        else:
            self._latency.show("–", t("overview.nothing_fetched"))
        stopped = rate.get("blocked", 0.0)
        part = stopped / live["questions"] if live["questions"] else 0.0
        self._blocked.show(numbers.rate(stopped), t("overview.blocked_note", share=numbers.share(part)))

    def _update_tops(self, live: dict[str, Any]) -> None:
        self._names.show(_ranked(live["names"], "name"))
        self._clients.show(_ranked(live["clients"], "client"))
        self._stopped.show(_ranked(live["blocked"], "name", {"outcome": "blocked"}))

    def _update_charts(self, history: list[dict[str, Any]]) -> None:
        at = [times.epoch(each["at"]) for each in history]
        kinds = [kind for kind in TONES if any(each["rate"].get(kind) for each in history)]
        self._rates.show(
            at,
            {
                self._page.t(f"outcome.{kind}"): [round(each["rate"].get(kind, 0.0), 1) for each in history]
                for kind in kinds
            },
            {self._page.t(f"outcome.{kind}"): TONES[kind] for kind in kinds},
        )
        known = [each.get("latency_ms") or {} for each in history]
        self._latencies.show(
            at, {name: [_rounded(each.get(name)) for each in known] for name in LATENCIES}, LATENCIES
        )

    def _update_upstreams(self, groups: list[dict[str, Any]]) -> None:
        t = self._page.t
        all_of_them = [each for group in groups for each in group["upstreams"]]
        well = sum(each["health"] == "well" for each in all_of_them)
        tone = "good" if well == len(all_of_them) else "warn" if well else "bad"
        if all_of_them:
            self._servers.show(
                f"{well} / {len(all_of_them)}", t("overview.upstreams_note"), tone if tone != "good" else ""
            )
        found = slowest(groups)
        slow = found.place if found else None
        for group in groups:
            for each in group["upstreams"]:
                if (group["name"], each["name"]) == slow:
                    self._slowest.show(numbers.ms(each["latency_ms"]), each["name"])
        self._groups.show(
            [
                {
                    "key": upstream_key(group["name"], each["name"]),
                    "upstream": {
                        "text": each["name"],
                        "href": "/upstreams",
                        **({"mark": t("upstreams.slowest")} if (group["name"], each["name"]) == slow else {}),
                    },
                    "group": group["name"],
                    "latency": numbers.ms(each["latency_ms"]),
                    "p95": numbers.ms(each["p95_ms"]),
                    "requests": numbers.count(each["requests"]),
                    "health": health_cell(self._page, each),
                }
                for group in groups
                for each in group["upstreams"]
            ]
        )


def _ranked(
    found: list[dict[str, Any]], what: str, more: dict[str, str] | None = None
) -> list[dict[str, Any]]:
    """The busiest, each with a link to its questions."""
    largest = max((each["count"] for each in found), default=1) or 1
    return [
        {
            "key": each[what],
            "what": {
                "text": plain(each[what]),
                "href": "/queries?" + urlencode({what: each[what], **(more or {})}),
                "part": each["count"] / largest,
            },
            "count": numbers.count(each["count"]),
        }
        for each in found[:SHOWN]
    ]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
