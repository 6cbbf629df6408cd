"""overrides.json while the proxy runs: read, watched, and put in force within a second."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from pathlib import Path

from smartdoh.app import logs
from smartdoh.app.overrides_reading import read
from smartdoh.app.overrides_writing import Change, rewrite
from smartdoh.app.watch import State, changes, state_of
from smartdoh.config import Network
from smartdoh.errors import ConfigError
from smartdoh.rules.decide import Decisions
from smartdoh.rules.overrides import Key, Overrides, reverse_names
from smartdoh.tasks import Tasks

LONGEST_SLEEP = 60.0  # seconds; the date may be set while an override waits for its end

Forget = Callable[[Collection[bytes], Collection[bytes]], Awaitable[object]]
"""Removes what is kept for names, and for zones with all below them."""

TellApart = Callable[[Collection[tuple[Network, ...]]], object]
"""Is told which sets of clients the overrides treat differently."""


def wall_clock() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


class OverridesFile:
    """One file and the decisions that it overrides."""

    def __init__(
        self,
        path: Path,
        groups: Collection[str],
        decisions: Decisions,
        tell_apart: TellApart,
        forget: Forget,
    ) -> None:
        """Read `path` and put it in force. Raises ConfigError."""
        self.path = path
        self.groups = groups
        self._decisions = decisions
        self._tell_apart = tell_apart
        self._forget = forget
        self._log = logs.get()
        self._replaced = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._written: State = None
        self._seen = state_of(path)
        if self._seen is None:
            self._log.warning("there are no overrides yet", file=str(path))
        else:
            decisions.overrides = read(path, groups)
        tell_apart(decisions.overrides.clients)

    def follow(self, tasks: Tasks) -> None:
        """Put every change in force, until `tasks` are closed; a file that cannot be used leaves the last good one."""
        tasks.start(self._follow_changes(), "overrides")
        tasks.start(self._follow_ends(), "ends of overrides")

    async def _follow_changes(self) -> None:
        async for _ in changes(self.path, self._seen):
            await self.load()

    async def load(self) -> None:
        """Read the file once more, in a thread: a long one takes time, and answers go on meanwhile."""
        async with self._one_at_a_time:
            if self._written is not None and state_of(self.path) == self._written:
                return  # it is what we wrote, and in force
            try:
                new = await asyncio.to_thread(read, self.path, self.groups)
            except ConfigError as error:
                self._log.error("overrides refused, the last good ones stay", problem=str(error))
                return
            await self._put_in_force(new)

    async def edit(self, change: Change) -> None:
        """Change the file as it is now, and put it in force before this ends.

        Raises UnwritableError, or ConfigError where the change makes what no overrides are; nothing has changed then.
        """
        async with self._one_at_a_time:
            new, self._written = await asyncio.to_thread(rewrite, self.path, self.groups, change)
            await self._put_in_force(new)

    async def _put_in_force(self, new: Overrides) -> None:
        old, self._decisions.overrides = self._decisions.overrides, new
        self._replaced.set()
        self._tell_apart(new.clients)
        changed = old.changed(new)
        await self._forget_keys(changed, old, new)
        self._log.info("overrides in force", names=len(new), changed=len(changed))

    async def _follow_ends(self) -> None:
        """Forget what an override decided when its time is over."""
        since = wall_clock()
        while True:
            self._replaced.clear()
            overrides, now = self._decisions.overrides, wall_clock()
            await self._forget_keys(overrides.ended(since, now), overrides, overrides)
            since = now
            end = overrides.next_end(now)
            left = LONGEST_SLEEP if end is None else (end - now).total_seconds() + 0.01
            with contextlib.suppress(TimeoutError):
                # Not wait_for: that of Python 3.11 may swallow the end of this task.
                async with asyncio.timeout(min(left, LONGEST_SLEEP)):
                    await self._replaced.wait()

    async def _forget_keys(self, keys: Collection[Key], *tables: Overrides) -> None:
        if not keys:
            return
        values = [value for table in tables for key in keys for value in table.entries.get(key, ())]
        names = [key.name for key in keys if key.alone] + [
            name for value in values for name in reverse_names(value)
        ]
        await self._forget(names, [key.name for key in keys if not key.alone])
