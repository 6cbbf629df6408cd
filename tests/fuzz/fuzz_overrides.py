"""Any text as overrides.json: refused with words, or overrides that say the same when they are written and read."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from smartdoh.errors import ConfigError
from smartdoh.rules.overrides import Key, Override, Overrides
from smartdoh.rules.overrides_file import parse_overrides
from smartdoh.wire.question import parse_query
from tests.fuzz.harnesses import run_file

GROUPS = ("main", "proxy")
FILE = "overrides.json"
HEAD = bytes.fromhex("0000 0100 0001 0000 0000 0000")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOST = "127.0.0.1"


def check(data: bytes) -> None:
    """What holds for any file."""
    try:
        found = parse_overrides(data.decode("utf-8", "replace"), GROUPS, FILE)
    except ConfigError as error:
        if not str(error).startswith(FILE):
            raise AssertionError("it does not say which file") from error
        return
    again = parse_overrides(
        json.dumps({key.text: _written(key, found) for key in found.entries}), GROUPS, FILE
    )
    assert again.entries == found.entries
    assert found.changed(again) == []
    for key, values in found.entries.items():
        query = parse_query(HEAD + key.name + b"\0\1\0\1", 0, HOST)
        chosen = found.find(query, NOW)
        if any(not value.clients and (value.until is None or value.until > NOW) for value in values):
            assert chosen is not None
            assert chosen.key.name == key.name, "a shorter name won"
        found.find_reverse(query, NOW)
    found.ended(NOW, NOW)
    found.next_end(NOW)


def _written(key: Key, overrides: Overrides) -> object:
    return [_value(value) for value in overrides.entries[key]]


def _value(value: Override) -> dict[str, object]:
    meaning: object = value.group or [str(address) for address in value.addresses]
    if value.is_blocked or value.is_allowed:
        meaning = "block" if value.is_blocked else "allow"
    fields: dict[str, object] = {"is": meaning, "clients": [str(network) for network in value.clients]}
    return fields | ({"until": value.until.isoformat()} if value.until is not None else {})


if __name__ == "__main__":
    run_file(__file__)
