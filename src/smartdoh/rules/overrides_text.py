"""overrides.json as the text that a person wrote: one key set or removed, everything else left as it stands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from smartdoh.rules.overrides import Key, Override, parse_key

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()
_NEW = "{{\n  {}\n}}\n"


class Member(NamedTuple):
    """One key with its value; `start`, `value_start` and `end` are where they stand in the text."""

    key: str
    value: Any
    line: int  # from 1
    start: int
    value_start: int
    end: int


def members(text: str) -> Iterator[Member]:
    """The keys of a text that `parse_overrides` has found sound, in their order; an empty one has none."""
    if not text:
        return
    at = _space(text, _opening(text) + 1)
    line, counted = 1, 0
    while text[at] != "}":
        key, end = _DECODER.raw_decode(text, at)
        value_start = _space(text, _space(text, end) + 1)  # behind the colon
        value, end = _DECODER.raw_decode(text, value_start)
        line, counted = line + text.count("\n", counted, at), at
        yield Member(key, value, line, at, value_start, end)
        at = _space(text, end)
        if text[at] == ",":
            at = _space(text, at + 1)


def find(text: str, key: Key) -> Member | None:
    """The member of a key, in whichever spelling it stands there."""
    return next((member for member in members(text) if _is(member, key)), None)


def with_value(text: str, key: Key, value: object) -> str:
    """The text with a value for the key: in the place of the one that it has, else at the end.

    An empty text is a file that is not there yet.
    """
    member = f"{json.dumps(key.text, ensure_ascii=False)}: {_rendered(value)}"
    if not text:
        return _NEW.format(member)
    found = last = None
    for last in members(text):
        found = last if _is(last, key) else found
    if found is not None:
        return text[: found.value_start] + _rendered(value) + text[found.end :]
    if last is None:
        opening = _opening(text)
        return f"{text[:opening]}{_NEW.format(member).strip()}{text[_space(text, opening + 1) + 1 :]}"
    return f"{text[: last.end]},{_before(text, last) or ' '}{member}{text[last.end :]}"


def without(text: str, key: Key) -> str:
    """The text without a key. Raises KeyError where it does not stand there."""
    all_of_them = list(members(text))
    place = next((place for place, member in enumerate(all_of_them) if _is(member, key)), None)
    if place is None:
        raise KeyError(key.text)
    start, end = all_of_them[place].start, all_of_them[place].end
    if place + 1 < len(all_of_them):
        end = all_of_them[place + 1].start
    elif place:
        start = all_of_them[place - 1].end
    else:
        start, end = _opening(text) + 1, _space(text, end)
    return text[:start] + text[end:]


def value_of(values: Sequence[Override]) -> Any:
    """The value of a key as the file could have it, where only its meaning is known."""
    if len(values) == 1:
        return _value_of(values[0])
    return [{"is": _meaning_of(value), **_bounds_of(value)} for value in values]


def _value_of(override: Override) -> Any:
    bounds = _bounds_of(override)
    return {"is": _meaning_of(override), **bounds} if bounds else _meaning_of(override)


def _meaning_of(override: Override) -> Any:
    addresses = [str(address) for address in override.addresses]
    if addresses:
        return addresses[0] if len(addresses) == 1 else addresses
    return override.group or ("block" if override.is_blocked else "allow")


def _bounds_of(override: Override) -> dict[str, Any]:
    until = {"until": override.until.isoformat()} if override.until is not None else {}
    clients = {"clients": [str(network) for network in override.clients]} if override.clients else {}
    return until | clients


def _rendered(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _is(member: Member, key: Key) -> bool:
    found = parse_key(member.key)
    return (found.name, found.alone) == (key.name, key.alone)


def _opening(text: str) -> int:
    """Where the object begins."""
    return _space(text, 0)


def _space(text: str, at: int) -> int:
    """Where the next thing stands."""
    found = _SPACE.match(text, at)
    assert found is not None  # noqa: S101 - it matches nothing, too
    return found.end()


def _before(text: str, member: Member) -> str:
    """The space before a key, as which the next one gets."""
    return text[len(text[: member.start].rstrip(" \t\n\r")) : member.start]
