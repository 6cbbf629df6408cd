"""One's own word on a name: set as an override by a click, with what came of it as a notice."""

from __future__ import annotations

from functools import partial
from typing import Any

from nicegui import ui

from smartdoh.control.dashboard.client import part
from smartdoh.control.dashboard.frame import Page, button, text_of


async def put(page: Page, key: str, value: object) -> bool:
    """Set the override; whether that went well."""
    done = await page.tried(page.desk.proxy.put(f"/overrides/{part(key)}", value))
    if done is None:
        return False
    page.say(page.t("word.set", name=key, value=shown(value)))
    return True


async def remove(page: Page, key: str) -> bool:
    """Remove it; whether that went well."""
    done = await page.tried(page.desk.proxy.delete(f"/overrides/{part(key)}"))
    if done is None:
        return False
    page.say(page.t("word.removed", name=key))
    return True


async def route(page: Page, name: str) -> None:
    """Have a person choose a group for the name."""
    status = await page.tried(page.desk.proxy.get("/status"))
    if status is None:
        return
    with page.client, ui.dialog() as dialog, ui.element("div").classes("sheet"):
        text_of("h2", page.t("word.route", name=key_of(name)))
        with ui.element("div").classes("form"):
            for group in status["groups"]:
                button(group, partial(dialog.submit, group))
        with ui.element("div").classes("foot"):
            button(page.t("act.cancel"), dialog.close)
    chosen = await dialog
    dialog.delete()
    if chosen in status["groups"]:
        await put(page, key_of(name), chosen)


def key_of(name: str) -> str:
    """A question's name as overrides have it."""
    return name.removesuffix(".") or "."


def shown(value: Any) -> str:
    """An override's value in a line."""
    if isinstance(value, list):
        return ", ".join(map(shown, value))
    if isinstance(value, dict):
        rest = ", ".join(f"{name} {shown(each)}" for name, each in value.items() if name != "is")
        return f"{shown(value.get('is', ''))} ({rest})" if rest else shown(value.get("is", ""))
    return str(value)
