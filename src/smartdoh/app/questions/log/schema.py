"""The database of the query log: its tables, and how it is opened.

How it is laid out. `questions` has a row for each question, in the order in which they came: numbers alone, for what
is text is in dictionaries, and most questions have it in common. An index leads from a name to its rows; a time is
found by halving, since rows are in its order but for a second or two (`first_since`).

`names.key` is the name in wire form, folded, with its labels the other way round and without the root: so all names
below one are those whose keys begin with its key. `ways` is all that questions have in common but client, name and
time. `lost` says when how many lines were not written.

Whoever adds a table with a column `name` that holds ids of `names`, indexed, adds it to NAMED too: names that
nothing refers to are removed. Tables are made by `CREATE TABLE IF NOT EXISTS`, so a new one needs no more.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

FILE = "queries.sqlite"
VERSION = 1  # of what is below, in user_version; another one is set aside
WAL_PAGES = 4000  # 16 MB between two checkpoints
LARGEST_WAL = 64 * 1024 * 1024  # octets that are kept of it
CACHE_KIB = 32_768  # memory for pages
BUSY = 5.0  # seconds that a lock is waited for

NAMED = ["questions"]
"""Tables whose column `name` refers to `names`, each with an index on it."""

TABLES = [
    """CREATE TABLE IF NOT EXISTS names (
        id INTEGER PRIMARY KEY,
        key BLOB NOT NULL UNIQUE
    )""",
    """CREATE TABLE IF NOT EXISTS clients (
        id INTEGER PRIMARY KEY,
        address TEXT NOT NULL UNIQUE
    )""",
    """CREATE TABLE IF NOT EXISTS ways (
        id INTEGER PRIMARY KEY,
        transport TEXT NOT NULL,
        outcome TEXT NOT NULL,
        qtype INTEGER NOT NULL,
        qclass INTEGER NOT NULL,
        rcode INTEGER NOT NULL,
        "group" TEXT NOT NULL,
        upstream TEXT NOT NULL,
        rule TEXT NOT NULL,
        list TEXT NOT NULL,
        line INTEGER NOT NULL,
        UNIQUE (transport, outcome, qtype, qclass, rcode, "group", upstream, rule, list, line)
    )""",
    """CREATE TABLE IF NOT EXISTS questions (
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL, -- milliseconds since the epoch
        name INTEGER NOT NULL,
        client INTEGER NOT NULL,
        way INTEGER NOT NULL,
        took INTEGER -- microseconds; NULL: it was answered at once
    )""",
    "CREATE INDEX IF NOT EXISTS questions_by_name ON questions (name)",
    """CREATE TABLE IF NOT EXISTS lost (
        at INTEGER NOT NULL, -- milliseconds since the epoch
        lines INTEGER NOT NULL
    )""",
]


class StrangeError(sqlite3.DatabaseError):
    """The file is a database of something else, or of another version."""


def open_to_write(path: Path) -> sqlite3.Connection:
    """The database at `path`, made if it is not there, for its owner alone. Raises sqlite3.Error or OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)  # its companions get the same mode from SQLite
    db = sqlite3.connect(path, timeout=BUSY, isolation_level=None, check_same_thread=False)
    try:
        _prepare(db)
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA auto_vacuum = INCREMENTAL")  # of a database that is empty still
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(
        "PRAGMA synchronous = NORMAL"
    )  # a crash of the machine may cost the last seconds, never the rest
    db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    db.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
    db.execute(f"PRAGMA journal_size_limit = {LARGEST_WAL}")
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if version != VERSION and (version or tables):
        raise StrangeError(f"it is of version {version}, and not {VERSION}")
    for table in TABLES:
        db.execute(table)
    db.execute(f"PRAGMA user_version = {VERSION}")


def open_to_read(path: Path) -> sqlite3.Connection:
    """The same for those who search. Raises sqlite3.Error, also where there is none."""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        timeout=BUSY,
        isolation_level=None,
        check_same_thread=False,
    )


def is_begun(db: sqlite3.Connection) -> bool:
    """Whether the tables are there: for a moment a file is, and they are not."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    return bool(version)


def set_aside(path: Path, now: float) -> Path:
    """Move a database that cannot be used, with its companions, so that a new one can begin; where it is now."""
    aside = path.with_name(f"{path.name}.broken-{int(now)}")
    path.replace(aside)
    for end in ("-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + end).replace(aside.with_name(aside.name + end))
    return aside


def ids(db: sqlite3.Connection) -> tuple[int, int]:
    """The first id of a question, and the one after the last."""
    (first,) = db.execute("SELECT min(id) FROM questions").fetchone()
    (last,) = db.execute(
        "SELECT max(id) FROM questions"
    ).fetchone()  # both at once would walk through all of them
    return (1, 1) if first is None else (first, last + 1)


def first_since(db: sqlite3.Connection, at: int) -> int:
    """The id from which on questions came at `at` or later (milliseconds since the epoch), but for a second or two."""
    low, high = ids(db)
    while low < high:
        middle = (low + high) // 2
        row = db.execute(
            "SELECT id, at FROM questions WHERE id >= ? ORDER BY id LIMIT 1", (middle,)
        ).fetchone()
        if row is None or row[1] >= at:
            high = middle
        else:
            low = row[0] + 1
    return int(low)


def key_of(name: bytes) -> bytes:
    """A folded wire name as `names` has it."""
    labels, at = [], 0
    while name[at]:
        end = at + 1 + name[at]
        labels.append(name[at:end])
        at = end
    return b"".join(reversed(labels))


def name_of(key: bytes) -> bytes:
    """The wire name again."""
    return key_of(key + b"\0") + b"\0"


def end_below(key: bytes) -> bytes:
    """The key before which those of all names below end: no label is longer than 63 octets."""
    return key + b"\x40"
