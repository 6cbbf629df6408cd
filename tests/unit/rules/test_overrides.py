"""Overrides: which one holds for a question, and what is wrong with a file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartdoh.errors import ConfigError
from smartdoh.rules.overrides import Overrides
from smartdoh.rules.overrides_file import parse_overrides
from tests.scenario.messages import query

GROUPS = ("direct", "proxy")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FILE = """{
  "ads.example.com": "block",
  "cdn.ads.example.com": "allow",
  "nas.home.arpa": ["192.168.1.5", "fd00::5"],
  "example.org": "proxy",
  "=www.example.net": "203.0.113.7",
  "bücher.example": "direct",
  "kids.example": [{"is": "allow", "clients": ["192.0.2.20"]}, "block"],
  "hour.example": {"is": "allow", "until": "2026-11-22T13:00:00Z"}
}"""


def overrides(text: str = FILE) -> Overrides:
    return parse_overrides(text, GROUPS, "overrides.json")


def key_of(name: str, client: str = "127.0.0.1", now: datetime = NOW) -> str | None:
    found = overrides().find(query(name)._replace(host=client), now)
    return found.key.text if found else None


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("ads.example.com.", "ads.example.com"),
        ("ADS.Example.COM.", "ads.example.com"),
        ("x.y.ads.example.com.", "ads.example.com"),
        ("cdn.ads.example.com.", "cdn.ads.example.com"),
        ("a.cdn.ads.example.com.", "cdn.ads.example.com"),
        ("badads.example.com.", None),
        ("example.com.", None),
        ("www.example.net.", "=www.example.net"),
        ("a.www.example.net.", None),
        ("xn--bcher-kva.example.", "bücher.example"),
        ("kids.example.", "kids.example"),
        ("hour.example.", "hour.example"),
        (".", None),
    ],
)
def test_longest_match_wins(name: str, key: str | None) -> None:
    assert key_of(name) == key


def test_an_override_ends() -> None:
    assert key_of("hour.example.", now=NOW + timedelta(minutes=59)) == "hour.example"
    assert key_of("hour.example.", now=NOW + timedelta(minutes=60)) is None
    assert overrides().next_end(NOW) == NOW + timedelta(hours=1)
    assert overrides().next_end(NOW + timedelta(hours=1)) is None
    assert [key.text for key in overrides().ended(NOW, NOW + timedelta(hours=2))] == ["hour.example"]


def test_an_override_may_be_for_some_clients() -> None:
    ours = overrides().find(query("kids.example.")._replace(host="192.0.2.20"), NOW)
    theirs = overrides().find(query("kids.example.")._replace(host="192.0.2.21"), NOW)
    assert ours is not None
    assert theirs is not None
    assert (ours.override.is_allowed, theirs.override.is_blocked) == (True, True)


@pytest.mark.parametrize(
    ("name", "leads_to"),
    [
        ("5.1.168.192.in-addr.arpa.", "nas.home.arpa"),
        ("7.113.0.203.in-addr.arpa.", "=www.example.net"),
        ("6.1.168.192.in-addr.arpa.", None),
    ],
)
def test_addresses_lead_back(name: str, leads_to: str | None) -> None:
    key = overrides().find_reverse(query(name, "PTR"), NOW)
    assert (key.text if key else None) == leads_to


def test_only_what_differs_has_changed() -> None:
    other = overrides(FILE.replace('"192.168.1.5"', '"192.168.1.6"').replace('"example.org": "proxy",', ""))
    assert {key.text for key in overrides().changed(other)} == {"nas.home.arpa", "example.org"}
    assert overrides().changed(overrides()) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a.example": "blok"}', "'a.example': 'blok' is not block, allow, the name of a group, an address"),
        ('{"a.example": 5}', "'a.example': 5 is not block"),
        ('{"a.example": []}', "'a.example': [] is not block"),
        ('{"a.example": ["192.0.2.1", "nowhere"]}', "is not block"),
        ('{"a..example": "block"}', "'a..example': 'a..example' has a label that is empty"),
        ('{"a.example": "block", "A.example": "allow"}', "'A.example': stands twice"),
        ('{"a.example": {"until": "2026-12-01"}}', "needs is; it has until"),
        ('{"a.example": {"is": "block", "for": 1}}', "it has is, for"),
        ('{"a.example": {"is": "block", "until": "soon"}}', "until: 'soon' is not a time like"),
        ('{"a.example": {"is": "block", "clients": ["me"]}}', "clients: ['me'] is not a list of addresses"),
        ('{"a.example": {"is": "block", "clients": 7}}', "clients: 7 is not a list of addresses"),
        ('{"a.example": "block"', "line 1, column 22: Expecting ',' delimiter"),
        ("[]", "is not an object of names and values"),
        ("[" * 100_000, "holds nothing that overrides could be"),
        ('{"a.example": ' + "9" * 5000 + "}", "holds nothing that overrides could be"),
    ],
)
def test_mistakes_are_told(text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        overrides(text)
    assert problem in str(caught.value)
    assert str(caught.value).startswith("overrides.json: ")


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        overrides('{"a.example": "x", "b.example": "block", "c.example": "y"}')
    assert [line.split("'")[1] for line in str(caught.value).splitlines()] == ["a.example", "c.example"]


@given(
    st.text(max_size=60)
    | st.recursive(st.none() | st.booleans() | st.text(), st.lists, max_leaves=5).map(repr)
)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        overrides(text)
    except ConfigError as error:
        assert str(error)  # noqa: PT017 - that it is no other error is what is tested


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=5))
def test_any_object_is_read_or_refused(pairs: dict[str, str]) -> None:
    import json  # noqa: PLC0415

    try:
        found = overrides(json.dumps(pairs))
    except ConfigError:
        return
    assert len(found) == len(pairs)


@pytest.mark.parametrize("key", ["*.foo.example", "=", "", ".", "=.", "*"])
def test_a_key_has_to_be_a_name(key: str) -> None:
    with pytest.raises(ConfigError, match="is no name"):
        overrides(f'{{"{key}": "block"}}')
