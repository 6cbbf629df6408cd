"""What is said while a list is looked at, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

Phase = Literal["fetching", "waiting", "compiling", "judging", "replaying"]
Result = Literal["updated", "unchanged", "set aside", "failed"]


class Progress(NamedTuple):
    """How far a list is."""

    phase: Phase
    done: int = 0  # octets fetched
    total: int = 0  # of so many; 0: that is not known


class Outcome(NamedTuple):
    """What came of a look at a list; `why` it was set aside or failed, in words."""

    result: Result
    why: str = ""

    @property
    def is_good(self) -> bool:
        """Whether the list is now what its server or its file has."""
        return self.result in ("updated", "unchanged")


Tell = Callable[[Progress], None]
TellOf = Callable[[str, Progress], None]
"""The same with the list's name."""


def to_nobody(_name: str, _progress: Progress) -> None:
    """For those whom nobody watches."""
