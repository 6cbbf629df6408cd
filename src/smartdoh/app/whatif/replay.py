"""The questions of the last days, decided by two configs, or by one with two states of a list."""

from __future__ import annotations

from collections.abc import Callable

from smartdoh.app.whatif.compare import MayChange, Outcome, Rows, compare
from smartdoh.app.whatif.policy import (
    NOBODY,
    Decide,
    Lists,
    decide_by,
    looks_at_clients,
    looks_at_types,
    verdict_of,
)
from smartdoh.config import Settings
from smartdoh.rules.lists import NameSet, key_of
from smartdoh.wire.codes import A

Tell = Callable[[int], None]
"""Hears how many names are done."""


def with_list(
    asked: Rows,
    settings: Settings,
    lists: Lists,
    name: str,
    new: NameSet,
    tell: Tell | None = None,
) -> Outcome:
    """As if the list `name` were `new`. Raises ConfigError where the overrides cannot be read."""
    old = lists[name]
    return compare(
        asked(_on_either(old, new) if old is not None else None),
        decide_by(settings, lists),
        decide_by(settings, {**lists, name: new}),
        by_client=looks_at_clients(settings),
        tell=tell,
    )


def with_config(
    asked: Rows,
    settings: Settings,
    lists: Lists,
    other: Settings,
    other_lists: Lists,
    tell: Tell | None = None,
) -> Outcome:
    """As if `other` were the config. Raises ConfigError where overrides cannot be read."""
    before, after = decide_by(settings, lists), decide_by(other, other_lists)
    by_client = looks_at_clients(settings) or looks_at_clients(other)
    by_name = not by_client and not looks_at_types(settings) and not looks_at_types(other)
    names = [found for found in (*lists.values(), *other_lists.values()) if found is not None]
    return compare(
        asked(_otherwise(before, after, names) if by_name else None),
        before,
        after,
        by_client=by_client,
        tell=tell,
    )


def _otherwise(before: Decide, after: Decide, lists: list[NameSet]) -> MayChange:
    """Where only lines of lists can be about types, one decision does for a name that is on none."""

    def may_change(name: bytes) -> bool:
        key = key_of(name)
        if any(names.mentions(key) for names in lists):
            return True
        return verdict_of(before(name, A, NOBODY)) != verdict_of(after(name, A, NOBODY))

    return may_change


def _on_either(old: NameSet, new: NameSet) -> MayChange:
    """What no line of either is about fares the same, whatever the rules make of the list."""

    def may_change(name: bytes) -> bool:
        key = key_of(name)
        return old.mentions(key) or new.mentions(key)

    return may_change
