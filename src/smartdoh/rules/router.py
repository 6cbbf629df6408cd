"""Ordered rules to a route: the first rule that matches decides."""

from __future__ import annotations

from collections.abc import Iterable

from smartdoh.config import Rule, qtype_number
from smartdoh.model import Query, Route
from smartdoh.rules.domains import Domains
from smartdoh.rules.networks import Networks


class _Compiled:
    """One rule, ready to be asked."""

    def __init__(self, number: int, rule: Rule, default: str) -> None:
        self._domains = Domains(rule.names)
        self._types = frozenset(qtype_number(qtype) for qtype in rule.types)
        self._clients = Networks(rule.clients) if rule.clients else None
        self.route = Route(
            rule.group or default, rule.action == "block", bool(rule.names), f"routing.rules[{number}]"
        )

    def matches(self, query: Query) -> bool:
        if self._domains and query.name not in self._domains:
            return False
        if self._types and query.qtype not in self._types:
            return False
        return self._clients is None or query.host in self._clients


class Router:
    """The rules of the config, in its order."""

    def __init__(self, rules: Iterable[Rule], default: str) -> None:
        """Rules that look at lists are left to those who have the lists."""
        self._rules = [
            _Compiled(number, rule, default) for number, rule in enumerate(rules) if rule.list is None
        ]
        self._default = Route(default, False, False, "routing.default")

    def route(self, query: Query, *, may_block: bool = True) -> Route:
        """The decision for `query`; without `may_block` the rules that block are passed over."""
        for rule in self._rules:
            if rule.matches(query) and (may_block or not rule.route.is_blocked):
                return rule.route
        return self._default
