"""Lists as the API shows them, and looks at them that somebody asked for."""

from __future__ import annotations

import asyncio
import difflib
import os
from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime

from smartdoh.app.lists.keeper import ListKeeper
from smartdoh.app.lists.progress import Outcome, Progress
from smartdoh.app.lists.state import ListState
from smartdoh.app.runtime import Runtime
from smartdoh.control.api.shapes import ListOutcome, ListProgress, ListStatus, SetAsideList
from smartdoh.errors import ConfigError

Event = ListProgress | ListOutcome

BEAT = 5.0  # seconds without news, after which the last is said again: whoever waits knows that we live


def known(name: str, names: Collection[str]) -> str:
    """The name, if it is one of a list. Raises ConfigError with the nearest."""
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, n=1)
    there_are = f"there are: {', '.join(names)}" if names else "the config has none"
    hint = f"did you mean {near[0]!r}?" if near else there_are
    raise ConfigError("NAME", f"{name!r} is no list; {hint}")


def statuses(keeper: ListKeeper) -> list[ListStatus]:
    """Every list, with what its files say; reads them."""
    return [status(keeper, name) for name in keeper.states]


def status(keeper: ListKeeper, name: str) -> ListStatus:
    """One list."""
    state = keeper.states[name]
    settings, report = state.settings, state.names.report if state.names is not None else None
    url = settings.url or ""
    return ListStatus(
        name=name,
        format=settings.format,
        file=str(settings.file),
        url=url,
        lines_used=report.used if report is not None else None,
        skipped={str(reason): count for reason, count in report.skipped.items()}
        if report is not None
        else {},
        changed=_changed(state),
        checked=_time(state.files.origin(url).checked) if url else None,
        next_look_s=_left(state),
        updating=keeper.is_under_way(name),
        problem=state.problem,
        set_aside=_set_aside(state) if url else None,
        on_missing=settings.on_missing,
        fails_now=settings.on_missing if report is None else None,
    )


async def updating(runtime: Runtime, names: Collection[str]) -> AsyncIterator[Event]:
    """Look at these lists now; what is told on the way, and for each of them at last what came of it.

    They go on where nobody listens any more, and end with the runtime.
    """
    events: asyncio.Queue[Event] = asyncio.Queue()
    for name in names:
        runtime.tasks.start(_look(runtime.lists, name, events), f"update of list {name}")
    left, under_way = len(names), dict[str, ListProgress]()
    while left:
        try:
            async with asyncio.timeout(BEAT):
                event = await events.get()
        except TimeoutError:
            for last in under_way.values():
                yield last
            continue
        if "phase" in event:
            under_way[event["list"]] = event
        else:
            under_way.pop(event["list"], None)
            left -= 1
        yield event


async def _look(keeper: ListKeeper, name: str, events: asyncio.Queue[Event]) -> None:
    def tell(of: str, progress: Progress) -> None:
        events.put_nowait(
            ListProgress(list=of, phase=progress.phase, done=progress.done, total=progress.total or None)
        )

    outcome = Outcome("failed", "it was broken off, as the proxy reloads or ends")
    try:
        outcome = await keeper.update(name, tell)
    finally:
        events.put_nowait(
            ListOutcome(list=name, outcome=outcome.result, why=outcome.why, status=status(keeper, name))
        )


def _left(state: ListState) -> float | None:
    if state.due is None:
        return None
    return round(max(0.0, state.due - asyncio.get_running_loop().time()), 1)


def _set_aside(state: ListState) -> SetAsideList | None:
    found = state.files.aside()
    if found is None:
        return None
    return SetAsideList(
        file=str(state.files.rejected), fetched=_time(found.fetched) or "", reasons=list(found.reasons)
    )


def _changed(state: ListState) -> str | None:
    try:
        return _time(os.stat(state.settings.file).st_mtime)
    except OSError:
        return None


def _time(seconds: float) -> str | None:
    """Seconds since 1970 as RFC 3339 has them; None for never."""
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z") if seconds else None
