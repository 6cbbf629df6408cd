"""Which of the rules that match a name decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from smartdoh.model import Rewrite
from smartdoh.rules.lists.rewrites import ANY_REWRITE, combined


class Match(NamedTuple):
    """What a list says of a name."""

    line: int  # which line of the list says so, from 1
    is_exception: bool = False  # the name is let through, to the next rule
    is_important: bool = False
    rewrite: Rewrite | None = None  # what the list wants answered
    is_mild: bool = False  # the rewrite is no more than any other rule


def decide(matches: Sequence[Match]) -> Match | None:
    """The one that decides among all that apply to a name, given the longest name first.

    Rewrites come before all else; then important exceptions, important rules, exceptions, and other rules. An
    exception that names a rewrite lifts rewrites and nothing else. (AdGuard, "DNS filtering rules syntax".)
    """
    forced = _forced(matches)
    if forced:
        return _answering(forced)
    ranked = [match for match in matches if match.rewrite is None or match.is_mild]
    best = max(ranked, key=_rank, default=None)  # the first of equals
    if best is None or best.rewrite is None:
        return best
    return _answering([match for match in ranked if match.rewrite is not None])


def _rank(match: Match) -> int:
    return 2 * match.is_important + match.is_exception


def _forced(matches: Sequence[Match]) -> list[Match]:
    """The rewrites that no exception lifts."""
    rewriting = [match for match in matches if match.rewrite is not None and not match.is_mild]
    exceptions = [match for match in rewriting if match.is_exception]
    return [
        match
        for match in rewriting
        if not match.is_exception and not any(_lifts(exception, match) for exception in exceptions)
    ]


def _lifts(exception: Match, match: Match) -> bool:
    if match.is_important and not exception.is_important:
        return False
    return exception.rewrite in (ANY_REWRITE, match.rewrite)


def _answering(matches: list[Match]) -> Match:
    answer = combined([match.rewrite for match in matches if match.rewrite is not None])
    return matches[0]._replace(rewrite=answer)
