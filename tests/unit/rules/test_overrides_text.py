"""One key of overrides.json set or removed: what a person wrote beside it stays octet for octet."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartdoh.rules.overrides import Overrides, parse_key
from smartdoh.rules.overrides_file import parse_overrides
from smartdoh.rules.overrides_text import find, members, value_of, with_value, without

GROUPS = ("direct", "proxy")
HAND_MADE = """{
    "ads.example.com":   "block",

    "=WWW.example.net": ["192.0.2.1",
                         "2001:db8::1"],
\t"guests.example": {"is": "block", "clients": ["192.168.2.0/24"]}
}
"""


@pytest.mark.parametrize(
    ("before", "key", "value", "after"),
    [
        ("", "a.example", "block", '{\n  "a.example": "block"\n}\n'),
        ("{}", "a.example", "block", '{\n  "a.example": "block"\n}'),
        (" { \n } \n", "a.example", "block", ' {\n  "a.example": "block"\n} \n'),
        ('{"a.example": "block"}', "b.example", "allow", '{"a.example": "block", "b.example": "allow"}'),
        ('{"a": "block",\n "b": "block"}', "c", "allow", '{"a": "block",\n "b": "block",\n "c": "allow"}'),
        ('{"a":"block"}', "a", ["192.0.2.1"], '{"a":["192.0.2.1"]}'),
        ('{"a" : "block" ,\r\n"b" : "block"}', "a", "x", '{"a" : "x" ,\r\n"b" : "block"}'),
        ('{"A.Example.": "block"}', "a.example", "allow", '{"A.Example.": "allow"}'),
        ('{"a": "block"}', "=a", "allow", '{"a": "block", "=a": "allow"}'),
        (
            HAND_MADE,
            "=www.example.net",
            "direct",
            HAND_MADE.replace(HAND_MADE[HAND_MADE.index("[") : HAND_MADE.index("]") + 1], '"direct"'),
        ),
        (HAND_MADE, "new.example", "proxy", HAND_MADE.replace("}\n}", '},\n\t"new.example": "proxy"\n}')),
        ('{"ü.example": "block"}', "é.example", "block", '{"ü.example": "block", "é.example": "block"}'),
    ],
)
def test_set(before: str, key: str, value: object, after: str) -> None:
    assert with_value(before, parse_key(key), value) == after


@pytest.mark.parametrize(
    ("before", "key", "after"),
    [
        ('{"a": "block"}', "a", "{}"),
        ('{\n  "a": "block"\n}\n', "a", "{}\n"),
        ('{"a": "block", "b": "allow"}', "a", '{"b": "allow"}'),
        ('{"a": "block", "b": "allow"}', "b", '{"a": "block"}'),
        ('{\n  "a": "block",\n  "b": "allow",\n  "c": "x"\n}', "b", '{\n  "a": "block",\n  "c": "x"\n}'),
        (HAND_MADE, "guests.example.", HAND_MADE[: HAND_MADE.index(",\n\t")] + "\n}\n"),
    ],
)
def test_remove(before: str, key: str, after: str) -> None:
    assert without(before, parse_key(key)) == after


@pytest.mark.parametrize("key", ["b.example", "=ads.example.com", "example.com"])
def test_what_is_not_there_cannot_be_removed(key: str) -> None:
    with pytest.raises(KeyError):
        without(HAND_MADE, parse_key(key))
    with pytest.raises(KeyError):
        without("", parse_key(key))


def test_lines() -> None:
    assert [(member.key, member.line) for member in members(HAND_MADE)] == [
        ("ads.example.com", 2),
        ("=WWW.example.net", 4),
        ("guests.example", 6),
    ]
    assert find(HAND_MADE, parse_key("nothing.example")) is None


labels = st.sampled_from(["a", "b", "C", "d-1", "xn--4ca", "_x"])
keys = st.builds(
    lambda alone, parts, dot: "=" * alone + ".".join(parts) + "." * dot,
    st.booleans(),
    st.lists(labels, min_size=1, max_size=2),
    st.booleans(),
)
addresses = st.ip_addresses().map(str)
plain: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(["block", "allow", *GROUPS]), addresses, st.lists(addresses, min_size=1, max_size=3)
)
fields = st.fixed_dictionaries(
    {"is": plain},
    optional={
        "until": st.just("2026-12-01T20:00:00+00:00"),
        "clients": st.just(["192.168.2.0/24", "2001:db8::/32"]),
    },
)
values: st.SearchStrategy[Any] = st.one_of(plain, fields, st.lists(fields, min_size=1, max_size=2))
spaces = st.text(" \t\n\r", max_size=3)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A file as people may write it; no key stands in it twice."""
    pairs = draw(st.lists(st.tuples(keys, values), max_size=5, unique_by=lambda pair: named(pair[0])))
    indent = draw(st.sampled_from([None, 2]))
    written = [
        f"{draw(spaces)}{json.dumps(key)}{draw(spaces)}:{draw(spaces)}{json.dumps(value, indent=indent)}"
        f"{draw(spaces)}"
        for key, value in pairs
    ]
    return f"{draw(spaces)}{{{','.join(written) or draw(spaces)}}}{draw(spaces)}"


def named(text: str) -> tuple[bytes, bool]:
    key = parse_key(text)
    return key.name, key.alone


def rows(text: str) -> list[tuple[str, Any]]:
    return [(member.key, member.value) for member in members(text)]


@settings(max_examples=100, deadline=None)
@given(texts(), st.lists(st.tuples(keys, st.none() | values), min_size=1, max_size=6))
def test_changes_are_what_a_fresh_look_finds_and_leave_the_others_in_their_order(
    text: str, changes: list[tuple[str, Any]]
) -> None:
    for spelled, value in changes:
        before, key = rows(text), parse_key(spelled)
        is_there = any(named(name) == named(spelled) for name, _ in before)
        if value is None and not is_there:
            with pytest.raises(KeyError):
                without(text, key)
            continue
        text = without(text, key) if value is None else with_value(text, key, value)
        others = [row for row in before if named(row[0]) != named(spelled)]
        assert [row for row in rows(text) if named(row[0]) != named(spelled)] == others
        if value is None:
            assert rows(text) == others
        else:
            expected = [(name, value if named(name) == named(spelled) else was) for name, was in before]
            assert rows(text) == (expected if is_there else [*before, (spelled, value)])
        assert list(json.loads(text).items()) == rows(text)
        assert len(parse_overrides(text, GROUPS, "file")) == len(rows(text))


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(keys, values, max_size=4))
def test_what_is_in_force_can_be_spelled_again(entries: dict[str, Any]) -> None:
    unique = {named(key): (key, value) for key, value in entries.items()}
    first = parse_overrides(json.dumps(dict(unique.values())), GROUPS, "file")
    spelled = {key.text: value_of(found) for key, found in first.entries.items()}
    again: Overrides = parse_overrides(json.dumps(spelled), GROUPS, "file")
    assert again.entries == first.entries
