"""The names of a list in the ledger, held against the groups that the rules would send them to."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from smartdoh.app.whatif.policy import NOBODY, Decide
from smartdoh.config import Settings
from smartdoh.rules.lists import NameSet
from smartdoh.wire.codes import A


class Sent(NamedTuple):
    """A line of the ledger: a name that was sent to an upstream of a group."""

    name: bytes  # folded wire format
    group: str
    upstream: str
    first: float  # seconds since 1970
    last: float
    times: int


@dataclass(frozen=True, slots=True)
class Leaks:
    """What was found of one list."""

    names: int  # in the ledger
    listed: int  # of them, on the list
    since: float  # the first time that anything was sent, in seconds since 1970; 0.0 for never
    sent: list[Sent]  # outside of the list's group, the last first


def groups_of(settings: Settings, name: str) -> frozenset[str] | None:
    """Where the rules send what is on a list; empty: they block it. None: no rule uses it."""
    rules = [rule for rule in settings.routing.rules if rule.list == name]
    return frozenset(rule.group for rule in rules if rule.group) if rules else None


def find(ledger: Iterable[Sent], names: NameSet, groups: frozenset[str], decide: Decide) -> Leaks:
    """The lines of the ledger that are about names of the list and other groups than `groups`.

    The lines of a name follow each other. Where an override or an earlier rule decides a name, its group is as good.
    """
    count = listed = 0
    since, name, is_listed = math.inf, b"", False
    sent = []
    for line in ledger:
        since = min(since, line.first)
        if line.name != name:
            name, is_listed = line.name, is_on(names, line.name)
            count, listed = count + 1, listed + is_listed
        if is_listed and line.group not in groups and not _is_meant(line, names, decide):
            sent.append(line)
    sent.sort(key=lambda line: (-line.last, line.name))
    return Leaks(count, listed, since if count else 0.0, sent)


def is_on(names: NameSet, name: bytes) -> bool:
    """Whether the list has a name, exceptions apart."""
    match = names.match(name, A)
    return match is not None and not match.is_exception


def _is_meant(line: Sent, names: NameSet, decide: Decide) -> bool:
    """Whether something that comes before the list sends the name to this group."""
    route = decide(line.name, A, NOBODY)
    is_by_list = route.file == str(names.file) and route.line > 0
    return not is_by_list and not route.is_blocked and route.group == line.group
