"""Two ways to decide, held against what was asked: which names would fare otherwise, and how often they are asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from smartdoh.app.whatif.policy import Decide, Verdict, verdict_of
from smartdoh.config import qtype_text
from smartdoh.model import Route
from smartdoh.wire.names import to_text

TELL_EVERY = 4096  # names between two words on how far it is
UNDECIDED = 0  # in place of a type: whoever gave the row knows that nothing changes for the name


class Asked(NamedTuple):
    """What one client asked, and how often."""

    name: bytes  # folded wire format
    qtype: int
    client: str
    times: int


MayChange = Callable[[bytes], bool]
"""Whether any question for a name may fare otherwise; False spares everything else."""

Rows = Callable[[MayChange | None], Iterable[Asked]]
"""What was asked; all of a name follow each other, and one row UNDECIDED is enough where it cannot change."""


class _Key(NamedTuple):
    name: bytes
    before: Verdict
    after: Verdict


@dataclass(slots=True)
class Change:
    """One name that would fare otherwise."""

    name: str
    before: Verdict
    after: Verdict
    why: str  # what would decide
    list_name: str = ""
    line: int = 0
    count: int = 0
    types: set[int] = field(default_factory=set)
    clients: int = 0

    @property
    def kind(self) -> str:
        """`blocked`, `unblocked`, or `moved`: to another group, or out of or into what is answered here."""
        if self.after.action == "block":
            return "blocked"
        return "unblocked" if self.before.action == "block" else "moved"

    @property
    def type_names(self) -> list[str]:
        """The types asked for, by their numbers."""
        return [qtype_text(qtype) for qtype in sorted(self.types)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What would change, the busiest first."""

    questions: int  # that were looked at
    names: int
    changes: list[Change]

    def questions_of(self, kind: str = "") -> int:
        """How many questions would fare otherwise, in this way or in any."""
        return sum(change.count for change in self.changes if kind in ("", change.kind))

    @property
    def kinds(self) -> Counter[str]:
        """How many names change in which way."""
        return Counter(change.kind for change in self.changes)


@dataclass(slots=True)
class _Found:
    """A change while rows come in; clients are a bit each, so that a million names fit."""

    route: Route
    count: int = 0
    types: set[int] = field(default_factory=set)
    clients: int = 0


class _Comparison:
    """What was found so far."""

    def __init__(self, before: Decide, after: Decide) -> None:
        self._before, self._after = before, after
        self._bits: dict[str, int] = {}
        self.found: dict[_Key, _Found] = {}

    def decide(self, name: bytes, qtype: int, client: str) -> tuple[_Key, Route] | None:
        """What changes for a question, if anything does."""
        route = self._after(name, qtype, client)
        before, after = verdict_of(self._before(name, qtype, client)), verdict_of(route)
        return (_Key(name, before, after), route) if before != after else None

    def count(self, key: _Key, route: Route, asked: Asked) -> None:
        """Count a row that changes."""
        change = self.found.get(key)
        if change is None:
            change = self.found[key] = _Found(route)
        change.count += asked.times
        change.types.add(asked.qtype)
        change.clients |= self._bits.setdefault(asked.client, 1 << len(self._bits))


def compare(
    asked: Iterable[Asked],
    before: Decide,
    after: Decide,
    *,
    by_client: bool = True,
    tell: Callable[[int], None] | None = None,
) -> Outcome:
    """Decide each question both ways; the rows of a name follow each other, and of those the ones of a type.

    Without `by_client` a name and type is decided once, whoever asks. `tell` hears how many names are done.
    """
    comparison = _Comparison(before, after)
    questions = names = 0
    name, qtype = b"", -1
    changed: tuple[_Key, Route] | None = None
    for row in asked:
        questions += row.times
        is_new = row.name != name
        if is_new:
            names += 1
            if tell is not None and not names % TELL_EVERY:
                tell(names)
        if row.qtype == UNDECIDED:
            changed = None
        elif by_client or is_new or row.qtype != qtype:
            changed = comparison.decide(row.name, row.qtype, row.client)
        name, qtype = row.name, row.qtype
        if changed is not None:
            comparison.count(*changed, row)
    return Outcome(questions, names, _sorted(comparison.found))


def _sorted(found: dict[_Key, _Found]) -> list[Change]:
    changes = [
        Change(
            to_text(key.name),
            key.before,
            key.after,
            one.route.why,
            one.route.list_name,
            one.route.line,
            one.count,
            one.types,
            one.clients.bit_count(),
        )
        for key, one in found.items()
    ]
    changes.sort(key=lambda change: (-change.count, change.name))
    return changes
