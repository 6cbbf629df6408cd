"""Overrides as the API shows them, and what a change of them came to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from smartdoh.app.overrides import OverridesFile
from smartdoh.app.overrides_reading import read_text
from smartdoh.control.api.shapes import OverrideChange, OverrideEntry, OverridesShown
from smartdoh.errors import ConfigError
from smartdoh.rules.overrides import Key, Overrides
from smartdoh.rules.overrides_file import parse_overrides
from smartdoh.rules.overrides_text import find, members, value_of


async def shown(file: OverridesFile, in_force: Overrides) -> OverridesShown:
    """What the file has; where that cannot be used, what is in force, and why."""
    return await asyncio.to_thread(_shown, file, in_force)


def _shown(file: OverridesFile, in_force: Overrides) -> OverridesShown:
    found = OverridesShown(file=str(file.path), problem="", entries=[])
    try:
        if file.path.exists():
            text = read_text(file.path)
            parse_overrides(text, file.groups, str(file.path))
            found["entries"] = [
                OverrideEntry(key=key, value=value, line=line) for key, value, line, *_ in members(text)
            ]
    except ConfigError as error:
        found["problem"] = str(error)
        found["entries"] = [_entry(key, in_force) for key in in_force.entries]
    return found


def _entry(key: Key, in_force: Overrides) -> OverrideEntry:
    return OverrideEntry(key=key.text, value=value_of(in_force.entries[key]))


class Changed:
    """One change to the file, which remembers what it found and left for the key."""

    def __init__(self, file: str, key: Key, make: Callable[[str], str]) -> None:
        self._file = file
        self._key = key
        self._make = make
        self._before: Any = None
        self._after: Any = None

    def __call__(self, text: str) -> str:
        """As in Change."""
        before = find(text, self._key) if text else None
        new = self._make(text)
        after = find(new, self._key)
        self._key = Key(before.key if before else self._key.text, self._key.name, self._key.alone)
        self._before = before.value if before else None
        self._after = after.value if after else None
        return new

    def told(self) -> OverrideChange:
        """What it came to."""
        return OverrideChange(file=self._file, key=self._key.text, value=self._after, before=self._before)
