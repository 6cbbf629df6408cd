"""All lists of a config: opened or compiled at the start, fetched and watched later, put in force together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from smartdoh.app import logs
from smartdoh.app.lists.compile import CompileError, compile_aside
from smartdoh.app.lists.fetch import FetchError, Validators, Way, fetch
from smartdoh.app.lists.judge import Candidate, objections
from smartdoh.app.lists.store import ListFiles
from smartdoh.app.watch import changes, state_of
from smartdoh.config import ListSettings
from smartdoh.rules.lists import NameSet, NotUsable, open_list

FIRST_PAUSE = 10.0  # seconds after a fetch that failed, doubling
LONGEST_PAUSE = 3600.0
SOONEST = 1.0  # seconds between two looks at a list, whatever the clock says

PutInForce = Callable[[Mapping[str, NameSet | None]], None]
"""Is given every list by its name whenever one of them is another."""


@dataclass(slots=True)
class ListState:
    """One list as it is now; `problem` is why its last update came to nothing."""

    settings: ListSettings
    files: ListFiles
    names: NameSet | None = None
    problem: str = ""

    @property
    def candidate(self) -> Candidate | None:
        """The list in force with the account of its lines."""
        return Candidate(self.names.report, self.names) if self.names is not None else None


class ListKeeper:
    """Keeps the lists of one runtime."""

    def __init__(
        self, lists: Mapping[str, ListSettings], ways: Mapping[str, Way], put_in_force: PutInForce
    ) -> None:
        """`ways` says for each list with a URL how it is fetched."""
        self.states = {name: ListState(settings, ListFiles(settings)) for name, settings in lists.items()}
        self._ways = ways
        self._put_in_force = put_in_force
        self._log = logs.get()

    async def prepare(self) -> None:
        """Open what is there, compiling it where that has not been done: afterwards questions may be answered."""
        await asyncio.gather(*(self._open(state) for state in self.states.values()))
        self._tell()
        for name, state in self.states.items():
            if state.names is None:
                missing = state.settings.on_missing
                self._log.warning("list is missing", list=name, file=str(state.settings.file), fails=missing)

    async def follow(self) -> None:
        """Fetch lists when they are due and notice changed files, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for state in self.states.values():
                work = self._fetch_again if state.settings.url else self._watch
                group.create_task(work(state), name=f"list {state.settings.name}")

    async def update(self, name: str) -> str:
        """Fetch one list now; what came of it, in words."""
        return await self._update(self.states[name])

    async def _open(self, state: ListState) -> None:
        """Open the compiled form, made first if need be; the list stays as it was where that fails."""
        files, form = state.files, state.settings.format
        try:
            state.names = open_list(files.file, form, files.compiled)
        except NotUsable:
            if _exists(files.file):
                await self._compile(state)

    async def _compile(self, state: ListState) -> None:
        files, form = state.files, state.settings.format
        try:
            await compile_aside(files.file, form, files.compiled)
            state.names = open_list(files.file, form, files.compiled)
        except (CompileError, NotUsable, OSError) as error:
            self._fail(state, str(error))

    async def _watch(self, state: ListState) -> None:
        seen = state_of(state.settings.file)
        async for _ in changes(state.settings.file, seen):
            before = state.names
            await self._open(state)
            if state.names is not before:
                self._tell()
                self._log.info("list in force", list=state.settings.name, lines=_used(state))

    async def _fetch_again(self, state: ListState) -> None:
        failures = 0
        origin = state.files.origin(state.settings.url or "")
        wait = origin.checked + state.settings.refresh - time.time() if state.names is not None else 0.0
        while True:
            await asyncio.sleep(min(max(wait, SOONEST if failures else 0.0), state.settings.refresh))
            await self._update(state)
            failures = failures + 1 if state.problem else 0
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1))
            wait = min(pause, state.settings.refresh) if failures else state.settings.refresh

    async def _update(self, state: ListState) -> str:
        """Fetch, judge and put in force; the old list stays where any of it fails."""
        settings, files = state.settings, state.files
        url = settings.url or ""
        state.problem = ""
        try:
            known = files.origin(url).validators if state.names is not None else Validators()
            fetched = await fetch(url, self._ways[settings.name], known, settings.largest)
            if fetched is None:
                await asyncio.to_thread(files.remember, url, known)
                return "unchanged"
            await asyncio.to_thread(files.write_new, fetched.content)
            await compile_aside(files.new, settings.format, files.new_compiled)
            why = await self._replace(state)
            await asyncio.to_thread(files.remember, url, fetched.validators if not why else Validators())
        except (FetchError, CompileError, NotUsable, OSError) as error:
            return self._fail(state, str(error))
        if why:
            return self._fail(state, f"set aside as {files.rejected}: {'; '.join(why)}")
        self._tell()
        self._log.info("list in force", list=settings.name, lines=_used(state))
        return "updated"

    async def _replace(self, state: ListState) -> list[str]:
        """Put the new list in place of the old, or set it aside; the objections to it."""
        files, settings = state.files, state.settings
        names = open_list(files.new, settings.format, files.new_compiled)
        why = objections(Candidate(names.report, names), state.candidate, settings.canaries)
        if why:
            await asyncio.to_thread(files.set_aside, why)
            return why
        await asyncio.to_thread(files.accept)
        state.names = open_list(files.file, settings.format, files.compiled)
        return []

    def _fail(self, state: ListState, problem: str) -> str:
        state.problem = problem
        in_force = "the old one stays" if state.names is not None else f"fails {state.settings.on_missing}"
        self._log.warning(
            "list not updated", list=state.settings.name, problem=problem, list_in_force=in_force
        )
        return problem

    def _tell(self) -> None:
        self._put_in_force({name: state.names for name, state in self.states.items()})


def _used(state: ListState) -> int:
    return state.names.report.used if state.names is not None else 0


def _exists(path: Path) -> bool:
    return path.is_file()
