"""What a list or a config would change: by the same rules that answer, for what was asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st

from smartdoh.app.whatif import guard
from smartdoh.app.whatif.compare import UNDECIDED, Asked, MayChange, Outcome, Rows
from smartdoh.app.whatif.policy import decide_by, verdict_of
from smartdoh.app.whatif.replay import with_config, with_list
from smartdoh.config import Settings, parse
from smartdoh.errors import ConfigError
from smartdoh.rules.lists import NameSet
from smartdoh.wire.names import from_text
from tests.lists import name_set

A, AAAA = 1, 28
GROUPS = """
[groups.main]
upstreams = ["https://192.0.2.1"]
[groups.far]
upstreams = ["https://192.0.2.2"]
"""
CONFIG = f"""{GROUPS}
[routing]
rules = [
  {{ domains = ["first.example"], group = "far" }},
  {{ list = "ads", action = "block" }},
  {{ list = "far", group = "far" }},
  {{ clients = ["192.0.2.64/26"], list = "some", action = "block" }},
]
[lists.ads]
file = "ads.txt"
[lists.far]
file = "far.txt"
[lists.some]
file = "some.txt"
"""


def settings(text: str = CONFIG, folder: Path | None = None) -> Settings:
    return parse(text, folder=folder) if folder is not None else parse(text)


def names(*lines: str) -> NameSet:
    return name_set("".join(f"{line}\n" for line in lines), "domains")


LISTS = {"ads": names("ads.example"), "far": names("far.example"), "some": names("some.example")}


def asked(*rows: tuple[str, int, str, int]) -> list[Asked]:
    """Rows in the order of the log's: by name, then type."""
    return sorted(Asked(from_text(name), qtype, client, times) for name, qtype, client, times in rows)


def log(rows: list[Asked]) -> Rows:
    """As the log gives them: one row for a name that cannot change."""

    def asked(may_change: MayChange | None) -> Iterator[Asked]:
        for row in rows:
            if may_change is None or may_change(row.name):
                yield row
            else:
                yield Asked(row.name, UNDECIDED, "", row.times)

    return asked


def told(outcome: Outcome) -> list[tuple[str, str, int, int, str, str]]:
    return [
        (change.name, change.kind, change.count, change.clients, str(change.before), str(change.after))
        for change in outcome.changes
    ]


ROWS = asked(
    ("www.ads.example", A, "192.0.2.1", 5),
    ("new.example", A, "192.0.2.1", 3),
    ("new.example", AAAA, "192.0.2.1", 3),
    ("new.example", AAAA, "192.0.2.2", 1),
    ("x.far.example", A, "192.0.2.1", 9),
    ("first.example", A, "192.0.2.1", 100),
    ("some.example", A, "192.0.2.1", 50),
    ("some.example", A, "192.0.2.70", 20),
)


def test_a_list_with_other_names() -> None:
    """Newly blocked, no longer blocked, the busiest first; what an earlier rule decides stays."""
    new = names("new.example", "far.example", "first.example")
    outcome = with_list(log(ROWS), settings(), LISTS, "ads", new)
    assert told(outcome) == [
        ("x.far.example.", "blocked", 9, 1, "group far", "blocked"),
        ("new.example.", "blocked", 7, 2, "group main", "blocked"),
        ("www.ads.example.", "unblocked", 5, 1, "blocked", "group main"),
    ]
    change = outcome.changes[1]
    assert (change.why, change.list_name, change.line) == ("routing.rules[1]: ads line 1", "ads", 1)
    assert change.type_names == ["A", "AAAA"]
    assert (outcome.questions, outcome.names) == (191, 5)
    assert (outcome.questions_of("blocked"), outcome.questions_of()) == (16, 21)


def test_a_list_that_chooses_a_group() -> None:
    outcome = with_list(log(ROWS), settings(), LISTS, "far", names("new.example", "ads.example"))
    assert told(outcome) == [
        ("x.far.example.", "moved", 9, 1, "group far", "group main"),
        ("new.example.", "moved", 7, 2, "group main", "group far"),
    ], "a name that is blocked before stays so"


def test_a_list_for_some_clients() -> None:
    outcome = with_list(log(ROWS), settings(), LISTS, "some", names("nothing.example"))
    assert told(outcome) == [("some.example.", "unblocked", 20, 1, "blocked", "group main")]


def test_the_same_list_changes_nothing() -> None:
    assert with_list(log(ROWS), settings(), LISTS, "ads", names("# a remark", "ads.example")).changes == []


@pytest.mark.parametrize(("on_missing", "expected"), [("open", "blocked"), ("closed", "refused")])
def test_a_list_that_was_never_loaded(on_missing: str, expected: str) -> None:
    """What fails closed refused everything that came past it."""
    text = CONFIG.replace("[lists.ads]", f'[lists.ads]\non_missing = "{on_missing}"')
    outcome = with_list(log(ROWS), settings(text), {**LISTS, "ads": None}, "ads", names("new.example"))
    found = {change.name: (str(change.before), str(change.after)) for change in outcome.changes}
    if on_missing == "closed":
        assert found["new.example."] == ("refused", "blocked")
        assert found["x.far.example."] == ("refused", "group far")
    else:
        assert found == {"new.example.": ("group main", "blocked")}


def test_another_config() -> None:
    """Rules, groups and overrides of the other one."""
    other = f"""{GROUPS}
[routing]
default = "far"
rules = [{{ domains = ["x.far.example"], action = "block" }}]
"""
    outcome = with_config(log(ROWS), settings(), LISTS, settings(other), {})
    assert told(outcome) == [
        ("some.example.", "moved", 50, 1, "group main", "group far"),
        ("some.example.", "unblocked", 20, 1, "blocked", "group far"),
        ("x.far.example.", "blocked", 9, 1, "group far", "blocked"),
        ("new.example.", "moved", 7, 2, "group main", "group far"),
        ("www.ads.example.", "unblocked", 5, 1, "blocked", "group far"),
    ]


def test_overrides_count_as_they_are_now(tmp_path: Path) -> None:
    overrides = tmp_path / "overrides.json"
    overrides.write_text(
        json.dumps({"new.example": "allow", "x.far.example": ["192.0.2.9"], "=some.example": "far"})
    )
    text = CONFIG.replace("[routing]", f'[routing]\noverrides = "{overrides}"')
    new = names("new.example", "far.example", "ads.example", "some.example")
    assert with_list(log(ROWS), settings(text), LISTS, "ads", new).changes == []
    moved = with_config(log(ROWS), settings(), LISTS, settings(text), LISTS)
    assert ("x.far.example.", "moved", 9, 1, "group far", "answered here") in told(moved)
    overrides.write_text("{")
    with pytest.raises(ConfigError):
        with_list(log(ROWS), settings(text), LISTS, "ads", new)


labels = st.sampled_from(["a", "b", "c", "ads", "far", "example"])
domain = st.lists(labels, min_size=1, max_size=3).map(".".join)


@settings_of(deadline=None)
@given(st.lists(domain, max_size=6), st.lists(domain, max_size=6), st.lists(domain, min_size=1, max_size=12))
def test_the_short_way_is_the_long_way(old: list[str], new: list[str], seen: list[str]) -> None:
    """Names that neither state of a list mentions are not decided; the outcome is as if they were."""
    lists = {**LISTS, "ads": names("x.invalid", *old)}
    rows = asked(*((name, A, "192.0.2.1", 1) for name in dict.fromkeys(seen)))
    outcome = with_list(log(rows), settings(), lists, "ads", names("x.invalid", *new))
    before, after = (
        decide_by(settings(), lists),
        decide_by(settings(), {**lists, "ads": names("x.invalid", *new)}),
    )
    wanted = {
        row.name
        for row in rows
        if verdict_of(before(row.name, A, row.client)) != verdict_of(after(row.name, A, row.client))
    }
    assert {from_text(change.name) for change in outcome.changes} == wanted


def many(share: int) -> Outcome:
    rows = asked(("new.example", A, "192.0.2.1", share), ("old.example", A, "192.0.2.1", 2000 - share))
    return with_list(log(rows), settings(), LISTS, "ads", names("new.example", "ads.example"))


def test_the_guard_objects_to_what_changes_too_much() -> None:
    assert guard.objections(many(100), 5) == [], "5% are allowed"
    assert guard.objections(many(240), 5) == [
        "12% of the questions of the last 7 days would fare otherwise, and guard is 5%: "
        "newly blocked new.example (240)"
    ]
    assert guard.objections(many(240), 12) == []
    assert guard.objections(many(2000), 0) == [], "it is off"


def test_the_guard_lets_pass_what_few_questions_say() -> None:
    rows = asked(("new.example", A, "192.0.2.1", guard.LEAST - 1))
    outcome = with_list(log(rows), settings(), LISTS, "ads", names("new.example"))
    assert outcome.changes
    assert guard.objections(outcome, 5) == []


def test_the_guard_names_the_busiest_of_each_kind() -> None:
    rows = asked(
        *((f"n{number}.new.example", A, "192.0.2.1", 100 + number) for number in range(8)),
        ("www.ads.example", A, "192.0.2.1", 400),
    )
    (reason,) = guard.objections(with_list(log(rows), settings(), LISTS, "ads", names("new.example")), 5)
    assert "newly blocked n7.new.example (107), n6.new.example (106)" in reason
    assert "n3.new.example (103) and 3 more; no longer blocked www.ads.example (400)" in reason
