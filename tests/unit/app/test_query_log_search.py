"""Searching the query log: what is found is what fits, whatever is searched for and however it is divided."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from smartdoh.app.questions import search as searching
from smartdoh.app.questions.log.schema import FILE, TABLES
from smartdoh.app.questions.search import Found, Line, Stop, Wanted, search
from smartdoh.app.questions.seen import Decided
from smartdoh.fastpath.packed import OUTCOMES
from smartdoh.wire.names import from_text
from tests.unit.app.query_log import NOON, Log, record

NAMES = ["example.", "a.example.", "b.a.example.", "aexample.", "com.", "x.com."]
CLIENTS = ["192.0.2.1", "192.0.2.2", "2001:db8::1"]
LINES = 600


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    made, dice = Log(tmp_path_factory.mktemp("log")), random.Random(6)
    made.write(
        *(
            record(
                dice.choice(NAMES),
                at=NOON + number,
                client=dice.choice(CLIENTS),
                outcome=dice.choice(OUTCOMES),
                qtype=dice.choice((1, 28)),
                rcode=dice.choice((0, 3)),
                who=Decided(dice.choice(("main", "other")), "", "rule", dice.choice(("", "ads")), 1),
            )
            for number in range(LINES)
        )
    )
    return made


@pytest.fixture(params=[1, 7, 50_000])
def stretches(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "FIRST_STRETCH", request.param)


FILTERS: list[dict[str, Any]] = [
    {},
    {"name": from_text("a.example")},
    {"name": from_text("a.example"), "below": True},
    {"name": from_text("example"), "below": True, "client": "192.0.2.1"},
    {"name": b"\0", "below": True},
    {"name": from_text("nowhere.example")},
    {"client": "2001:db8::1", "outcome": "blocked"},
    {"client": "198.51.100.1"},
    {"group": "other", "qtype": 28, "rcode": 3},
    {"list": "ads"},
    {"list": "nothing"},
    {"since": NOON + 100, "until": NOON + 130},
    {"name": from_text("com"), "since": NOON + 550},
    {"until": NOON - 1},
]


def fitting(log: Log, wanted: Wanted) -> list[Line]:
    """What a search has to find, found the long way."""
    since, until = wanted.since or 0, wanted.until or 2 * NOON
    everything = search(log.path, Wanted(limit=LINES)).lines
    assert len(everything) == LINES
    return [line for line in everything if wanted.fits(line.seen) and since <= line.seen.at <= until]


@pytest.mark.usefixtures("stretches")
@pytest.mark.parametrize("few", [0, 256])
@pytest.mark.parametrize("filters", FILTERS, ids=str)
def test_what_fits_is_found_the_newest_first(
    log: Log, filters: dict[str, Any], few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "FEW_NAMES", few)
    wanted = Wanted(**filters, limit=LINES)
    expected = fitting(log, wanted)
    assert search(log.path, wanted).lines == expected
    assert (not expected) == (filters in ({"list": "nothing"}, *[f for f in FILTERS if _is_nowhere(f)]))


def _is_nowhere(filters: dict[str, Any]) -> bool:
    return (
        filters.get("name") == from_text("nowhere.example")
        or filters.get("client") == "198.51.100.1"
        or filters.get("until") == NOON - 1
    )


@pytest.mark.usefixtures("stretches")
@pytest.mark.parametrize("filters", [{}, {"name": from_text("example"), "below": True}], ids=str)
def test_page_by_page(log: Log, filters: dict[str, Any]) -> None:
    found: list[Line] = []
    before: int | None = None
    while True:
        page = search(log.path, Wanted(**filters, before=before, limit=17))
        found += page.lines
        assert len(page.lines) <= 17
        before = page.before
        if before is None:
            break
    assert found == fitting(log, Wanted(**filters))


def test_a_search_that_takes_too_long_says_where_to_go_on(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "FIRST_STRETCH", 10)
    monkeypatch.setattr(searching, "LONGEST_STRETCH", 10)
    wanted = Wanted(outcome="blocked", limit=LINES)
    first = search(log.path, wanted, seconds=0.0)
    assert first.before == LINES - 10 + 1
    stop = Stop()
    stop()
    assert search(log.path, Wanted(list="nothing"), stop=stop).lines == []
    found: list[Line] = first.lines
    before: int | None = first.before
    while before is not None:
        page = search(log.path, Wanted(outcome="blocked", limit=LINES, before=before), seconds=0.0)
        found, before = found + page.lines, page.before
    assert found == fitting(log, wanted)


def test_where_there_is_no_log_nothing_is_found(tmp_path: Path) -> None:
    assert search(tmp_path / "none.sqlite", Wanted()) == ([], None)
    assert list(tmp_path.iterdir()) == []


class Counting(Stop):
    """Counts how often the search looks at the time."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    @property
    def is_set(self) -> bool:
        self.looks += 1
        return False


@pytest.mark.parametrize(
    "filters",
    [
        {"name": from_text("n7.example")},
        {"name": from_text("nowhere.example")},
        {"name": from_text("x.n8.example"), "below": True},
        {"outcome": "failed", "group": "nobody"},
        {"client": "192.0.2.200", "limit": 5},
        {"since": NOON + 29_990},
    ],
    ids=str,
)
def test_no_search_walks_through_the_whole_log(
    tmp_path_factory: pytest.TempPathFactory, filters: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the steps of the database's machine, which are the same wherever it runs."""
    monkeypatch.setattr(searching, "LOOK_EVERY", 100)
    log = Log(tmp_path_factory.getbasetemp() / "large")
    if not log.path.exists():
        log.write(*(record(f"n{number % 3000}.example.", at=NOON + number) for number in range(30_000)))
    steps = Counting()
    search(log.path, Wanted(**filters), stop=steps)
    assert steps.looks * 100 < 5000


@pytest.mark.parametrize("tables", [0, 1, len(TABLES)])
def test_nothing_is_in_a_log_that_is_being_begun(tmp_path: Path, tables: int) -> None:
    """Its writer makes the file first, then the tables, and says last of which version they are."""
    path = tmp_path / FILE
    assert search(path, Wanted()) == Found([], None)
    path.touch()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for table in TABLES[:tables]:
            db.execute(table)
        assert search(path, Wanted(name=from_text("www.example.com."))) == Found([], None)
