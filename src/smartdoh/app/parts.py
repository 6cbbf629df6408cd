"""What outlives a reload that leaves its settings alone: all parts of a runtime that have connections or learn."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, NamedTuple, TypeVar, cast

from smartdoh.tasks import Report, Tasks

T = TypeVar("T")


def _leave_open(_part: object) -> None:
    """For what has nothing to close."""


class _Part(NamedTuple):
    value: Any
    tasks: Tasks
    close: Callable[[Any], Awaitable[None] | None]


class Parts:
    """One runtime's parts, by all that they were made from.

    A key holds the settings that matter to a part and, as they are, the parts that it uses: whatever uses a part that
    was made anew is made anew too. Whoever has `present` closes what the next runtime did not take from it.
    """

    def __init__(self, report: Report, present: Parts | None = None) -> None:
        """`report` hears of failures in the background; `present` are the parts that may be taken over."""
        self._report = report
        self._parts: dict[Hashable, _Part] = {}
        self._present = dict(present._parts) if present is not None else {}

    def __len__(self) -> int:
        return len(self._parts)

    def take(
        self,
        key: Hashable,
        make: Callable[[Tasks], T],
        close: Callable[[T], Awaitable[None] | None] = _leave_open,
    ) -> T:
        """The part of `key`: the one taken already, the present one, or what `make` gives.

        `make` gets the tasks of that part alone, which have ended when `close` is called.
        """
        part = self._parts.get(key) or self._present.get(key)
        if part is None:
            tasks = Tasks(self._report)
            part = _Part(make(tasks), tasks, close)
        self._parts[key] = part
        return cast("T", part.value)

    def settle(self) -> None:
        """All that is wanted was taken: hold on to nothing else."""
        self._present = {}

    def without(self, others: Parts) -> Parts:
        """Those that `others` do not have."""
        rest = Parts(self._report)
        kept = {id(part) for part in others._parts.values()}
        rest._parts = {key: part for key, part in self._parts.items() if id(part) not in kept}
        return rest

    async def aclose(self) -> None:
        """Close them, those first that were made of others."""
        parts = list(reversed(self._parts.values()))
        await asyncio.gather(*(part.tasks.aclose() for part in parts))
        for part in parts:
            closing = part.close(part.value)
            if closing is not None:
                await closing

    def abandon(self) -> None:
        """Close what was made here, before any of it can have had a connection."""
        present = {id(part) for part in self._present.values()}
        for part in self._parts.values():
            if id(part) not in present and part.close is not _leave_open:
                closing = part.close(part.value)
                assert closing is None  # noqa: S101 - only what is closed at once is made while a config may be refused
