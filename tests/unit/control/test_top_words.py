"""What `smartdoh top` writes: short, in order, and never what a stranger could do to a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartdoh.control.api.shapes import GroupStatus
from smartdoh.control.api.shapes_live import Live
from smartdoh.control.top import summary, words
from smartdoh.control.top.layout import GAP, LEAST, fitted, matching
from smartdoh.control.top.rows import BY_RULE, VIEWS, Row, upstreams_slowest_first
from smartdoh.control.top.run import is_light

EVIL = "[red]x\x1b[2J\u202e\r\n.example."
COUNTS = {"hit": 6, "stale": 0, "miss": 2, "blocked": 2, "local": 0, "refused": 0, "failed": 0}


def upstream(name: str, latency: float | None, **more: Any) -> dict[str, Any]:
    """How one upstream does."""
    return {
        "name": name,
        "latency_ms": latency,
        "p95_ms": latency,
        "health": "well",
        "rests_s": 0.0,
        "failures": 0,
        "requests": 1200,
        "in_flight": 1,
        "most_in_flight": 10,
        "rate": None,
        "blocked_s": 0.0,
        "errors": {"timeout": 0},
        **more,
    }


def look(**more: Any) -> Live:
    """A look with something in every part of it."""
    groups = [
        {"name": "main", "upstreams": [upstream("fast.example", 12.0), upstream("new.example", None)]},
        {"name": "far", "upstreams": [upstream("slow.example", 140.5, health="resting", rests_s=12.3)]},
    ]
    question: dict[str, Any] = {
        "at": "2026-11-23T07:00:00.123Z",
        "client": "192.0.2.1",
        "name": EVIL,
        "type": "A",
    }
    question |= {
        "outcome": "blocked",
        "rcode": "NXDOMAIN",
        "list": "ads",
        "upstream": "",
        "rule": "",
        "ms": 1.25,
    }
    found: dict[str, Any] = {
        "seconds": 100.0,
        "rate": {outcome: count / 2 for outcome, count in COUNTS.items()},
        "questions": 5.0,
        "counts": COUNTS,
        "hit_ratio": 0.75,
        "latency_ms": {"p50": 12.4, "p95": 80.0, "p99": 1234.5},
        "names": [{"name": EVIL, "count": 7}, {"name": ".", "count": 1}],
        "clients": [{"client": "192.0.2.1", "count": 8}],
        "blocked": [{"name": EVIL, "count": 2, "list": "ads"}, {"name": "b.", "count": 1, "list": ""}],
        "last": [question],
        "groups": groups,
        "under_way": 3,
        "memory": {"entries": 12345, "octets": 2_500_000},
        "history": [],
        "sampled": False,
    }
    return cast("Live", found | more)


def table(key: str) -> list[tuple[str, ...]]:
    [view] = [view for view in VIEWS if view.key == key]
    rows = view.rows(look())
    assert len({row.key for row in rows}) == len(rows)
    assert {len(row.cells) for row in rows} <= {len(view.columns)}
    return [row.cells for row in rows]


@given(st.text())
def test_nothing_that_is_written_steers_a_terminal(text: str) -> None:
    assert words.plain(text).isprintable()
    assert text.isprintable() is (words.plain(text) == text)


@given(st.text(max_size=80), st.integers(1, 60))
def test_what_is_cut_is_as_long_as_there_is_room_and_keeps_its_end(text: str, width: int) -> None:
    found = words.cut(text, width)
    assert len(found) == min(len(text), width)
    if len(text) > width > 1:
        assert found[-1] == text[-1]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.key)
def test_no_cell_holds_what_steers_a_terminal(view: Any) -> None:
    for row in view.rows(look()):
        assert all(cell.isprintable() for cell in row.cells)
    assert all(text.isprintable() for _, text in summary.figures(look()))


def test_names_are_as_they_were_asked() -> None:
    assert table("names") == [("[red]x\\x1b[2J\\x202e\\x0d\\x0a.example", "7", "70.0%"), (".", "1", "10.0%")]
    assert table("clients") == [("192.0.2.1", "8", "80.0%")]


def test_what_blocks_a_name_is_said() -> None:
    assert [cells[2] for cells in table("blocked")] == ["list ads", BY_RULE]


def test_the_slowest_upstream_comes_first_and_is_marked() -> None:
    found = table("upstreams")
    assert [cells[0] for cells in found] == ["slow.example", "fast.example", "new.example"]
    assert found[0][1:5] == ("far", "140.5 ms", "140.5 ms", "resting 12 s, slowest")
    assert found[1][4] == "well"
    assert found[2][2] == "?"


def test_errors_are_all_that_were_counted() -> None:
    one = {"name": "main", "upstreams": [upstream("x", 1.0, errors={"timeout": 3, "status": 4}, failures=1)]}
    [row] = VIEWS[3].rows(look(groups=[one]))
    assert row.cells[5] == "7"
    assert row.cells[4] == "well", "one alone is not the slowest"


def test_upstreams_that_nobody_knows_are_all_there() -> None:
    groups = cast("list[GroupStatus]", [{"upstreams": [upstream("a", None), upstream("b", None)]}])
    assert len(upstreams_slowest_first(groups)) == 2


def test_the_last_questions_say_what_became_of_them() -> None:
    [cells] = table("last")
    assert cells[3:] == ("A", "blocked NXDOMAIN", "1.2 ms", "list ads")


def test_the_figures_answer_what_people_ask() -> None:
    found = dict(summary.figures(look()))
    assert found["slowest upstream"] == "slow.example, 140.5 ms"
    assert found["busiest client"] == "192.0.2.1, 80.0% of all"
    assert found["most blocked"].endswith(".example, by list ads")
    assert found["others waited"] == "half 12, 95% 80, 99% 1,234 ms"
    assert found["from the cache"] == "75.0%, the rest was fetched"
    assert summary.state(look()) == "1 of 3 upstreams rest"


def test_nothing_was_asked_yet() -> None:
    nothing: Mapping[str, Any] = {
        "counts": dict.fromkeys(COUNTS, 0),
        "latency_ms": None,
        "clients": [],
        "blocked": [],
    }
    found = dict(summary.figures(look(**nothing, groups=[])))
    assert found["from the cache"] == "nothing was asked yet"
    assert found["others waited"] == "nobody"
    assert found["most blocked"] == "nothing"


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.key)
@pytest.mark.parametrize("room", [78, 148, 300])
def test_columns_fill_what_room_there_is(view: Any, room: int) -> None:
    found = fitted(view.columns, room)
    assert sum(column.width + GAP for _, column in found) <= room
    assert all(column.width for _, column in found)
    [left] = [column.width for place, column in found if not view.columns[place].width]
    assert left >= LEAST - GAP
    assert len(found) == len(view.columns) or room < 100


def test_rows_with_words() -> None:
    rows = [Row("1", ("www.Example", "12")), Row("2", ("other", "13"))]
    assert matching(rows, "exam") == rows[:1]
    assert matching(rows, "13") == rows[1:]
    assert matching(rows, "") == rows


@pytest.mark.parametrize(
    ("colours", "light"), [("15;0", False), ("0;15", True), ("0;default;15", True), ("", False)]
)
def test_a_light_terminal_says_so(colours: str, light: bool) -> None:
    assert is_light({"COLORFGBG": colours}) is light
