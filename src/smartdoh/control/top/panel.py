"""One table on the screen: filled each second, while the row that a person stands on stays."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import DataTable

from smartdoh.control.api.shapes_live import Live
from smartdoh.control.top import words
from smartdoh.control.top.layout import GAP, fitted, matching
from smartdoh.control.top.rows import Column, Row, View

EDGE = 2  # characters: the scroll bar


class Rows(DataTable[Text]):
    """A table whose Enter is seen among the keys."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select_cursor", "Why")]


class Panel(Vertical):
    """A view, its table and its rows."""

    def __init__(self, view: View) -> None:
        super().__init__(id=view.key, classes="panel")
        self.view = view
        self.border_title = view.heading
        self.filter = ""
        self._look: Live | None = None
        self._rows: list[Row] = []
        self._columns: list[tuple[int, Column]] = []

    def compose(self) -> ComposeResult:
        """The table."""
        yield Rows(cursor_type="row", cell_padding=0)

    @property
    def table(self) -> Rows:
        """The table."""
        return self.query_one(Rows)

    @property
    def rows(self) -> list[Row]:
        """What it shows, whole where a column shows less."""
        return self._rows

    @property
    def row(self) -> Row | None:
        """The row that the cursor is on."""
        place = self.table.cursor_row
        return self._rows[place] if 0 <= place < len(self._rows) else None

    def on_resize(self) -> None:
        """There is more room, or less."""
        self.fill(self._look)

    def fill(self, look: Live | None) -> None:
        """Show what there is to see."""
        self._look = look
        table, before = self.table, self.row
        top = table.cursor_row == 0
        self._set_columns(table)
        rows = [] if look is None else matching(self.view.rows(look), self.filter)
        at = table.scroll_offset.y
        table.clear()
        self._rows = rows
        for row in rows:
            table.add_row(*(_cell(row, place, column) for place, column in self._columns))
        place = 0 if top or before is None else self._place_of(before, table.cursor_row)
        table.move_cursor(row=place, scroll=False)
        table.scroll_to(y=0 if top else at, animate=False)

    def _place_of(self, row: Row, otherwise: int) -> int:
        return next((place for place, one in enumerate(self._rows) if one.key == row.key), otherwise)

    def _set_columns(self, table: Rows) -> None:
        columns = fitted(self.view.columns, self.size.width - EDGE)
        if columns == self._columns and table.columns:
            return
        self._columns = columns
        table.clear(columns=True)
        for _, column in columns:
            table.add_column(Text(_aligned(column.label, column)), width=column.width + GAP)


def _cell(row: Row, place: int, column: Column) -> Text:
    return Text(_aligned(row.cells[place], column), style=row.style, no_wrap=True)


def _aligned(text: str, column: Column) -> str:
    text = words.cut(text, column.width)
    return text.rjust(column.width) if column.right else text
