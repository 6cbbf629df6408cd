"""What was asked, as the log's database gives it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from smartdoh.app.whatif.asked import asked_since
from smartdoh.app.whatif.compare import UNDECIDED, Asked
from smartdoh.errors import ConfigError
from smartdoh.wire.names import from_text
from tests.asked_log import DAY, write_log

A, AAAA, CHAOS = 1, 28, 3
ONE, TWO = from_text("one.example"), from_text("www.two.example")


def rows(path: Path, *changing: bytes, all_of_them: bool = False) -> list[Asked]:
    with asked_since(path, time.time() - 7 * DAY) as log:
        assert log.names >= 2
        return list(log.rows(None if all_of_them else changing.__contains__))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_log(tmp_path, [("one.example", A, "192.0.2.1", 9)], days_ago=8)
    write_log(tmp_path, [("one.example", A, "192.0.2.1", 9)], qclass=CHAOS)
    return write_log(
        tmp_path,
        [
            ("one.example", A, "192.0.2.1", 3),
            ("www.two.example", A, "192.0.2.1", 2),
            ("one.example", AAAA, "192.0.2.1", 1),
            ("one.example", A, "192.0.2.2", 1),
        ],
    )


def test_every_row_of_a_name_together(path: Path) -> None:
    """What is older than asked for, or of another class, is not there."""
    found = rows(path, all_of_them=True)
    assert sorted(found) == sorted(
        [
            Asked(ONE, A, "192.0.2.1", 3),
            Asked(ONE, A, "192.0.2.2", 1),
            Asked(ONE, AAAA, "192.0.2.1", 1),
            Asked(TWO, A, "192.0.2.1", 2),
        ]
    )
    assert [row.name for row in found] in ([ONE, ONE, ONE, TWO], [TWO, ONE, ONE, ONE])


def test_names_that_cannot_change_are_counted_alone(path: Path) -> None:
    found = rows(path, ONE)
    assert sorted(row for row in found if row.name == ONE) == [
        Asked(ONE, A, "192.0.2.1", 3),
        Asked(ONE, A, "192.0.2.2", 1),
        Asked(ONE, AAAA, "192.0.2.1", 1),
    ]
    assert [row for row in found if row.name == TWO] == [Asked(TWO, UNDECIDED, "", 2)]


def test_no_log(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no log"), asked_since(tmp_path / "queries.sqlite", 0.0):
        pass
    (tmp_path / "queries.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(ConfigError, match="cannot be read"), asked_since(tmp_path / "queries.sqlite", 0.0):
        pass
