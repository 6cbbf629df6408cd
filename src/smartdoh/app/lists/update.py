"""One look at one list: fetched or read again, judged, and put in the old one's place on disk and in memory."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from smartdoh.app.lists.compile import CompileError, compile_aside
from smartdoh.app.lists.fetch import Fetched, FetchError, Validators, Way, fetch
from smartdoh.app.lists.judge import Candidate, objections
from smartdoh.app.lists.progress import Outcome, Progress, Tell
from smartdoh.app.lists.state import ListState
from smartdoh.app.lists.store import BusyError
from smartdoh.rules.lists import NotUsable, open_list

FAILURES = (FetchError, CompileError, BusyError, NotUsable, OSError)


async def update(state: ListState, way: Way | None, tell: Tell) -> Outcome:
    """Look at a list now, by `way` where it has a URL; the old one stays where any of it fails."""
    try:
        if way is None:
            return await _read_again(state, tell)
        return await _fetch(state, way, tell)
    except FAILURES as error:
        return Outcome("failed", str(error))


async def _read_again(state: ListState, tell: Tell) -> Outcome:
    if state.names is None:
        with suppress(NotUsable):
            state.open()
    before = state.names
    if not await state.open_or_compile(tell):
        return Outcome("failed", f"there is no file {state.files.file}")
    return Outcome("unchanged" if state.names is before else "updated")


async def _fetch(state: ListState, way: Way, tell: Tell) -> Outcome:
    settings, files = state.settings, state.files
    if state.names is None:
        with suppress(*FAILURES):  # the new one may do
            await state.open_or_compile(tell)
    url = settings.url or ""
    known = files.origin(url).validators if state.names is not None else Validators()
    tell(Progress("fetching"))
    fetched = await fetch(
        url, way, known, settings.largest, lambda done, total: tell(Progress("fetching", done, total))
    )
    async with files.alone(tell):
        if fetched is None or await _is_known(state, fetched):
            return await _keep(state, url, fetched.validators if fetched is not None else known)
        return await _take(state, url, fetched, tell)


async def _is_known(state: ListState, fetched: Fetched) -> bool:
    """Whether it is the list in force, from a server that does not tell versions apart."""
    return state.names is not None and await asyncio.to_thread(state.files.is_same, fetched.content)


async def _keep(state: ListState, url: str, validators: Validators) -> Outcome:
    """The list on disk is the newest; another process may have put it there."""
    await asyncio.to_thread(state.files.confirm, url, validators)
    before = state.names
    with suppress(NotUsable):  # what is in force stays so
        await asyncio.to_thread(state.open)
    return Outcome("unchanged" if state.names is before else "updated")


async def _take(state: ListState, url: str, fetched: Fetched, tell: Tell) -> Outcome:
    """Judge a new list, and put it in place of the old or aside."""
    files, settings = state.files, state.settings
    await asyncio.to_thread(files.write_new, fetched.content)
    tell(Progress("compiling"))
    await compile_aside(files.new, settings.format, files.new_compiled)
    tell(Progress("judging"))
    names = open_list(files.new, settings.format, files.new_compiled)
    why = objections(Candidate(names.report, names), state.candidate, settings.canaries)
    if not why and state.replay is not None and state.names is not None:
        tell(Progress("replaying"))
        why = await state.replay.objections(settings, files)
    if why:
        await asyncio.to_thread(files.set_aside, why)
        await asyncio.to_thread(files.remember, url, Validators())
        return Outcome("set aside", f"set aside as {files.rejected}: {'; '.join(why)}")
    await asyncio.to_thread(files.accept)
    state.open()
    await asyncio.to_thread(files.remember, url, fetched.validators)
    return Outcome("updated")
