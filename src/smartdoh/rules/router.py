"""Ordered rules to a route: the first rule that matches decides."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from smartdoh.config import Rule, qtype_number
from smartdoh.model import Query, Route
from smartdoh.rules.domains import Domains
from smartdoh.rules.lists.keys import key_of
from smartdoh.rules.lists.match import Match
from smartdoh.rules.lists.nameset import NameSet
from smartdoh.rules.networks import Networks

Lists = Mapping[str, NameSet | None]
"""Lists by their names; None for one that has never been loaded."""

_NO_LISTS: Lists = {}


class Passed(NamedTuple):
    """An exception that sent a question on to the next rule."""

    rule: str
    list_name: str
    file: str
    line: int


class _Compiled:
    """One rule, ready to be asked."""

    def __init__(self, number: int, rule: Rule, default: str, lists: Lists) -> None:
        self._domains = Domains(rule.names)
        self._types = frozenset(qtype_number(qtype) for qtype in rule.types)
        self._clients = Networks(rule.clients) if rule.clients else None
        self.has_conditions = bool(rule.names or rule.types or rule.clients)  # beside its list
        self.list_name = rule.list or ""
        self.names = lists.get(self.list_name)
        self.file = str(self.names.file) if self.names is not None else ""
        self.why = f"routing.rules[{number}]"
        self.route = Route(
            rule.group or default,
            rule.action == "block",
            bool(rule.names),
            self.why,
            list_name=self.list_name,
        )

    def is_about(self, query: Query, key: bytes) -> bool:
        """Whether all that the rule says beside its list is true of the question; `key` is the name's."""
        if self._domains and not self._domains.covers(key):
            return False
        if self._types and query.qtype not in self._types:
            return False
        return self._clients is None or query.host in self._clients

    def route_of(self, match: Match) -> Route:
        """The decision by a line of the list. Rewrites are for rules that block: a group's answers are its own."""
        route = self.route
        return Route(
            route.group,
            route.is_blocked,
            route.is_explicit,
            f"{self.why}: {self.list_name} line {match.line}",
            (),
            b"",
            self.list_name,
            self.file,
            match.line,
            match.rewrite if route.is_blocked else None,
        )


class Router:
    """The rules of the config, in its order. It never changes: other lists are another router."""

    def __init__(
        self,
        rules: Iterable[Rule],
        default: str,
        lists: Lists = _NO_LISTS,
        closed: Collection[str] = (),
    ) -> None:
        """`closed` names the lists without which the questions of their rules are refused (on_missing).

        A rule of any other missing list is as if it were not there.
        """
        compiled = [_Compiled(number, rule, default, lists) for number, rule in enumerate(rules)]
        self._rules = [
            rule
            for rule in compiled
            if not rule.list_name or rule.names is not None or rule.list_name in closed
        ]
        self._default = Route(default, False, False, "routing.default")
        self.may_block = any(rule.route.is_blocked for rule in self._rules)

    def route(self, query: Query, *, may_block: bool = True) -> Route:
        """The decision for `query`; without `may_block` the rules that block are passed over."""
        key = key_of(query.name)
        for rule in self._rules:
            if rule.has_conditions and not rule.is_about(query, key):
                continue
            if rule.route.is_blocked and not may_block:
                continue
            if not rule.list_name:
                return rule.route
            names = rule.names
            if names is None:
                why = f"{rule.why}: list {rule.list_name} is missing"
                return rule.route._replace(why=why, is_refused=True)
            match = names.match_key(key, query.qtype)
            if match is not None and not match.is_exception:
                return rule.route_of(match)
        return self._default

    def exceptions(self, query: Query) -> Iterator[Passed]:
        """The lists that let the question through on its way to its route, for those who ask why."""
        key, decided = key_of(query.name), self.route(query).why
        for rule in self._rules:
            if decided.startswith(rule.why):
                return
            if rule.names is not None and rule.is_about(query, key):
                match = rule.names.match_key(key, query.qtype)
                if match is not None and match.is_exception:
                    yield Passed(rule.why, rule.list_name, rule.file, match.line)
