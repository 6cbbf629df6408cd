"""Whether names of a list were sent outside of its group, as the ledger says."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from smartdoh.control.dashboard.frame import Page, button, text_of
from smartdoh.control.dashboard.parts import numbers
from smartdoh.control.dashboard.parts.questions import plain
from smartdoh.control.dashboard.parts.rows import Rows

MOST = "200"  # names that are shown


async def in_dialog(page: Page, name: str) -> None:
    """Show it over the page."""
    t = page.t
    found = await page.tried(page.desk.proxy.get("/leaks", {"list": name, "limit": MOST}))
    if found is None:
        return
    leaked = found["leaked"]
    with page.client, ui.dialog() as dialog, ui.element("div").classes("sheet cards leaks"):
        text_of("h2", t("leaks.title", name=name))
        with ui.element("div").classes("verdict"):
            verdict = t("leaks.some", count=len(leaked) + found["left_off"]) if leaked else t("leaks.none")
            text_of("span", verdict).classes(f"chip tone-{'bad' if leaked else 'good'}")
        looked = t(
            "leaks.looked", count=numbers.count(found["names"]), group=found["group"] or t("leaks.blocked")
        )
        text_of("p", looked).classes("about")
        if leaked:
            _table(page, leaked)
        with ui.element("div").classes("foot"):
            button(t("act.close"), dialog.close)
    await dialog
    dialog.delete()


def _table(page: Page, leaked: list[dict[str, Any]]) -> None:
    t = page.t
    Rows(
        t("rules.lists"),
        [
            ("name", t("column.name"), "name"),
            ("group", t("column.group"), "text"),
            ("upstream", t("column.upstream"), "text"),
            ("count", t("column.requests"), "number"),
            ("last", t("column.time"), "time"),
        ],
        t("leaks.none"),
    ).show(
        [
            {
                "key": f"{each['name']} {each['group']} {each['upstream']}",
                "name": plain(each["name"]),
                "group": each["group"],
                "upstream": each["upstream"],
                "count": numbers.count(each["count"]),
                "last": {"text": each["last"]},
            }
            for each in leaked
        ]
    )
