"""All lists of a config: opened or compiled at the start, looked at when due or asked for, put in force together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from smartdoh.app import logs
from smartdoh.app.lists.fetch import Way
from smartdoh.app.lists.progress import Outcome, Progress, TellOf, to_nobody
from smartdoh.app.lists.replay import Replay
from smartdoh.app.lists.state import ListState
from smartdoh.app.lists.store import ListFiles
from smartdoh.app.lists.update import FAILURES, update
from smartdoh.app.watch import changes, state_of
from smartdoh.config import ListSettings
from smartdoh.rules.lists import NameSet
from smartdoh.tasks import Tasks

FIRST_PAUSE = 2.0  # seconds after a fetch that failed, doubling: a machine often starts before its network
LONGEST_PAUSE = 3600.0

PutInForce = Callable[[Mapping[str, NameSet | None]], None]
"""Is given every list by its name whenever one of them is another."""


@dataclass(slots=True)
class UnderWay:
    """A look at a list, and those who want to know; `outcome` is None where it was broken off."""

    name: str
    outcome: asyncio.Future[Outcome | None]
    watchers: list[TellOf] = field(default_factory=list)
    last: Progress | None = None

    def join(self, watcher: TellOf) -> None:
        """Somebody else wants to know: how far it is, and all that comes."""
        self.watchers.append(watcher)
        if self.last is not None:
            watcher(self.name, self.last)

    def tell(self, name: str, progress: Progress) -> None:
        """Tell all of them."""
        self.last = progress
        for watcher in self.watchers:
            watcher(name, progress)


class ListKeeper:
    """Keeps the lists of one runtime."""

    def __init__(
        self,
        lists: Mapping[str, ListSettings],
        ways: Mapping[str, Way],
        put_in_force: PutInForce,
        replay: Replay | None = None,
    ) -> None:
        """`ways` says for each list with a URL how it is fetched; `replay` holds new ones against what was asked."""
        self.states = {
            name: ListState(settings, ListFiles(settings), replay) for name, settings in lists.items()
        }
        self._ways = ways
        self._put_in_force = put_in_force
        self._under_way: dict[str, UnderWay] = {}
        self._log = logs.get()

    async def prepare(self, tell: TellOf = to_nobody) -> None:
        """Open what is there, compiling it where that has not been done: afterwards questions may be answered."""
        await asyncio.gather(*(self._open(state, tell) for state in self.states.values()))
        self._tell()
        for name, state in self.states.items():
            if state.names is None:
                missing = state.settings.on_missing
                self._log.warning("list is missing", list=name, file=str(state.settings.file), fails=missing)

    def follow(self, tasks: Tasks) -> None:
        """Fetch lists when they are due and notice changed files, until `tasks` are closed."""
        for state in self.states.values():
            work = self._fetch_again if state.settings.url else self._watch
            tasks.start(work(state), f"list {state.settings.name}")

    def hurry(self) -> None:
        """The network is another: what could not be fetched is tried now, and not when its pause is over."""
        for state in self.states.values():
            if state.failures and state.due is not None:
                state.failures = 0
                state.due = asyncio.get_running_loop().time()
                state.rescheduled.set()

    def is_under_way(self, name: str) -> bool:
        """Whether a list is being looked at."""
        return name in self._under_way

    async def update(self, name: str, tell: TellOf = to_nobody) -> Outcome:
        """Look at one list now: fetch it, or read its file again where it has no URL.

        One at a time: who comes while it is looked at joins, and hears the rest of it.
        """
        while (running := self._under_way.get(name)) is not None:
            running.join(tell)
            outcome = await asyncio.shield(running.outcome)
            if outcome is not None:
                return outcome
        running = UnderWay(name, asyncio.get_running_loop().create_future(), [tell])
        self._under_way[name] = running
        outcome = None
        try:
            outcome = await self._update(self.states[name], running.tell)
        finally:
            del self._under_way[name]
            running.outcome.set_result(outcome)
        return outcome

    async def _open(self, state: ListState, tell: TellOf) -> None:
        try:
            await state.open_or_compile(partial(tell, state.settings.name))
        except FAILURES as error:
            self._fail(state, str(error))

    async def _watch(self, state: ListState) -> None:
        seen = state_of(state.settings.file)
        async for _ in changes(state.settings.file, seen):
            await self.update(state.settings.name)

    async def _fetch_again(self, state: ListState) -> None:
        loop, refresh = asyncio.get_running_loop(), state.settings.refresh
        origin = state.files.origin(state.settings.url or "")
        wait = origin.checked + refresh - time.time() if state.names is not None else 0.0
        state.due = loop.time() + min(wait, refresh)
        while True:
            while (left := state.due - loop.time()) > 0:
                state.rescheduled.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(left):
                        await state.rescheduled.wait()
            await self.update(state.settings.name)

    async def _update(self, state: ListState, tell: TellOf) -> Outcome:
        """One look, and what follows from it."""
        name, before = state.settings.name, state.names
        outcome = await update(state, self._ways.get(name), partial(tell, name))
        if state.names is not before:
            self._tell()
            self._log.info("list updated", list=name, lines=_used(state))
        if outcome.is_good:
            state.problem, state.failures = "", 0
        else:
            self._fail(state, outcome.why)
            state.failures += 1
        if state.settings.url:
            state.due = asyncio.get_running_loop().time() + _pause(state)
            state.rescheduled.set()
        return outcome

    def _fail(self, state: ListState, problem: str) -> None:
        state.problem = problem
        in_force = "the old one stays" if state.names is not None else f"fails {state.settings.on_missing}"
        self._log.warning(
            "list not updated", list=state.settings.name, problem=problem, list_in_force=in_force
        )

    def _tell(self) -> None:
        self._put_in_force({name: state.names for name, state in self.states.items()})


def _pause(state: ListState) -> float:
    """Seconds until the next look."""
    if not state.failures:
        return state.settings.refresh
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(state.failures - 1, 16))
    return min(pause, state.settings.refresh)


def _used(state: ListState) -> int:
    return state.names.report.used if state.names is not None else 0
