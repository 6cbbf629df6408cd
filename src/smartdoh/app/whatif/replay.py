"""The questions of the last days, decided by two configs, or by one with two states of a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from smartdoh.app.whatif.compare import Asked, Outcome, compare, same_on
from smartdoh.app.whatif.policy import Lists, decide_by, looks_at_clients
from smartdoh.config import Settings
from smartdoh.rules.lists import NameSet

Tell = Callable[[int], None]
"""Hears how many rows are done."""


def with_list(
    asked: Iterable[Asked],
    settings: Settings,
    lists: Lists,
    name: str,
    new: NameSet,
    tell: Tell | None = None,
) -> Outcome:
    """As if the list `name` were `new`. Raises ConfigError where the overrides cannot be read."""
    old = lists[name]
    return compare(
        asked,
        decide_by(settings, lists),
        decide_by(settings, {**lists, name: new}),
        same=same_on(old, new) if old is not None else None,
        by_client=looks_at_clients(settings),
        tell=tell,
    )


def with_config(
    asked: Iterable[Asked],
    settings: Settings,
    lists: Lists,
    other: Settings,
    other_lists: Lists,
    tell: Tell | None = None,
) -> Outcome:
    """As if `other` were the config. Raises ConfigError where overrides cannot be read."""
    return compare(
        asked,
        decide_by(settings, lists),
        decide_by(other, other_lists),
        by_client=looks_at_clients(settings) or looks_at_clients(other),
        tell=tell,
    )
