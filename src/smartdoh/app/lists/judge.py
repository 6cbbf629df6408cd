"""Whether a new list may take the place of the old one: one bad list otherwise takes its names from everybody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from smartdoh.rules.lists import NameSet, Report
from smartdoh.wire.names import from_text

SHRUNK_BELOW = 0.5  # of the old list's used lines: an error page, a broken build, half a download
GROWN_ABOVE = 3.0  # times the old list's used lines: somebody else's list
FEW_LINES = 100  # used lines below which sizes say nothing
UNUSABLE = 0.5  # of all lines but comments that may be unusable: more is not this format
WORSE = 0.2  # by which that share may grow from one list to the next


@dataclass(frozen=True, slots=True)
class Candidate:
    """A list with the account of its lines."""

    report: Report
    names: NameSet


def objections(new: Candidate, old: Candidate | None, canaries: Iterable[str]) -> list[str]:
    """Why `new` shall not be used, in words for the log; empty if it may."""
    found = list(_by_itself(new.report))
    if old is not None:
        found += _beside(new.report, old.report)
    found += _canaries(new, old, canaries)
    return found


def _by_itself(report: Report) -> Iterator[str]:
    if not report.used:
        yield "it has no usable line"
    elif _unusable(report) > UNUSABLE:
        yield f"{_unusable(report):.0%} of its lines cannot be used"


def _beside(new: Report, old: Report) -> Iterator[str]:
    if old.used >= FEW_LINES and new.used < old.used * SHRUNK_BELOW:
        yield f"it shrank from {old.used} to {new.used} lines"
    if new.used >= FEW_LINES and new.used > max(old.used, FEW_LINES) * GROWN_ABOVE:
        yield f"it grew from {old.used} to {new.used} lines"
    if _unusable(new) > _unusable(old) + WORSE:
        yield f"{_unusable(new):.0%} of its lines cannot be used, {_unusable(old):.0%} before"


def _canaries(new: Candidate, old: Candidate | None, canaries: Iterable[str]) -> Iterator[str]:
    for canary in canaries:
        name = from_text(canary)
        match = new.names.match(name)
        if match is None or match.is_exception:
            continue
        before = old.names.match(name) if old is not None else None
        if before is None or before.is_exception:
            yield f"it has {canary} on it (line {match.line}), which must not be"


def _unusable(report: Report) -> float:
    lines = report.used + report.unusable
    return report.unusable / lines if lines else 0.0
