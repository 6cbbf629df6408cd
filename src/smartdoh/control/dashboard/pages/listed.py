"""The lists of the rules page: what is used of each, how old it is, and fetching it now."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

from nicegui import ui

from smartdoh.control.dashboard.client import part
from smartdoh.control.dashboard.frame import Page, button, card, text_of
from smartdoh.control.dashboard.parts import leaks, numbers
from smartdoh.control.dashboard.parts.rows import Action, Rows
from smartdoh.control.failures import NotRunningError, RefusedError

OUTCOMES = {"updated": "positive", "unchanged": "info", "set aside": "warning", "failed": "negative"}


class Lists:
    """The table, the button, and how far an update is."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._names: list[str] = []

    async def build(self) -> None:
        """Everything."""
        t = self._page.t
        with card(t("rules.lists")):
            with ui.element("div").classes("form"):
                self._button = button(t("rules.update_all"), lambda: self._update(""))
                self._progress = ui.linear_progress(value=0, show_value=False, size="6px").classes("grow")
                self._words = text_of("span", "").classes("about")
            self._progress.set_visibility(False)
            self._rows = Rows(
                t("rules.lists"),
                [
                    ("name", t("column.list"), "name"),
                    ("used", t("column.lines"), "number"),
                    ("changed", t("column.changed"), "time"),
                    ("checked", t("column.checked"), "time"),
                    ("state", t("column.state"), "text"),
                    ("do", "", "actions"),
                ],
                t("rules.no_lists"),
                self._act,
            )
        await self._load()

    async def _load(self) -> None:
        found = await self._page.tried(self._page.desk.proxy.get("/lists"))
        self._names = [each["name"] for each in found or []]
        self._rows.show([self._row(each) for each in found or []])
        self._button.set_visibility(bool(self._names))

    def _row(self, each: dict[str, Any]) -> dict[str, Any]:
        t = self._page.t
        skipped = sum(each["skipped"].values())
        return {
            "key": each["name"],
            "name": {"text": each["name"], "note": each["url"] or each["file"]},
            "used": {
                "text": "–" if each["lines_used"] is None else numbers.count(each["lines_used"]),
                "note": t("rules.skipped", count=numbers.count(skipped)) if skipped else "",
            },
            "changed": {"text": each["changed"]} if each["changed"] else None,
            "checked": {"text": each["checked"]} if each["checked"] else None,
            "state": self._state(each),
            "actions": [
                Action(act="leaks", label=t("act.leaks"), icon="privacy_tip"),
                Action(act="update", label=t("act.update"), icon="refresh", off=each["updating"]),
            ],
        }

    def _state(self, each: dict[str, Any]) -> dict[str, Any]:
        t = self._page.t
        if each["problem"]:
            return {"text": t("list.problem"), "chip": "bad", "note": each["problem"]}
        if each["set_aside"] is not None:
            return {
                "text": t("list.set_aside"),
                "chip": "warn",
                "note": "; ".join(each["set_aside"]["reasons"]),
            }
        if each["lines_used"] is None:
            return {"text": t("list.missing"), "chip": "warn"}
        later = each["next_look_s"]
        note = t("list.next", time=numbers.seconds(later)) if later is not None else ""
        return {"text": t("list.used"), "chip": "good", "note": note}

    async def _act(self, name: str, act: str) -> None:
        if name in self._names:
            await (leaks.in_dialog(self._page, name) if act == "leaks" else self._update(name))

    async def _update(self, name: str) -> None:
        """One, or all where no name is given; the proxy tells how far it is."""
        target = f"/lists/{part(name)}" if name else "/lists"
        self._progress.set_visibility(True)
        self._button.disable()
        try:
            async with aclosing(self._page.desk.proxy.lines("POST", target)) as events:
                async for event in events:
                    self._told(event)
        except (NotRunningError, RefusedError) as error:
            self._page.say(self._page.words_of(error), "negative")
        finally:
            self._progress.set_visibility(False)
            self._button.enable()
            self._words._text = ""
            self._words.update()
        await self._load()

    def _told(self, event: dict[str, Any]) -> None:
        t = self._page.t
        if "outcome" in event:
            outcome = str(event["outcome"])
            words = t(f"result.{outcome.replace(' ', '_')}", name=event["list"])
            self._page.say(
                f"{words}: {event['why']}" if event["why"] else words, OUTCOMES.get(outcome, "info")
            )
            return
        done, total = event["done"], event["total"]
        self._progress.set_value(done / total if total else 0)
        self._words._text = (
            f"{event['list']}: {t('phase.' + event['phase'])} {numbers.octets(done) if done else ''}"
        )
        self._words.update()
