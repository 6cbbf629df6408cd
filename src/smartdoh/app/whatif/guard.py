"""Whether a new version of a list changes too much of what is asked, in words."""

from __future__ import annotations

from collections.abc import Iterator

from smartdoh.app.whatif.compare import Change, Outcome

DAYS = 7.0  # that are replayed
LEAST = 1000  # questions, below which shares say nothing
NAMED = 5  # of the busiest names, in a reason

_WORDS = {"blocked": "newly blocked", "unblocked": "no longer blocked", "moved": "sent elsewhere"}


def objections(outcome: Outcome, percent: int, days: float = DAYS) -> list[str]:
    """Why a list shall not be used that changes this much; empty where it may. `percent` 0 objects to nothing."""
    changed = outcome.questions_of()
    if not percent or outcome.questions < LEAST or changed * 100 <= percent * outcome.questions:
        return []
    share = f"{changed / outcome.questions:.0%} of the questions of the last {days:g} days"
    return [f"{share} would fare otherwise, and guard is {percent}%: {'; '.join(_busiest(outcome.changes))}"]


def _busiest(changes: list[Change]) -> Iterator[str]:
    for kind, words in _WORDS.items():
        of_kind = [change for change in changes if change.kind == kind]
        if of_kind:
            named = ", ".join(f"{change.name.rstrip('.')} ({change.count})" for change in of_kind[:NAMED])
            more = f" and {len(of_kind) - NAMED} more" if len(of_kind) > NAMED else ""
            yield f"{words} {named}{more}"
