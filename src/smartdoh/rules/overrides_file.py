"""Reading overrides.json: every mistake is told with its key or its line, and then nothing of the file counts."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Any

from smartdoh.config import Address, Network
from smartdoh.errors import ConfigError
from smartdoh.rules.overrides import Key, Override, Overrides, parse_key

LARGEST = 16 << 20  # octets of a file that a person edits
_FIELDS = ("is", "until", "clients")
_EXPECTED = "block, allow, the name of a group, an address or a list of addresses"


def parse_overrides(text: str, groups: Collection[str], file: str) -> Overrides:
    """The overrides in `text`, the JSON of `file`. Raises ConfigError with a line for each mistake."""
    if len(text) > LARGEST:
        raise ConfigError(file, f"is longer than {LARGEST} octets")
    pairs = _load(text, file)
    entries: dict[Key, tuple[Override, ...]] = {}
    problems: list[str] = []
    seen: set[Key] = set()
    for name, value in pairs:
        try:
            key = parse_key(name)
            values = tuple(_values(value, groups))
        except ValueError as error:
            problems.append(f"{name!r}: {error}")
            continue
        spelled = Key("", key.name, key.alone)
        if spelled in seen:
            problems.append(f"{name!r}: stands twice, perhaps in another spelling")
        seen.add(spelled)
        entries[key] = values
    if problems:
        raise ConfigError(file, f"\n{file}: ".join(problems))
    return Overrides(entries)


def _load(text: str, file: str) -> _Pairs:
    try:
        pairs = json.loads(text, object_pairs_hook=_Pairs)
    except json.JSONDecodeError as error:
        raise ConfigError(file, f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except (RecursionError, ValueError):  # the latter for numbers of thousands of digits
        raise ConfigError(file, "holds nothing that overrides could be") from None
    if not isinstance(pairs, _Pairs):
        raise ConfigError(file, 'is not an object of names and values like {"ads.example.com": "block"}')
    return pairs


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with its keys in order and none of them lost."""


def _values(value: object, groups: Collection[str]) -> Iterable[Override]:
    """A value of the file; a list that holds objects is several, of which the first that holds counts."""
    if (
        isinstance(value, list)
        and not isinstance(value, _Pairs)
        and any(isinstance(v, _Pairs) for v in value)
    ):
        for one in value:
            yield _value(one, groups)
    else:
        yield _value(value, groups)


def _value(value: object, groups: Collection[str]) -> Override:
    if not isinstance(value, _Pairs):
        return _meaning(value, groups, None, ())
    fields = dict(value)
    unknown = [name for name in fields if name not in _FIELDS]
    if unknown or "is" not in fields or len(fields) != len(value):
        raise ValueError(
            f"an object has {', '.join(_FIELDS)}, each once, and needs is; it has {', '.join(fields)}"
        )
    return _meaning(fields["is"], groups, _until(fields.get("until")), _clients(fields.get("clients", [])))


def _meaning(
    value: object, groups: Collection[str], until: datetime | None, clients: tuple[Network, ...]
) -> Override:
    if value == "block":
        return Override(is_blocked=True, until=until, clients=clients)
    if value == "allow":
        return Override(is_allowed=True, until=until, clients=clients)
    if isinstance(value, str) and value in groups:
        return Override(group=value, until=until, clients=clients)
    addresses = _addresses(value)
    if not addresses:
        known = ", ".join(groups)
        raise ValueError(f"{value!r} is not {_EXPECTED}; groups: {known}")
    return Override(addresses=addresses, until=until, clients=clients)


def _addresses(value: object) -> tuple[Address, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        return ()
    try:
        return tuple(dict.fromkeys(ipaddress.ip_address(text) for text in texts))
    except ValueError:
        return ()


def _until(value: object) -> datetime | None:
    if value is None:
        return None
    try:
        until = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(f"until: {value!r} is not a time like 2026-12-01T20:00:00Z") from None
    return until if until.tzinfo else until.replace(tzinfo=UTC)


def _clients(value: object) -> tuple[Network, ...]:
    texts = [value] if isinstance(value, str) else value
    try:
        return tuple(ipaddress.ip_network(text, strict=False) for text in texts)  # type: ignore[attr-defined]
    except (ValueError, TypeError):
        raise ValueError(f"clients: {value!r} is not a list of addresses or networks") from None
