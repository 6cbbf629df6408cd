"""Queries: the log searched and filtered, or followed as it is written, with one's own word a click away."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import aclosing
from typing import Any

from nicegui import background_tasks, ui

from smartdoh.control.dashboard.frame import Page, button, card, set_text, submit, text_of
from smartdoh.control.dashboard.parts import explained, questions, words
from smartdoh.control.dashboard.parts.rows import Rows
from smartdoh.control.failures import NotRunningError, RefusedError

OUTCOMES = ("hit", "stale", "miss", "blocked", "local", "refused", "failed")
FILTERS = ("name", "client", "outcome", "group", "type", "rcode", "list")
FOLLOWED = 100  # rows while following
A_SEARCH = "100"  # rows
SHOW_EVERY = 0.5  # seconds
MOST_FOLLOWERS = 4  # pages that follow at once: each holds a connection to the proxy

_following = asyncio.Semaphore(MOST_FOLLOWERS)


async def build(page: Page, query: dict[str, str]) -> None:
    """The page; the URL's query is the first filter."""
    await Queries(page, {name: query[name] for name in FILTERS if query.get(name)}).build()


class Queries:
    """The filter, the table, and what fills it."""

    def __init__(self, page: Page, query: dict[str, str]) -> None:
        self._page = page
        self._query = query
        self._shown: dict[str, dict[str, Any]] = {}  # the questions in the table, by their rows' keys
        self._before: int | None = None
        self._lost = 0
        self._task: asyncio.Task[None] | None = None

    async def build(self) -> None:
        """The form, then what it finds; where nothing is kept, what comes from now on."""
        t = self._page.t
        with card(t("queries.find")):
            self._form()
        with card(t("queries.found")):
            self._about = text_of("span", "").classes("about")
            self._rows = Rows(t("nav.queries"), questions.columns(self._page), t("queries.none"), self._act)
            self._older = button(t("queries.older"), self._search_older)
            self._older.set_visibility(False)
        self._page.client.on_delete(self._stop)
        if not await self._search():
            self._follow.set_value(True)

    def _form(self) -> None:
        t, query = self._page.t, self._query
        with ui.element("form").classes("form") as form:
            form.on("submit.prevent", self._submitted)
            self._name = _field(t("queries.name"), query.get("name", "")).classes("grow")
            self._below = ui.checkbox(t("queries.below"), value="name" in query)
            self._client = _field(t("column.client"), query.get("client", ""))
            self._type = _field(t("column.type"), query.get("type", ""))
            options = {"": t("queries.any"), **{kind: t(f"outcome.{kind}") for kind in OUTCOMES}}
            wanted = query.get("outcome", "")
            self._outcome = ui.select(
                options, value=wanted if wanted in options else "", label=t("column.outcome")
            ).props("outlined dense options-dense")
            submit(t("queries.search"))
            self._follow = ui.switch(t("queries.follow"), on_change=self._followed)

    def _filters(self) -> dict[str, str]:
        found = {
            "name": self._name.value.strip(),
            "client": self._client.value.strip(),
            "type": self._type.value.strip().upper(),
            "outcome": self._outcome.value or "",
        }
        more = {name: self._query[name] for name in ("group", "rcode", "list") if name in self._query}
        below = {"below": "1"} if self._below.value and found["name"] else {}
        return {name: value for name, value in found.items() if value} | more | below

    # Searching

    async def _submitted(self) -> None:
        if self._follow.value:
            self._stop()
            self._start()
        else:
            await self._search()

    async def _search(self) -> bool:
        """Fill the table; whether there is a log to search."""
        query = {**self._filters(), "limit": A_SEARCH}
        try:
            found = await self._page.desk.proxy.get("/queries", query)
        except (NotRunningError, RefusedError) as error:
            set_text(self._about, self._page.words_of(error))
            return False
        self._shown = {}
        self._add_found(found)
        set_text(self._about, "")
        return True

    async def _search_older(self) -> None:
        query = {**self._filters(), "limit": A_SEARCH, "before": str(self._before)}
        found = await self._page.tried(self._page.desk.proxy.get("/queries", query))
        if found is not None:
            self._add_found(found)

    def _add_found(self, found: dict[str, Any]) -> None:
        for question in found["questions"]:
            self._shown[str(question["id"])] = question
        self._before = found["before"]
        self._older.set_visibility(self._before is not None)
        self._show()

    def _show(self) -> None:
        buttons = questions.actions(self._page)
        self._rows.show(
            [questions.row(self._page, key, question, buttons) for key, question in self._shown.items()],
            self._page.t("queries.waiting" if self._follow.value else "queries.none"),
        )

    # Following

    async def _followed(self) -> None:
        self._stop()
        if self._follow.value:
            self._shown = {}
            self._older.set_visibility(False)
            self._start()
            self._show()
        else:
            await self._search()

    def _start(self) -> None:
        self._task = background_tasks.create(self._read(), name="follow queries", context=self._page.client)

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _read(self) -> None:
        await self._page.client.connected()
        if _following.locked():
            self._page.say(self._page.t("queries.too_many"), "warning")
            return
        newest: deque[tuple[str, dict[str, Any]]] = deque(maxlen=FOLLOWED)
        self._lost = 0
        async with _following, asyncio.TaskGroup() as group:
            shower = group.create_task(self._show_now_and_then(newest))
            try:
                await self._read_into(newest)
            except (NotRunningError, RefusedError) as error:
                self._page.say(self._page.words_of(error), "negative")
            finally:
                shower.cancel()

    async def _read_into(self, newest: deque[tuple[str, dict[str, Any]]]) -> None:
        number = 0
        async with aclosing(self._page.desk.proxy.events("/queries/follow", self._filters())) as events:
            async for kind, told in events:
                if kind == "question":
                    number += 1
                    newest.appendleft((f"f{number}", told))
                elif kind == "lost":
                    self._lost += int(told["count"])

    async def _show_now_and_then(self, newest: deque[tuple[str, dict[str, Any]]]) -> None:
        """However many come, the page changes twice a second."""
        last: object = None
        while True:
            first = newest[0][0] if newest else None
            if first != last:
                last = first
                self._shown = dict(newest)
                self._show()
                said = self._page.t("queries.lost", count=self._lost) if self._lost else ""
                if said != self._about._text:
                    set_text(self._about, said)
            await asyncio.sleep(SHOW_EVERY)

    # One's own word

    async def _act(self, key: str, act: str) -> None:
        question = self._shown.get(key)
        if question is None:
            return
        name = str(question["name"])
        match act:
            case "block" | "allow":
                await words.put(self._page, words.key_of(name), act)
            case "route":
                await words.route(self._page, name)
            case "explain":
                await explained.in_dialog(self._page, name, question["type"], question["client"])


def _field(label: str, value: str) -> ui.input:
    return ui.input(label, value=value).props('outlined dense autocomplete="off" spellcheck="false"')
