"""A query log's database with what a test wants to have been asked."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from smartdoh.app.questions.log.ids import id_of
from smartdoh.app.questions.log.schema import FILE, key_of, open_to_write
from smartdoh.wire.codes import IN
from smartdoh.wire.names import from_text

Row = tuple[str, int, str, int]
"""A name, a type, a client's address, and how often."""

DAY = 86_400


def write_log(folder: Path, rows: Iterable[Row], days_ago: float = 1.0, qclass: int = IN) -> Path:
    """Add these questions to the log in `folder`; where it is."""
    path = folder / FILE
    at = int((time.time() - days_ago * DAY) * 1000)
    with closing(open_to_write(path)) as db:
        db.execute("BEGIN")
        for name, qtype, client, times in rows:
            way = {
                "transport": "udp",
                "outcome": "hit",
                "qtype": qtype,
                "qclass": qclass,
                "rcode": 0,
                "group": "",
                "upstream": "",
                "rule": "",
                "list": "",
                "line": 0,
            }
            ids = (
                id_of(db, "names", {"key": key_of(from_text(name))}),
                id_of(db, "clients", {"address": client}),
                id_of(db, "ways", way),
            )
            insert = "INSERT INTO questions (at, name, client, way) VALUES (?, ?, ?, ?)"
            db.executemany(insert, [(at, *ids)] * times)
        db.execute("COMMIT")
    return path
