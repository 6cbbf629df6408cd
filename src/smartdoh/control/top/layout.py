"""How wide each column is, and what of a row is seen."""

from __future__ import annotations

from collections.abc import Sequence

from smartdoh.control.top.rows import Column, Row

GAP = 1  # between two columns
LEAST = 24  # characters of the column that has what is left


def fitted(columns: Sequence[Column], room: int) -> list[tuple[int, Column]]:
    """The columns that fit into so many characters, with their places; spare ones go first, the last one first."""
    shown = list(enumerate(columns))
    while _left(shown, room) < LEAST and any(column.is_spare for _, column in shown):
        shown.remove(next(one for one in reversed(shown) if one[1].is_spare))
    left = max(LEAST // 2, _left(shown, room))
    return [(place, column if column.width else column._replace(width=left)) for place, column in shown]


def _left(shown: Sequence[tuple[int, Column]], room: int) -> int:
    return room - sum(column.width + GAP for _, column in shown)


def matching(rows: Sequence[Row], words: str) -> list[Row]:
    """The rows that have these words anywhere."""
    wanted = words.casefold()
    return [row for row in rows if any(wanted in cell.casefold() for cell in row.cells)]
