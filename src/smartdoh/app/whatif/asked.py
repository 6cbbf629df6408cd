"""What was asked in the last days, from the query log's database: names, types and clients, with how often."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from smartdoh.app.questions.log.schema import first_since, name_of, open_to_read
from smartdoh.app.whatif.compare import UNDECIDED, Asked, MayChange
from smartdoh.errors import ConfigError
from smartdoh.wire.codes import IN

_NAMES = """
SELECT names.id, names.key, counted.times
FROM (SELECT name, count(*) AS times FROM questions WHERE id >= ? GROUP BY name) AS counted
JOIN names ON names.id = counted.name
"""
_OF_NAME = """
SELECT ways.qtype, clients.address, count(*)
FROM questions JOIN ways ON ways.id = questions.way JOIN clients ON clients.id = questions.client
WHERE questions.name = ? AND questions.id >= ? AND ways.qclass = ?
GROUP BY ways.qtype, questions.client
"""
_ALL = """
SELECT names.key, counted.qtype, clients.address, counted.times
FROM (
    SELECT questions.name AS name, ways.qtype AS qtype, questions.client AS client, count(*) AS times
    FROM questions JOIN ways ON ways.id = questions.way
    WHERE questions.id >= ? AND ways.qclass = ?
    GROUP BY 1, 2, 3
) AS counted
JOIN names ON names.id = counted.name JOIN clients ON clients.id = counted.client
"""


class Log:
    """The questions since a time."""

    def __init__(self, database: sqlite3.Connection, since: float) -> None:
        """`since` is in seconds since 1970. Raises sqlite3.Error."""
        self._database = database
        self._first = first_since(database, int(since * 1000))

    @property
    def names(self) -> int:
        """How many names there are at most."""
        (names,) = self._database.execute("SELECT count(*) FROM names").fetchone()
        return int(names)

    def rows(self, may_change: MayChange | None) -> Iterator[Asked]:
        """All of a name follow each other. Names that cannot change are counted, and no more is looked up of them."""
        if may_change is None:
            for key, qtype, client, times in self._database.execute(_ALL, (self._first, IN)):
                yield Asked(name_of(key), qtype, client, times)
            return
        for number, key, times in self._database.execute(_NAMES, (self._first,)):
            name = name_of(key)
            if not may_change(name):
                yield Asked(name, UNDECIDED, "", times)
                continue
            for row in self._database.execute(_OF_NAME, (number, self._first, IN)):
                yield Asked(name, *row)


@contextmanager
def asked_since(path: Path, since: float) -> Iterator[Log]:
    """The log at `path`. Raises ConfigError where there is none, or it cannot be read."""
    if not path.exists():
        raise ConfigError("query_log", f"there is no log at {path}; query_log.enabled keeps one")
    try:
        with closing(open_to_read(path)) as database:
            yield Log(database, since)
    except sqlite3.Error as error:
        raise ConfigError("query_log", f"{path} cannot be read: {error}") from error
