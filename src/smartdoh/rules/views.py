"""Which clients may ask, and which of them are treated alike: the view is part of a kept answer's key."""

from __future__ import annotations

from collections.abc import Iterable

from smartdoh.config import Network, Rule
from smartdoh.rules.networks import Networks


class Views:
    """Clients to views. Two clients share a view exactly if every rule that looks at clients treats them alike."""

    def __init__(self, allow: Iterable[Network], rules: Iterable[Rule]) -> None:
        self._allow = Networks(allow)
        self._groups = [
            Networks(clients) for clients in dict.fromkeys(rule.clients for rule in rules) if clients
        ]
        self._views: dict[tuple[bool, ...], int] = {(False,) * len(self._groups): 0}

    def view_of(self, host: str) -> int | None:
        """The view of the client at `host`; None if it may not ask."""
        if host not in self._allow:
            return None
        if not self._groups:
            return 0
        membership = tuple(host in group for group in self._groups)
        return self._views.setdefault(membership, len(self._views))
