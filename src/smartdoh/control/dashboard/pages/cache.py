"""Cache: how much is kept, what is kept for a name, and forgetting it."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

from nicegui import ui

from smartdoh.control.dashboard.client import part
from smartdoh.control.dashboard.frame import Page, button, card, submit, text_of
from smartdoh.control.dashboard.parts import numbers
from smartdoh.control.dashboard.parts.questions import plain
from smartdoh.control.dashboard.parts.rows import Action, Rows
from smartdoh.control.dashboard.parts.tiles import Tile
from smartdoh.control.failures import NotRunningError, RefusedError

MOST_SHOWN = 200  # answers
STATES = {"fresh": "good", "stale": "warn", "expired": "bad"}


async def build(page: Page, query: dict[str, str]) -> None:
    """The page; ?name= is looked up at once."""
    await Cache(page).build(query.get("name", ""))


class Cache:
    """Counters, a search, and its answers."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._found: dict[str, dict[str, Any]] = {}

    async def build(self, name: str) -> None:
        """Everything."""
        t = self._page.t
        with ui.element("div").classes("tiles"):
            self._memory = Tile(t("cache.memory"))
            self._ratio = Tile(t("cache.ratio"))
            self._disk = Tile(t("cache.disk"))
            self._evicted = Tile(t("cache.evicted"))
        with card(t("cache.find")), ui.element("form").classes("form") as form:
            form.on("submit.prevent", self._search)
            self._name = (
                ui.input(t("cache.name"), value=name)
                .props('outlined dense autocomplete="off" spellcheck="false"')
                .classes("grow")
            )
            self._below = ui.checkbox(t("queries.below"), value=True)
            submit(t("queries.search"))
            button(t("cache.flush_name"), self._flush_name)
            button(t("cache.flush_all"), self._flush_all)
        with card(t("cache.answers")):
            self._rows = Rows(
                t("cache.answers"),
                [
                    ("name", t("column.name"), "name"),
                    ("type", t("column.type"), "text"),
                    ("rcode", t("column.rcode"), "text"),
                    ("state", t("column.state"), "text"),
                    ("left", t("column.left"), "number"),
                    ("source", t("column.source"), "text"),
                    ("do", "", "actions"),
                ],
                t("cache.ask"),
                self._act,
            )
        await self._count()
        if name:
            await self._search()

    async def _count(self) -> None:
        found = await self._page.tried(self._page.desk.proxy.get("/cache"))
        if found is None:
            return
        t, memory, disk = self._page.t, found["memory"], found["disk"]
        self._memory.show(numbers.count(memory["entries"]), numbers.octets(memory.get("octets", 0)))
        asked = memory["hits"] + memory["misses"]
        self._ratio.show(numbers.share(memory["hits"] / asked) if asked else "–", t("cache.since_start"))
        self._evicted.show(numbers.count(memory.get("evictions", 0)), t("cache.since_start"))
        if disk is None:
            self._disk.show("–", t("cache.no_disk"))
        else:
            self._disk.show(numbers.count(disk["entries"]), t("cache.on_disk"))

    async def _search(self) -> None:
        t, name = self._page.t, self._name.value.strip()
        self._found = {}
        if not name:
            self._rows.show([], t("cache.ask"))
            return
        query = {"below": "1"} if self._below.value else None
        try:
            async with aclosing(self._page.desk.proxy.lines("GET", f"/cache/{part(name)}", query)) as lines:
                async for answer in lines:
                    self._found[str(len(self._found))] = answer
                    if len(self._found) >= MOST_SHOWN:
                        break
        except (NotRunningError, RefusedError) as error:
            self._page.say(self._page.words_of(error), "negative")
        self._rows.show(
            [self._row(key, each) for key, each in self._found.items()], t("cache.none", name=name)
        )

    def _row(self, key: str, answer: dict[str, Any]) -> dict[str, Any]:
        t = self._page.t
        return {
            "key": key,
            "about": answer["name"],
            "name": plain(answer["name"]),
            "type": answer["type"],
            "rcode": answer["rcode"],
            "state": {"text": t(f"state.{answer['state']}"), "chip": STATES.get(answer["state"], "calm")},
            "left": numbers.seconds(max(0.0, answer["left_s"])),
            "source": {"text": answer["source"] or "–", "note": answer["group"]},
            "actions": [
                Action(act="look", label=t("act.look"), icon="visibility"),
                Action(act="flush", label=t("act.flush"), icon="delete_outline"),
            ],
        }

    async def _act(self, key: str, act: str) -> None:
        answer = self._found.get(key)
        if answer is None:
            return
        if act == "look":
            await self._look(answer)
        elif act == "flush":
            await self._flush(f"/cache/{part(answer['name'])}", {"type": answer["type"]})

    async def _look(self, answer: dict[str, Any]) -> None:
        t = self._page.t
        flags = [
            word
            for word, is_so in (("DO", answer["dnssec_ok"]), ("CD", answer["checking_disabled"]))
            if is_so
        ]
        head = t(
            "explain.cached",
            level=t(f"level.{answer['level']}"),
            rcode=answer["rcode"],
            state=t(f"state.{answer['state']}"),
            left=numbers.seconds(max(0.0, answer["left_s"])),
            source=answer["source"] or "–",
        )
        with self._page.client, ui.dialog() as dialog, ui.element("div").classes("sheet"):
            text_of("h2", " ".join([answer["name"], answer["klass"], answer["type"], *flags]))
            text_of("p", head).classes("about")
            text_of("pre", "\n".join(answer["records"]) or t("cache.no_records")).classes("code")
            with ui.element("div").classes("foot"):
                button(t("act.close"), dialog.close)
        await dialog
        dialog.delete()

    async def _flush_name(self) -> None:
        name = self._name.value.strip()
        if name:
            await self._flush(f"/cache/{part(name)}", {"below": "1"} if self._below.value else None)
        else:
            self._page.say(self._page.t("cache.ask"), "warning")

    async def _flush_all(self) -> None:
        t = self._page.t
        with self._page.client, ui.dialog() as dialog, ui.element("div").classes("sheet"):
            text_of("h2", t("cache.flush_all"))
            text_of("p", t("cache.flush_all_about"))
            with ui.element("div").classes("foot"):
                button(t("act.cancel"), dialog.close)
                button(t("cache.flush_all"), lambda: dialog.submit(True), "danger")
        is_meant = await dialog
        dialog.delete()
        if is_meant:
            await self._flush("/cache", None)

    async def _flush(self, target: str, query: dict[str, str] | None) -> None:
        done = await self._page.tried(self._page.desk.proxy.delete(target, query))
        if done is not None:
            self._page.say(self._page.t("cache.flushed", count=done["removed"]))
            await self._count()
            await self._search()
