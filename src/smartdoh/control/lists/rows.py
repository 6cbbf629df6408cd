"""Lists as people read them: words for what is used, left out, and when."""

from __future__ import annotations

from datetime import UTC, datetime

from smartdoh.control import tables
from smartdoh.control.api.shapes import ListStatus
from smartdoh.rules.lists import MEANINGS, Reason


def used(found: ListStatus) -> str:
    """How many lines are used, or why there are none."""
    if found["lines_used"] is not None:
        return str(found["lines_used"])
    return found["problem"] or "it is missing"


def skipped(found: ListStatus) -> str:
    """How many lines are not used, by reason."""
    return "; ".join(f"{count} {MEANINGS[Reason(reason)]}" for reason, count in found["skipped"].items())


def ago(time: str | None) -> str:
    """How long ago a time was."""
    if time is None:
        return ""
    seconds = (datetime.now(UTC) - datetime.fromisoformat(time)).total_seconds()
    return f"{tables.span(max(0.0, seconds))} ago"


def next_look(found: ListStatus) -> str:
    """When it is looked at again."""
    if found["updating"]:
        return "now"
    return f"in {tables.span(found['next_look_s'])}" if found["next_look_s"] is not None else ""


def problem(found: ListStatus) -> str:
    """What is wrong with it, also where only the files tell."""
    aside = found["set_aside"]
    if found["problem"] or aside is None:
        return found["problem"]
    return f"set aside as {aside['file']}: {'; '.join(aside['reasons'])}"
