"""The table that all pages use: rows of plain values in, what was clicked out. The browser escapes every value."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, NotRequired, TypedDict

from nicegui.element import Element
from nicegui.events import GenericEventArguments

Kind = Literal["text", "name", "number", "time", "actions"]

SLIM = 2  # columns, which fit beside each other on any screen

Act = Callable[[str, str], Awaitable[None] | None]
"""Is told the row's key and what is to be done with it."""


class Cell(TypedDict):
    """A value with something besides."""

    text: str | int | float
    href: NotRequired[str]
    title: NotRequired[str]
    chip: NotRequired[str]  # its tone: an outcome, or good, warn, bad, calm
    mark: NotRequired[str]  # a chip behind it
    markTone: NotRequired[str]
    note: NotRequired[str]  # small, below
    part: NotRequired[float]  # of the largest, as a bar


class Action(TypedDict):
    """A button of a row."""

    act: str
    label: str
    icon: str
    off: NotRequired[bool]


class Rows(Element, component="rows.js"):
    """The table."""

    def __init__(
        self, label: str, columns: Sequence[tuple[str, str, Kind]], empty: str, act: Act | None = None
    ) -> None:
        """Columns are (name, heading, kind); `empty` is said in place of a table without rows."""
        super().__init__()
        if len(columns) <= SLIM:
            self.classes("slim")
        self._props["label"] = label
        self._props["columns"] = [
            {"name": name, "label": heading, "kind": kind} for name, heading, kind in columns
        ]
        self._props["empty"] = empty
        self._props["rows"] = []
        if act is not None:
            self.on("act", lambda event: act(*_wanted(event)))

    def show(self, rows: list[dict[str, Any]], empty: str | None = None) -> None:
        """Show these; each has a `key`, and what its columns are called."""
        if empty is not None:
            self._props["empty"] = empty
        if rows != self._props["rows"] or empty is not None:
            self._props["rows"] = rows
            self.update()


def _wanted(event: GenericEventArguments) -> tuple[str, str]:
    """What a browser says that was clicked; it may say anything."""
    args = event.args if isinstance(event.args, dict) else {}
    return str(args.get("key", "")), str(args.get("act", ""))
