"""One decision for a question: the user's overrides first, then the rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from smartdoh.model import Query, Route
from smartdoh.rules.overrides import Found, Key, Overrides
from smartdoh.rules.router import Router

WallClock = Callable[[], datetime]
"""The time of day, aware."""

NONE = Overrides({})


class Decisions:
    """Routes by overrides and rules. The overrides may be replaced at any time; what is kept has to go then."""

    def __init__(self, router: Router, now: WallClock, file: str = "overrides") -> None:
        self.overrides = NONE
        self.router = router
        self._now = now
        self._file = file

    def route(self, query: Query) -> Route:
        """The decision for `query`."""
        overrides = self.overrides
        if not overrides:
            return self.router.route(query)
        now = self._now()
        found = overrides.find(query, now)
        if found is not None:
            return self._overridden(query, found)
        key = overrides.find_reverse(query, now)
        if key is not None:
            default = self.router.route(query)
            return default._replace(is_explicit=True, why=self._name(key), pointer=key.name)
        return self.router.route(query)

    @property
    def may_block(self) -> bool:
        """Whether there is any name that is blocked."""
        return bool(self.overrides) or self.router.may_block

    def is_spared(self, query: Query, by: Route) -> bool:
        """Whether the name of `query` is let through what another name, to which it leads, is blocked `by`.

        The user's own word on it does that, and an exception for it on the list that blocks.
        """
        if self.overrides and self.overrides.find(query, self._now()) is not None:
            return True
        if not by.list_name:
            return False
        return any(passed.list_name == by.list_name for passed in self.router.exceptions(query))

    def _overridden(self, query: Query, found: Found) -> Route:
        override, why = found.override, self._name(found.key)
        routed = self.router.route(query, may_block=False)
        if override.is_allowed:
            return routed._replace(why=f"{why}, then {routed.why}")
        addresses = tuple(address.packed for address in override.addresses)
        return Route(override.group or routed.group, override.is_blocked, True, why, addresses)

    def _name(self, key: Key) -> str:
        return f"{self._file}: {key.text}"
