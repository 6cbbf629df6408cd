"""Why a question gets its answer, as the proxy explains it."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from smartdoh.control.dashboard.frame import Page, button, facts, text_of
from smartdoh.control.dashboard.parts import numbers
from smartdoh.control.dashboard.parts.health import health_cell, upstream_key
from smartdoh.control.dashboard.parts.rows import Rows

TONES = {"block": "blocked", "refuse": "refused", "answer": "local", "ask": "good"}


async def ask(page: Page, name: str, qtype: str, client: str) -> dict[str, Any] | None:
    """The proxy's explanation; None where it has none, which the person is told."""
    query = {"name": name, "type": qtype or "A", "client": client or "127.0.0.1"}
    found: dict[str, Any] | None = await page.tried(page.desk.proxy.get("/explain", query))
    return found


async def in_dialog(page: Page, name: str, qtype: str, client: str) -> None:
    """Show it over the page."""
    found = await ask(page, name, qtype, client)
    if found is None:
        return
    with page.client, ui.dialog() as dialog, ui.element("div").classes("sheet cards explained"):
        text_of("h2", f"{found['name']} {found['type']}")
        show(page, found)
        with ui.element("div").classes("foot"):
            button(page.t("act.close"), dialog.close)
    await dialog
    dialog.delete()


def show(page: Page, found: dict[str, Any]) -> None:
    """The whole of it, where one is."""
    t, decision = page.t, found["decision"]
    action = str(decision["action"])
    with ui.element("div").classes("verdict"):
        text_of("span", t(f"decision.{action}", group=decision["group"])).classes(
            f"chip tone-{TONES.get(action, 'calm')}"
        )
        text_of("span", decision["why"])
    facts(_pairs(page, found))
    if decision["text"]:
        text_of("pre", f"{decision['file']}:{decision['line']}\n{decision['text']}").classes("code")
    for exception in found["let_through"]:
        text_of("pre", f"{t('explain.let_through')}: {exception['why']}\n{exception['text']}").classes("code")
    if action == "ask":
        _upstreams(page, found["group"])
    _kept(page, found["cached"])


def _pairs(page: Page, found: dict[str, Any]) -> list[tuple[str, str]]:
    t, decision = page.t, found["decision"]
    pairs = [(t("explain.asked_by"), found["client"])]
    if not found["may_ask"]:
        pairs.append((t("explain.may_ask"), t("explain.may_not")))
    if decision["list"]:
        pairs.append((t("column.list"), decision["list"]))
    if decision["addresses"]:
        pairs.append((t("explain.addresses"), ", ".join(decision["addresses"])))
    if found["answered_here"]:
        pairs.append((t("explain.answered_here"), found["answered_here"]))
    if found["lists_missing"]:
        pairs.append((t("explain.lists_missing"), ", ".join(found["lists_missing"])))
    best = [
        f"{each['address']} ({each['standing']}, {numbers.ms(each['connect_ms'])})"
        for each in found["addresses"]
    ]
    if best:
        pairs.append((t("explain.ranked"), ", ".join(best)))
    return pairs


def _upstreams(page: Page, group: dict[str, Any]) -> None:
    t = page.t
    Rows(
        t("nav.upstreams"),
        [
            ("upstream", t("column.upstream"), "name"),
            ("latency", t("column.latency"), "number"),
            ("health", t("column.health"), "text"),
        ],
        t("upstreams.none"),
    ).show(
        [
            {
                "key": upstream_key(group["name"], each["name"]),
                "upstream": each["name"],
                "latency": numbers.ms(each["latency_ms"]),
                "health": health_cell(page, each),
            }
            for each in group["upstreams"]
        ]
    )


def _kept(page: Page, cached: list[dict[str, Any]]) -> None:
    t = page.t
    if not cached:
        text_of("p", t("explain.not_cached")).classes("about")
    for answer in cached:
        left = max(0.0, float(answer["left_s"]))
        words = t(
            "explain.cached",
            level=t(f"level.{answer['level']}"),
            rcode=answer["rcode"],
            state=t(f"state.{answer['state']}"),
            left=numbers.seconds(left),
            source=answer["source"] or "–",
        )
        text_of("pre", "\n".join([words, *(f"  {record}" for record in answer["records"])])).classes("code")
