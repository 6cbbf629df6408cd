"""Rules: trying a name, one's own word on names, and the lists."""

from __future__ import annotations

import json
from typing import Any

from nicegui import ui

from smartdoh.control.dashboard.frame import Page, button, card, submit, text_of
from smartdoh.control.dashboard.pages.listed import Lists
from smartdoh.control.dashboard.parts import explained, words
from smartdoh.control.dashboard.parts.rows import Action, Rows

ADDRESSES = "="  # no group is called so


async def build(page: Page, query: dict[str, str]) -> None:
    """The page; ?name= is tried at once."""
    await Trying(page).build(query.get("name", ""))
    await Overrides(page).build()
    await Lists(page).build()


class Trying:
    """A name, and why it gets its answer."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def build(self, name: str) -> None:
        """The form, and where the explanation comes."""
        t = self._page.t
        with card(t("rules.try"), "", t("rules.try_about")):
            with ui.element("form").classes("form") as form:
                form.on("submit.prevent", self._try)
                self._name = _field(t("column.name"), name).classes("grow try-name")
                self._type = _field(t("column.type"), "A")
                self._client = _field(t("column.client"), "127.0.0.1")
                submit(t("rules.explain"))
            self._found = ui.element("div").classes("body explained")
        if name:
            await self._try()

    async def _try(self) -> None:
        name = self._name.value.strip()
        if not name:
            return
        found = await explained.ask(
            self._page, name, self._type.value.strip().upper(), self._client.value.strip()
        )
        self._found.clear()
        if found is not None:
            with self._found:
                explained.show(self._page, found)


class Overrides:
    """The entries of overrides.json, in a person's order."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._entries: dict[str, Any] = {}

    async def build(self) -> None:
        """The form, then the table."""
        t = self._page.t
        status = await self._page.tried(self._page.desk.proxy.get("/status"))
        groups = list(status["groups"]) if status is not None else []
        with card(t("rules.overrides"), "", t("rules.overrides_about")):
            self._form(groups)
            self._rows = Rows(
                t("rules.overrides"),
                [
                    ("name", t("column.name"), "name"),
                    ("value", t("column.value"), "text"),
                    ("do", "", "actions"),
                ],
                t("rules.no_overrides"),
                self._act,
            )
        await self._load()

    def _form(self, groups: list[str]) -> None:
        t = self._page.t
        options = {
            "block": t("act.block"),
            "allow": t("act.allow"),
            **{group: t("rules.to_group", group=group) for group in groups},
            ADDRESSES: t("rules.addresses"),
        }
        with ui.element("form").classes("form") as form:
            form.on("submit.prevent", self._add)
            self._name = _field(t("rules.key"), "").classes("grow override-name")
            self._value = ui.select(options, value="block", label=t("column.value")).props(
                "outlined dense options-dense"
            )
            self._addresses = _field(t("rules.address_list"), "").classes("override-addresses")
            self._addresses.bind_visibility_from(self._value, "value", value=ADDRESSES)
            submit(t("act.add"))

    async def _load(self) -> None:
        t = self._page.t
        try:
            found = await self._page.desk.proxy.get("/overrides")
        except Exception as error:
            self._rows.show([], self._page.words_of(error))  # type: ignore[arg-type]
            return
        self._entries = {entry["key"]: entry["value"] for entry in found["entries"]}
        buttons = [
            Action(act="edit", label=t("act.edit"), icon="edit"),
            Action(act="remove", label=t("act.remove"), icon="delete_outline"),
        ]
        self._rows.show(
            [
                {"key": key, "name": key, "value": _value_cell(value), "actions": buttons}
                for key, value in self._entries.items()
            ],
            t("rules.no_overrides"),
        )

    async def _add(self) -> None:
        name, value = self._name.value.strip(), self._value.value
        if not name:
            return
        if value == ADDRESSES:
            value = [each.strip() for each in self._addresses.value.split(",") if each.strip()]
        if await words.put(self._page, name, value):
            self._name.set_value("")
            await self._load()

    async def _act(self, key: str, act: str) -> None:
        if key not in self._entries:
            return
        if act == "edit":
            await self._edit(key)
        elif act == "remove" and await words.remove(self._page, key):
            await self._load()

    async def _edit(self, key: str) -> None:
        t = self._page.t
        with self._page.client, ui.dialog() as dialog, ui.element("div").classes("sheet"):
            text_of("h2", key)
            text_of("p", t("rules.edit_about")).classes("about")
            area = ui.textarea(value=json.dumps(self._entries[key], indent=2, ensure_ascii=False))
            area.props("outlined spellcheck=false").classes("override-json")
            with ui.element("div").classes("foot"):
                button(t("act.cancel"), dialog.close)
                button(t("act.save"), lambda: dialog.submit(area.value), "strong")
        written = await dialog
        dialog.delete()
        if written is None:
            return
        try:
            value = json.loads(written)
        except ValueError as error:
            self._page.say(t("rules.not_json", problem=str(error)), "negative")
            return
        if await words.put(self._page, key, value):
            await self._load()


def _value_cell(value: object) -> dict[str, Any] | str:
    if value in ("block", "allow"):
        return {"text": str(value), "chip": "blocked" if value == "block" else "good"}
    return words.shown(value)


def _field(label: str, value: str) -> ui.input:
    return ui.input(label, value=value).props('outlined dense autocomplete="off" spellcheck="false"')
