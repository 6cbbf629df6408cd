"""The screen of `smartdoh top` before a running proxy: pressed, waited for, and read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from textual.pilot import Pilot
from textual.widgets import Static

from smartdoh.control import client
from smartdoh.control.top.app import KEYS, Top
from smartdoh.control.top.dialogs import Dialog
from smartdoh.control.top.panel import Panel
from tests.e2e.commands import config_of
from tests.servers.smartdoh import RunningProxy, environment

SECONDS = 30.0  # that something may take to be seen


class Screen:
    """What a person sees and does."""

    def __init__(self, app: Top, pilot: Pilot[None]) -> None:
        self.app, self._pilot = app, pilot

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        await self._pilot.press(*keys)
        await self._pilot.pause()

    async def resize(self, width: int, height: int) -> None:
        """Make the terminal another size."""
        await self._pilot.resize_terminal(width, height)
        await self._pilot.pause()

    async def until(self, is_so: Callable[[], object]) -> None:
        """Wait until it is so."""
        end = time.monotonic() + SECONDS
        while not is_so():
            assert time.monotonic() < end, self.text()
            await self._pilot.pause(0.05)

    def panel(self, key: str) -> Panel:
        """One of the tables."""
        return self.app.screen_stack[0].query_one(f"#{key}", Panel)

    def rows(self, key: str) -> list[tuple[str, ...]]:
        """What a table shows."""
        return [row.cells for row in self.panel(key).rows]

    async def stand_on(self, key: str, words: str) -> None:
        """Go to the row that begins with these words, once it is there."""
        await self.press(str(KEYS.index(key) + 1))
        await self.until(lambda: any(words in row[0] for row in self.rows(key)))
        place = next(n for n, row in enumerate(self.rows(key)) if words in row[0])
        await self.press("home", *["down"] * place)
        row = self.panel(key).row
        assert row is not None
        assert words in row.cells[0]

    def shown(self, part: str) -> str:
        """The text of a part that is no table."""
        return str(self.app.screen_stack[0].query_one(part, Static).content)

    def dialog(self) -> str:
        """The text of the dialog; empty where there is none."""
        screen = self.app.screen
        return str(screen.query_one(Static).content) if isinstance(screen, Dialog) else ""

    def said(self) -> str:
        """All notices."""
        return "\n".join(notice.message for notice in self.app._notifications)

    def text(self) -> str:
        """All characters on the screen."""
        lines = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text for strip in lines)


@asynccontextmanager
async def top(
    proxy: RunningProxy, width: int = 80, height: int = 24, words: str = "answering"
) -> AsyncIterator[Screen]:
    """The program before a proxy, once its first line has these words."""
    config = config_of(proxy)
    app = Top(partial(client.find, config, environment(config.parent)))
    async with app.run_test(size=(width, height)) as pilot:
        screen = Screen(app, pilot)
        await screen.until(lambda: words in screen.shown("#head"))
        yield screen


def watch(proxy: RunningProxy, play: Callable[[Screen], object], width: int = 80, height: int = 24) -> None:
    """Have a story played."""

    async def played() -> None:
        async with top(proxy, width, height) as screen:
            await play(screen)  # type: ignore[misc]

    asyncio.run(played())
