"""How a config decides: its rules, lists and overrides, without anything that answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from smartdoh.app.overrides import wall_clock
from smartdoh.app.overrides_reading import read
from smartdoh.config import Settings
from smartdoh.model import Query, Route
from smartdoh.rules.decide import Decisions
from smartdoh.rules.lists import NameSet
from smartdoh.rules.router import Router
from smartdoh.wire.codes import IN, RD

NOBODY = "0.0.0.0"  # noqa: S104 - asks, where who did does not matter, or is not known

Lists = Mapping[str, NameSet | None]
"""Lists by their names; None for one that has never been loaded."""


class Verdict(NamedTuple):
    """What becomes of a question, as far as a client or an upstream notices."""

    action: str  # ask, block, answer or refuse
    group: str = ""  # whom it is asked of

    def __str__(self) -> str:
        return {"ask": f"group {self.group}", "block": "blocked", "answer": "answered here"}.get(
            self.action, "refused"
        )


Decide = Callable[[bytes, int, str], Route]
"""The route of a folded wire name, a type and a client's address."""


def decide_by(settings: Settings, lists: Lists) -> Decide:
    """How `settings` decide with these lists and the overrides as they are now. Raises ConfigError."""
    routing, now = settings.routing, wall_clock()
    closed = [name for name, wanted in settings.lists.items() if wanted.on_missing == "closed"]
    decisions = Decisions(Router(routing.rules, routing.default, lists, closed), lambda: now)
    if routing.overrides is not None and routing.overrides.exists():
        decisions.overrides = read(routing.overrides, settings.groups)
    route = decisions.route

    def decide(name: bytes, qtype: int, client: str) -> Route:
        return route(Query(b"", RD, name, qtype, IN, 0, None, 0, client, b""))

    return decide


def looks_at_clients(settings: Settings) -> bool:
    """Whether who asks can matter: a rule or an override names clients."""
    if any(rule.clients for rule in settings.routing.rules):
        return True
    path = settings.routing.overrides
    return path is not None and path.exists() and bool(read(path, settings.groups).clients)


def looks_at_types(settings: Settings) -> bool:
    """Whether a rule names types; lines of lists may do so too."""
    return any(rule.types for rule in settings.routing.rules)


def verdict_of(route: Route) -> Verdict:
    """What a route means."""
    if route.is_refused:
        return Verdict("refuse")
    if route.is_blocked:
        return Verdict("block")
    if route.addresses or route.pointer:
        return Verdict("answer")
    return Verdict("ask", route.group)
