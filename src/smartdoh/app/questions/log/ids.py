"""The dictionaries of the query log: what is text gets a number, and the numbers that were used last are remembered."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

REMEMBERED = 65_536  # of each dictionary, twice that for a moment


class Ids:
    """The ids of one dictionary, by whatever stands for its rows in a record.

    `recent` may be looked into by itself, which is faster; what is not there, `find` finds.
    """

    def __init__(self, find: Callable[[Any], int]) -> None:
        """`find` gives the id from the database, where need be of a new row."""
        self._find = find
        self.recent: dict[Any, int] = {}
        self._older: dict[Any, int] = {}

    def find(self, what: Any) -> int:
        """The id of what is not in `recent`."""
        found = self._older.get(what)
        if found is None:
            found = self._find(what)
        if len(self.recent) >= REMEMBERED:
            self._older, self.recent = self.recent, {}
        self.recent[what] = found
        return found

    def forget(self) -> None:
        """Nothing that was found holds any more: the database is another, or not what it was."""
        self.recent, self._older = {}, {}


def id_of(db: sqlite3.Connection, table: str, columns: dict[str, object]) -> int:
    """The id of the row that has these values, added where it is not there."""
    names = ", ".join(f'"{name}"' for name in columns)
    wanted = " AND ".join(f'"{name}" = ?' for name in columns)
    values = tuple(columns.values())
    found = db.execute(f"SELECT id FROM {table} WHERE {wanted}", values).fetchone()  # noqa: S608 - our own words
    if found is not None:
        return int(found[0])
    marks = ", ".join("?" * len(values))
    added = db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)  # noqa: S608
    assert added.lastrowid is not None  # noqa: S101 - a row was added
    return added.lastrowid
