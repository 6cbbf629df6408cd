"""Settings: what runs with which config, read-only, and reading it again."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from smartdoh.config import format_duration
from smartdoh.control.dashboard.frame import Page, button, card, facts, help_text, text_of
from smartdoh.control.dashboard.parts import numbers
from smartdoh.control.dashboard.parts.tiles import Tile
from smartdoh.control.failures import NotRunningError, RefusedError


async def build(page: Page, _query: dict[str, str]) -> None:
    """The page."""
    await Settings(page).build()


class Settings:
    """Status, reload, and the config."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def build(self) -> None:
        """Everything."""
        t = self._page.t
        self._status = ui.element("div").classes("body")
        with card(t("settings.reload"), "", t("settings.reload_about")):
            with ui.element("div").classes("form"):
                button(t("settings.reload_now"), self._reload, "strong")
            self._told = ui.element("div").classes("body")
        self._config = ui.element("div").classes("body")
        await self._load()

    async def _load(self) -> None:
        t, proxy = self._page.t, self._page.desk.proxy
        self._status.clear()
        self._config.clear()
        try:
            status, config = await proxy.get("/status"), await proxy.get("/settings")
        except (NotRunningError, RefusedError) as error:
            with self._status:
                help_text(self._page.words_of(error), "is-bad")
            return
        with self._status:
            self._show_status(status)
        with self._config:
            text_of("p", t("settings.read_only", path=config["path"])).classes("about")
            if config["warnings"]:
                help_text(" · ".join(config["warnings"]))
            with ui.element("div").classes("columns"):
                for name, table in config["settings"].items():
                    if isinstance(table, dict):
                        self._table(name, table)

    def _show_status(self, status: dict[str, Any]) -> None:
        t = self._page.t
        with ui.element("div").classes("tiles"):
            Tile(t("settings.version"), status["version"], status["fast_path"])
            Tile(t("settings.uptime"), numbers.seconds(status["uptime_s"]), f"pid {status['pid']}")
            Tile(t("settings.groups"), str(len(status["groups"])), ", ".join(status["groups"]))
            workers = status.get("workers")
            Tile(t("settings.workers"), str(len(workers) if workers else 1), t("settings.workers_note"))
        with card(t("settings.listening")):
            facts(
                [(t("settings.dns"), ", ".join(status["listening"])), (t("settings.file"), status["config"])]
            )

    def _table(self, name: str, table: dict[str, Any]) -> None:
        nested = {key: value for key, value in table.items() if isinstance(value, dict)}
        plain = [(key, _shown(value)) for key, value in table.items() if key not in nested]
        if plain:
            with card(f"[{name}]"):
                facts(plain)
        for key, value in nested.items():
            self._table(f"{name}.{key}", value)

    async def _reload(self) -> None:
        t = self._page.t
        done = None
        self._told.clear()
        try:
            done = await self._page.desk.proxy.post("/reload")
        except (NotRunningError, RefusedError) as error:
            with self._told:
                text_of("pre", self._page.words_of(error)).classes("code is-bad")
            self._page.say(t("settings.refused"), "negative")
            return
        self._page.say(t("settings.reloaded"))
        if done["warnings"]:
            with self._told:
                text_of("pre", "\n".join(done["warnings"])).classes("code")
        await self._load()


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format_duration(value)  # nothing else in it is a float
    if isinstance(value, list):
        return (
            "\n".join(map(_shown, value))
            if value and isinstance(value[0], dict)
            else ", ".join(map(_shown, value))
        )
    if isinstance(value, dict):
        return ", ".join(
            f"{key} = {_shown(each)}" for key, each in value.items() if each not in (None, "", [])
        )
    return "–" if value in (None, "") else str(value)
