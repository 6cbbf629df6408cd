"""How long lines are kept: by their age, and by how large the database may be; what goes, goes in small steps."""

from __future__ import annotations

import sqlite3

from smartdoh.app.questions.log.schema import NAMED

STEP = 5000  # lines removed at a time, some 20 ms
NAMES_STEP = 2000  # names looked at at a time
VACUUM = 500  # pages given back to the file system at a time
SPARE = 1000  # free pages that are left for what comes next


class Retention:
    """Removes what is too old or too much. Every step is one short transaction; the caller says how often."""

    def __init__(self, days: float, size: int) -> None:
        """0 days: for ever. `size` is in octets."""
        self._days, self._size = days, size
        self._is_shrinking = False
        self._names_at: int | None = None  # the id up to which names were looked at; None: none need be

    def step(self, db: sqlite3.Connection, now: float, written: int = 0) -> bool:
        """Remove some lines, if there are any to be removed; whether ids of names may be gone.

        At least as many lines go as were `written` meanwhile, so that the size is kept at any rate. `now` is in seconds
        since the epoch. Raises sqlite3.Error.
        """
        most = max(STEP, 2 * written)
        removed = self._remove_old(db, now, most) or self._remove_much(db, most)
        if removed:
            if self._names_at is None:
                self._names_at = 0
            return False
        self._shrink(db)
        return self._remove_names(db)

    def _remove_old(self, db: sqlite3.Connection, now: float, most: int) -> bool:
        if not self._days:
            return False
        before = int((now - self._days * 86_400) * 1000)
        (first,) = db.execute("SELECT min(id) FROM questions").fetchone()
        if first is None:
            return False
        # In the order in which they came, so that a clock that was set back for a while harms nothing.
        young = db.execute(
            "SELECT id FROM questions WHERE id < ? AND at >= ? ORDER BY id LIMIT 1", (first + most, before)
        ).fetchone()
        end = first + most if young is None else young[0]
        if end <= first:
            return False
        db.execute("DELETE FROM lost WHERE at < ?", (before,))
        return db.execute("DELETE FROM questions WHERE id < ?", (end,)).rowcount > 0

    def _remove_much(self, db: sqlite3.Connection, most: int) -> bool:
        if _used(db) <= self._size:
            return False
        (first,) = db.execute("SELECT min(id) FROM questions").fetchone()
        if first is None:
            return False
        return db.execute("DELETE FROM questions WHERE id < ?", (first + most,)).rowcount > 0

    def _shrink(self, db: sqlite3.Connection) -> None:
        """Give free pages back, but for some."""
        (free,) = db.execute("PRAGMA freelist_count").fetchone()
        if free > SPARE:
            db.execute(f"PRAGMA incremental_vacuum({min(VACUUM, free - SPARE)})").fetchall()

    def _remove_names(self, db: sqlite3.Connection) -> bool:
        """Look at some names, and remove those that nothing refers to."""
        if self._names_at is None:
            return False
        start = self._names_at
        end = db.execute(
            "SELECT max(id) FROM (SELECT id FROM names WHERE id > ? ORDER BY id LIMIT ?)", (start, NAMES_STEP)
        ).fetchone()[0]
        self._names_at = end
        if end is None:
            return False
        uses = (f"SELECT 1 FROM {table} WHERE {table}.name = names.id" for table in NAMED)  # noqa: S608 - our words
        unused = " AND ".join(f"NOT EXISTS ({use})" for use in uses)
        sql = f"DELETE FROM names WHERE id > ? AND id <= ? AND {unused}"  # noqa: S608
        return db.execute(sql, (start, end)).rowcount > 0


def _used(db: sqlite3.Connection) -> int:
    """Octets that hold something."""
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    (free,) = db.execute("PRAGMA freelist_count").fetchone()
    (size,) = db.execute("PRAGMA page_size").fetchone()
    return int((pages - free) * size)
