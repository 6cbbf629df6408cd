"""The screen of `smartdoh top`: what comes from the feed is shown, and keys steer the proxy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import ClassVar

from textual import on, work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.content import Content
from textual.events import Resize
from textual.message import Message
from textual.widgets import DataTable, Footer, Input, Static, Tab, Tabs

from smartdoh.control.client import Proxy
from smartdoh.control.failures import NotRunningError, RefusedError
from smartdoh.control.top import steering, summary, words
from smartdoh.control.top.dialogs import HELP, Dialog
from smartdoh.control.top.feed import Came, Feed, Gone
from smartdoh.control.top.panel import Panel
from smartdoh.control.top.rates import Rates
from smartdoh.control.top.rows import VIEWS, Row
from smartdoh.control.top.style import STYLE

WIDE, HIGH = 120, 36  # columns and lines from which all tables are seen at once
LABEL = 17  # characters of the figures' labels
OF_NAMES = ("block", "allow", "forget")
OF_UPSTREAMS = ("rest", "wake")
KEYS = [view.key for view in VIEWS]

Find = Callable[[], Proxy]
"""Finds the proxy. Raises NotRunningError."""


class Top(App[None]):
    """What is asked now."""

    CSS = STYLE
    ENABLE_COMMAND_PALETTE = False
    TITLE = "smartdoh"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("p", "pause", "Pause"),
        Binding("slash", "filter", "Filter"),
        Binding("b", "block", "Block"),
        Binding("a", "allow", "Allow"),
        Binding("f", "forget", "Forget"),
        Binding("r", "rest", "Rest"),
        Binding("w", "wake", "Wake"),
        Binding("question_mark", "help", "Help"),
        Binding("t", "theme", "Light or dark", show=False),
        Binding("tab", "turn(1)", "Next table", show=False, priority=True),
        Binding("shift+tab", "turn(-1)", "Table before", show=False, priority=True),
        Binding("right", "turn(1)", "Next table", show=False, priority=True),
        Binding("left", "turn(-1)", "Table before", show=False, priority=True),
        Binding("escape", "unfilter", "All rows", show=False),
        *(Binding(str(n + 1), f"jump({n})", view.title, show=False) for n, view in enumerate(VIEWS)),
    ]

    class Told(Message):
        """What the feed tells, in its thread."""

        def __init__(self, what: Came | Gone) -> None:
            super().__init__()
            self.what = what

    def __init__(self, find: Find, interval: float = 1.0, *, is_light: bool = False) -> None:
        """`find` is called again when the proxy was away; `interval` is how often the screen changes (seconds)."""
        super().__init__()
        self.theme = "textual-light" if is_light else "textual-dark"
        self._find = find
        self._feed = Feed(find, interval, self._tell)
        self._came: Came | None = None
        self._away = "looking for it"
        self._is_paused = False
        self._active = 0

    def compose(self) -> ComposeResult:
        """Head, rates and figures, tables, keys."""
        yield Static(summary.waiting("looking for it"), id="head", classes="-waiting", markup=False)
        with Horizontal(id="top"):
            yield Rates()
            yield Static("", id="figures", markup=False)
        yield Tabs(*(Tab(view.title, id=f"tab-{view.key}") for view in VIEWS), id="tabs")
        with Container(id="panels"):
            for view in VIEWS:
                yield Panel(view)
        yield Input(
            placeholder="only rows with these words; Enter: keep, Escape: all rows", id="filter", compact=True
        )
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Begin to follow."""
        self.query_one(Tabs).can_focus = False
        self._show_active()
        self._feed.start()

    def on_unmount(self) -> None:
        """Follow no more."""
        self._feed.stop()

    def on_resize(self, event: Resize) -> None:
        """All tables at once where there is room."""
        self.screen.set_class(event.size.width >= WIDE and event.size.height >= HIGH, "-wide")

    # What comes

    def _tell(self, what: Came | Gone) -> None:
        self.post_message(self.Told(what))

    @on(Told)
    def _told(self, told: Told) -> None:
        if not self.screen_stack:  # the last words of the feed, while the screen is taken down
            return
        if isinstance(told.what, Gone):
            self._away = told.what.why
        else:
            self._away = ""
            if self._is_paused:
                return
            self._came = told.what
            self._show(told.what)
        self._show_head()

    def _show(self, came: Came) -> None:
        screen = self.screen_stack[0]
        screen.query_one(Rates).show(came.look)
        figures = "\n".join(f"{label:{LABEL}} {text}" for label, text in summary.figures(came.look))
        screen.query_one("#figures", Static).update(figures)
        for panel in screen.query(Panel):
            panel.fill(came.look)

    def _show_head(self) -> None:
        head, came = self.screen_stack[0].query_one("#head", Static), self._came
        head.set_class(bool(self._away), "-waiting")
        if self._away or came is None:
            head.update(summary.waiting(self._away))
            return
        uptime = came.status["uptime_s"] + time.monotonic() - came.since
        text = summary.head(came.status, came.look, uptime)
        head.update(f"{'PAUSED (p goes on) · ' if self._is_paused else ''}{text}")

    # Moving about

    @property
    def _panel(self) -> Panel:
        return self.screen_stack[0].query_one(f"#{VIEWS[self._active].key}", Panel)

    def _show_active(self) -> None:
        for panel in self.query(Panel):
            panel.set_class(panel is self._panel, "-active")
        self.query_one(Tabs).active = f"tab-{VIEWS[self._active].key}"
        self._panel.table.focus()
        self.refresh_bindings()

    @on(Tabs.TabActivated)
    def _tab(self, event: Tabs.TabActivated) -> None:
        if event.tab.id != event.tabs.active:
            return  # what was said before the last change would change it back
        self.action_jump(KEYS.index(str(event.tab.id).removeprefix("tab-")))

    def action_turn(self, by: int) -> None:
        """To the next table, or the one before."""
        self.action_jump((self._active + by) % len(VIEWS))

    def action_jump(self, number: int) -> None:
        """To a table."""
        if number != self._active:
            self._active = number
            self._show_active()

    def on_descendant_focus(self) -> None:
        """A table that was clicked on is the one that keys are about."""
        panel = next((one for one in self.query(Panel) if one.has_focus_within), None)
        if panel is not None:
            self.action_jump(VIEWS.index(panel.view))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys of names are for tables of names, keys of upstreams for those; a dialog has its own."""
        del parameters
        if len(self.screen_stack) > 1:
            return action == "quit"
        if action == "turn" and isinstance(self.focused, Input):
            return False
        is_of_upstreams = VIEWS[self._active].key == "upstreams"
        if action in OF_NAMES:
            return not is_of_upstreams
        return is_of_upstreams if action in OF_UPSTREAMS else True

    def action_pause(self) -> None:
        """Stop changing what is shown, or go on."""
        self._is_paused = not self._is_paused
        self._show_head()

    def action_theme(self) -> None:
        """Light or dark."""
        self.theme = "textual-dark" if self.theme == "textual-light" else "textual-light"

    def action_help(self) -> None:
        """Say what is seen and what keys do."""
        self.push_screen(Dialog("smartdoh top", HELP))

    # The filter

    def action_filter(self) -> None:
        """Ask for words."""
        field = self.query_one("#filter", Input)
        field.value = self._panel.filter
        field.display = True
        self.screen.set_focus(field)  # at once, not in the next turn: the words may come in this one

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        if event.input.display:
            self._set_filter(event.value)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self._close_filter()

    def action_unfilter(self) -> None:
        """All rows again."""
        self._set_filter("")
        self._close_filter()

    def _close_filter(self) -> None:
        self.query_one("#filter", Input).display = False
        self._panel.table.focus()

    def _set_filter(self, text: str) -> None:
        panel = self._panel
        panel.filter = text
        panel.border_subtitle = Content(f"only: {words.plain(text)}" if text else "")
        panel.fill(self._came.look if self._came is not None else None)

    # Steering

    @on(DataTable.RowSelected)
    def _selected(self) -> None:
        self.action_why()

    def action_why(self) -> None:
        """Why the name gets its answer; of a client, what it asked."""
        row = self._panel.row
        if row is None:
            return
        if row.name:
            self._explain(row)
        elif row.client:
            self.action_jump(KEYS.index("last"))
            self._set_filter(row.client)

    @work(exclusive=True)
    async def _explain(self, row: Row) -> None:
        text = await self._ask(lambda proxy: steering.why(proxy, row))
        if text is not None:
            self.push_screen(Dialog(f"Why {words.name(row.name)} gets its answer", text))

    def action_block(self) -> None:
        """Block the name, once that is confirmed."""
        self._override("block", "is answered with no address")

    def action_allow(self) -> None:
        """Allow the name, once that is confirmed."""
        self._override("allow", "is asked for, whatever block lists say")

    @work(exclusive=True)
    async def _override(self, value: str, meaning: str) -> None:
        row = self._panel.row
        if row is None or not row.name:
            return
        name = words.name(row.name)
        text = f"{name} and every name below it {meaning}, from now on, for all clients.\n"
        text += "It is written to overrides.json, where it can be taken back."
        if await self.push_screen_wait(Dialog(f"{value.capitalize()} {name}?", text)):
            await self._say(lambda proxy: steering.override(proxy, row.name, value))

    @work(exclusive=True)
    async def action_forget(self) -> None:
        """Forget what is kept of the name."""
        row = self._panel.row
        if row is not None and row.name:
            await self._say(lambda proxy: steering.forget(proxy, row.name))

    @work(exclusive=True)
    async def action_rest(self) -> None:
        """Let the upstream rest, once that is confirmed."""
        row = self._panel.row
        if row is None or row.upstream is None:
            return
        group, name = row.upstream
        text = f"It is asked nothing for {steering.REST // 60} minutes; w wakes it before."
        if await self.push_screen_wait(Dialog(f"Let {words.plain(name)} rest?", text)):
            await self._say(lambda proxy: steering.rest(proxy, group, name))

    @work(exclusive=True)
    async def action_wake(self) -> None:
        """Have the upstream asked again."""
        row = self._panel.row
        if row is not None and row.upstream is not None:
            group, name = row.upstream
            await self._say(lambda proxy: steering.wake(proxy, group, name))

    async def _say(self, what: Callable[[Proxy], str]) -> None:
        said = await self._ask(what)
        if said is not None:
            self.notify(said, markup=False)

    async def _ask(self, what: Callable[[Proxy], str]) -> str | None:
        """What comes of a request; None where it fails, which is shown."""
        try:
            return await asyncio.to_thread(lambda: what(self._find()))
        except (NotRunningError, RefusedError) as error:
            self.notify(words.plain(str(error)), severity="error", markup=False)
            return None
