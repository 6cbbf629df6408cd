"""Which clients may ask, and which of them are treated alike: the view is part of a kept answer's key."""

from __future__ import annotations

from collections.abc import Iterable

from smartdoh.config import Network, Rule
from smartdoh.rules.networks import Networks


class Views:
    """Clients to views. Two clients share a view exactly if everything that looks at clients treats them alike."""

    def __init__(self, allow: Iterable[Network], rules: Iterable[Rule]) -> None:
        self._allow = Networks(allow)
        self._by_rules = tuple(dict.fromkeys(rule.clients for rule in rules if rule.clients))
        self._told_apart: tuple[tuple[Network, ...], ...] = ()
        self._groups: list[Networks] = []
        self._views: dict[tuple[bool, ...], int] = {}
        self.tell_apart(())

    def tell_apart(self, sets: Iterable[tuple[Network, ...]]) -> bool:
        """Look at these sets of clients beside those of the rules; whether that changes what views mean."""
        wanted = tuple(dict.fromkeys((*self._by_rules, *sorted(sets, key=str))))
        if self._views and wanted == self._told_apart:
            return False
        self._told_apart = wanted
        self._groups = [Networks(clients) for clients in wanted]
        self._views = {(False,) * len(wanted): 0}
        return True

    def sets(self) -> tuple[Networks, ...]:
        """Who may ask, and the sets of clients that are told apart: `view_of` looks at nothing else."""
        return self._allow, *self._groups

    def view_of(self, host: str) -> int | None:
        """The view of the client at `host`; None if it may not ask."""
        if host not in self._allow:
            return None
        if not self._groups:
            return 0
        membership = tuple(host in group for group in self._groups)
        return self._views.setdefault(membership, len(self._views))
