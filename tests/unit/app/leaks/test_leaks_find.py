"""Names of a list that went elsewhere than its rules say."""

from __future__ import annotations

import json
from pathlib import Path

from smartdoh.app.leaks.find import Leaks, Sent, find, groups_of
from smartdoh.app.whatif.policy import decide_by
from smartdoh.config import parse
from smartdoh.wire.names import from_text
from tests.lists import name_set

CONFIG = """
[groups.main]
upstreams = ["https://192.0.2.1"]
[groups.far]
upstreams = ["https://192.0.2.2"]
[groups.other]
upstreams = ["https://192.0.2.3"]
[routing]
rules = [
  { domains = ["first.far.example"], group = "other" },
  { list = "far", group = "far" },
  { list = "ads", action = "block" },
  { list = "some", clients = ["192.0.2.64/26"], group = "far" },
]
[lists.far]
file = "far.txt"
format = "adblock"
[lists.ads]
file = "ads.txt"
[lists.some]
file = "some.txt"
[lists.unused]
file = "unused.txt"
"""
LISTS = {
    "far": name_set("||far.example^\n@@||not.far.example^\n", "adblock"),
    "ads": name_set("ads.example\n", "domains"),
    "some": name_set("some.example\n", "domains"),
}


def sent(name: str, group: str, last: float = 2.0) -> Sent:
    return Sent(from_text(name), group, f"dns.{group}", 1.0, last, 3)


LEDGER = [
    sent("far.example", "far"),
    sent("www.far.example", "main", 5.0),
    sent("www.far.example", "far"),
    sent("x.far.example", "main", 9.0),
    sent("not.far.example", "main"),
    sent("first.far.example", "other"),
    sent("first.far.example", "main"),
    sent("x.ads.example", "main"),
    sent("some.example", "main"),
    sent("some.example", "other"),
    sent("good.example", "main"),
]


def look(name: str, text: str = CONFIG) -> Leaks:
    settings = parse(text)
    groups = groups_of(settings, name)
    assert groups is not None
    return find(sorted(LEDGER), LISTS[name], groups, decide_by(settings, LISTS))


def test_names_that_left_by_another_group() -> None:
    """The last first; an exception of the list is none of it, and what an earlier rule decides is meant."""
    found = look("far")
    assert [(line.name, line.group) for line in found.sent] == [
        (from_text("x.far.example"), "main"),
        (from_text("www.far.example"), "main"),
        (from_text("first.far.example"), "main"),
    ]
    assert (found.names, found.listed, found.since) == (8, 4, 1.0)


def test_a_name_of_a_list_that_blocks_may_not_leave_at_all() -> None:
    assert [line.name for line in look("ads").sent] == [from_text("x.ads.example")]


def test_a_list_for_some_clients() -> None:
    """Who asked is not known: where everybody else's questions go is no leak."""
    assert [line.group for line in look("some").sent] == ["other"]


def test_an_override_decides_before_the_list(tmp_path: Path) -> None:
    overrides = tmp_path / "overrides.json"
    overrides.write_text(json.dumps({"x.ads.example": "allow", "=x.far.example": "main"}))
    text = CONFIG.replace("[routing]", f'[routing]\noverrides = "{overrides}"')
    assert look("ads", text).sent == []
    assert from_text("x.far.example") not in [line.name for line in look("far", text).sent]


def test_where_the_rules_send_a_list() -> None:
    settings = parse(CONFIG)
    assert groups_of(settings, "far") == frozenset({"far"})
    assert groups_of(settings, "ads") == frozenset()
    assert groups_of(settings, "unused") is None
