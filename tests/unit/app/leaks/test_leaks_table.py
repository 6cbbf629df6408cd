"""The ledger on disk: counts add up, times widen, and the oldest go where there are too many."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from smartdoh.app.leaks import table
from smartdoh.app.leaks.find import Sent
from smartdoh.app.ledger import Leaves

A, B = b"\1a\0", b"\1b\0"


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as found:
        table.create(found)
        table.create(found)
        yield found


def test_counts_add_up(database: sqlite3.Connection) -> None:
    table.add(database, [Leaves(A, "main", "x", 2), Leaves(B, "main", "x", 1)], 10.0)
    table.add(
        database, [Leaves(A, "main", "x", 3), Leaves(A, "far", "x", 1), Leaves(A, "main", "y", 1)], 20.0
    )
    table.add(database, [Leaves(B, "main", "x", 1)], 5.0)  # the date was set back
    assert list(table.read(database)) == [
        Sent(A, "far", "x", 20.0, 20.0, 1),
        Sent(A, "main", "x", 10.0, 20.0, 5),
        Sent(A, "main", "y", 20.0, 20.0, 1),
        Sent(B, "main", "x", 5.0, 10.0, 2),
    ]


def test_the_oldest_go(database: sqlite3.Connection) -> None:
    for number in range(10):
        table.add(database, [Leaves(bytes([1, 97 + number, 0]), "main", "x", 1)], float(number))
    assert table.trim(database, most=10, spare=2) == 0
    assert table.trim(database, most=9, spare=2) == 3
    assert [line.last for line in table.read(database)] == [float(number) for number in range(3, 10)]
