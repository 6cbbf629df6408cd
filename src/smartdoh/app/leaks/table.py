"""The ledger on disk: a table of the query log's database, written in batches, bounded, and read as a whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

from smartdoh.app.leaks.find import Sent
from smartdoh.app.ledger import Leaves

MOST = 1_000_000  # lines, some 100 MB; of more the oldest go
SPARE = MOST // 20  # that are made room for at a time

_SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger (
    name BLOB NOT NULL, grp TEXT NOT NULL, upstream TEXT NOT NULL,
    first REAL NOT NULL, last REAL NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (name, grp, upstream)
) WITHOUT ROWID
"""
_ADD = """
INSERT INTO ledger VALUES (?1, ?2, ?3, ?4, ?4, ?5)
ON CONFLICT DO UPDATE SET first = min(first, ?4), last = max(last, ?4), count = count + ?5
"""
_OLDEST = """
DELETE FROM ledger WHERE (name, grp, upstream) IN
(SELECT name, grp, upstream FROM ledger ORDER BY last LIMIT ?)
"""


def create(database: sqlite3.Connection) -> None:
    """See that there is such a table."""
    database.execute(_SCHEMA)


def add(database: sqlite3.Connection, leaves: Iterable[Leaves], at: float) -> None:
    """Add what was counted until `at`, in seconds since 1970; the caller commits. Raises sqlite3.Error."""
    database.executemany(_ADD, [(one.name, one.group, one.upstream, at, one.times) for one in leaves])


def trim(database: sqlite3.Connection, most: int = MOST, spare: int = SPARE) -> int:
    """Remove what was longest not sent, where there are more lines than `most`; how many went."""
    (lines,) = database.execute("SELECT count(*) FROM ledger").fetchone()
    if lines <= most:
        return 0
    return database.execute(_OLDEST, (lines - most + spare,)).rowcount


def read(database: sqlite3.Connection) -> Iterator[Sent]:
    """Every line, by name. Raises sqlite3.Error."""
    rows = database.execute("SELECT name, grp, upstream, first, last, count FROM ledger ORDER BY name")
    return map(Sent._make, rows)
