"""Upstreams: how fast and how well each answers, over time and now; one can be given a rest."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from smartdoh.control.dashboard.client import part
from smartdoh.control.dashboard.feed import errors_of
from smartdoh.control.dashboard.frame import Page, card
from smartdoh.control.dashboard.parts import numbers
from smartdoh.control.dashboard.parts.charts import Chart
from smartdoh.control.dashboard.parts.health import health_cell, upstream_key
from smartdoh.control.dashboard.parts.rows import Action, Kind, Rows
from smartdoh.control.slowest import slowest

A_REST = "600"  # seconds
PER_MINUTE = 60.0


async def build(page: Page, _query: dict[str, str]) -> None:
    """The page."""
    Upstreams(page).build()


class Upstreams:
    """A table for each group, and the charts of all."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._tables: dict[str, Rows] = {}
        self._looks = 0.0

    def build(self) -> None:
        """Everything, then what is known already."""
        t = self._page.t
        with ui.element("div").classes("grid"):
            with card(t("upstreams.latency"), "w7", t("upstreams.latency_hour")):
                self._latency = Chart(t("upstreams.latency"), "ms")
            with card(t("upstreams.errors"), "w5", t("upstreams.errors_hour")):
                self._errors = Chart(t("upstreams.errors"), t("unit.per_minute"), whole=True)
        self._groups = ui.element("div").classes("body groups")
        self._page.live(self._update)
        self._update()

    def _update(self) -> None:
        feed = self._page.desk.feed
        groups = feed.groups
        if list(self._tables) != [group["name"] for group in groups]:
            self._build_tables(groups)
        found = slowest(groups)
        slow = found.place if found else None
        for group in groups:
            self._tables[group["name"]].show(
                [self._row(group, each, (group["name"], each["name"]) == slow) for each in group["upstreams"]]
            )
        newest = feed.looks[-1].at if feed.looks else 0
        if newest != self._looks:
            self._looks = newest
            self._draw()

    def _build_tables(self, groups: list[dict[str, Any]]) -> None:
        t = self._page.t
        self._groups.clear()
        self._tables = {}
        columns: list[tuple[str, str, Kind]] = [
            ("upstream", t("column.upstream"), "name"),
            ("latency", t("column.latency"), "number"),
            ("p95", t("column.p95"), "number"),
            ("health", t("column.health"), "text"),
            ("requests", t("column.requests"), "number"),
            ("errors", t("column.errors"), "number"),
            ("flight", t("column.in_flight"), "number"),
            ("budget", t("column.budget"), "text"),
            ("do", "", "actions"),
        ]
        with self._groups:
            for group in groups:
                about = t(
                    "upstreams.group_about",
                    strategy=group["strategy"],
                    timeout=numbers.ms(1000 * group["timeout_s"]),
                    questions=numbers.count(group["questions"]),
                    hedges=numbers.count(group["hedges"]),
                )
                via = f" · {group['via']}" if group["via"] else ""
                with card(group["name"], "", about + via):
                    self._tables[group["name"]] = Rows(
                        group["name"], columns, t("upstreams.none"), self._acting(group["name"])
                    )

    def _row(self, group: dict[str, Any], each: dict[str, Any], is_slowest: bool) -> dict[str, Any]:
        t = self._page.t
        rests = each["health"] == "resting" or bool(each["rests_s"])
        action = (
            Action(act="wake", label=t("act.wake"), icon="wb_sunny")
            if rests
            else Action(act="rest", label=t("act.rest"), icon="bedtime")
        )
        mark = {"mark": t("upstreams.slowest")} if is_slowest else {}
        limit = each["rate"]
        return {
            "key": each["name"],
            "about": each["name"],
            "upstream": {"text": each["name"], **mark},
            "latency": numbers.ms(each["latency_ms"]),
            "p95": numbers.ms(each["p95_ms"]),
            "health": health_cell(self._page, each),
            "requests": numbers.count(each["requests"]),
            "errors": {"text": numbers.count(errors_of(each)), "note": _kinds(each)},
            "flight": f"{each['in_flight']} / {each['most_in_flight']}",
            "budget": t("upstreams.no_limit")
            if limit is None
            else f"{numbers.rate(limit)} {t('unit.per_second')}",
            "actions": [action],
        }

    def _acting(self, group: str) -> Any:
        async def act(upstream: str, what: str) -> None:
            if what not in ("rest", "wake"):
                return
            query = {"upstream": upstream, **({"seconds": A_REST} if what == "rest" else {})}
            proxy = self._page.desk.proxy
            if await self._page.tried(proxy.post(f"/groups/{part(group)}/{what}", query)) is None:
                return
            self._page.say(self._page.t(f"upstreams.{what}s", name=upstream))
            found = await self._page.tried(proxy.get("/upstreams"))
            if found is not None:
                self._page.desk.feed.groups = found
                self._update()

        return act

    def _draw(self) -> None:
        looks = list(self._page.desk.feed.looks)
        known = list(dict.fromkeys(key for look in looks for key in look.upstreams))
        names = {key: upstream_key(*key) if len(self._tables) > 1 else key[1] for key in known}
        times = [look.at for look in looks]
        found = {key: [look.upstreams.get(key) for look in looks] for key in known}
        self._latency.show(
            times,
            {
                names[key]: [
                    None if each is None or each[0] is None else round(each[0], 1) for each in found[key]
                ]
                for key in known
            },
            {},
        )
        self._errors.show(
            times,
            {names[key]: _per_minute(times, [each and each[3] for each in found[key]]) for key in known},
            {},
        )


def _per_minute(times: list[float], totals: list[int | None]) -> list[float | None]:
    """From what was counted until each time to how many came a minute."""
    rates: list[float | None] = [0.0] if totals else []
    for place in range(1, len(totals)):
        before, now = totals[place - 1], totals[place]
        if before is None or now is None:
            rates.append(None)
        else:
            passed = max(0.001, times[place] - times[place - 1])
            rates.append(round(PER_MINUTE * max(0, now - before) / passed, 1))
    return rates


def _kinds(upstream: dict[str, Any]) -> str:
    """Errors by kind, those that came."""
    errors = upstream.get("errors")
    if not isinstance(errors, dict):
        return ""
    return ", ".join(f"{kind} {count}" for kind, count in errors.items() if count)
