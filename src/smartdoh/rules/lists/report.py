"""The account of a list: how many of its lines are used, and why the others are not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from smartdoh.rules.lists.rule import Reason

MOST_EXAMPLES = 20  # for each reason
LONGEST_EXAMPLE = 200  # characters


@dataclass(frozen=True, slots=True)
class Skipped:
    """A line that is not used."""

    line: int  # from 1; of a list in base64, of what it decodes to
    reason: Reason
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`lines` is the sum of `used`, `comments` (blank lines are among them) and all of `skipped`."""

    lines: int
    used: int
    comments: int
    skipped: Mapping[Reason, int]
    names: int  # different ones
    patterns: int
    exceptions: int  # lines that let names through
    examples: tuple[Skipped, ...]  # the first of each reason
    seconds: float  # that compiling took
    size: int  # bytes of the compiled file

    @property
    def unusable(self) -> int:
        """How many lines are not used, comments apart."""
        return sum(self.skipped.values())

    def as_json(self) -> dict[str, Any]:
        """As plain values; `from_json` reads them."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Report:
        """What `as_json` wrote. Raises KeyError, TypeError or ValueError."""
        skipped = {Reason(reason): count for reason, count in raw["skipped"].items()}
        examples = tuple(
            Skipped(entry["line"], Reason(entry["reason"]), entry["text"]) for entry in raw["examples"]
        )
        return cls(**{**raw, "skipped": skipped, "examples": examples})
