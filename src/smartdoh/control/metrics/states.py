"""What is not counted but simply so, and the same in every worker: lists, the config in force, what runs."""

from __future__ import annotations

import asyncio
import time
from typing import NamedTuple

from smartdoh import __version__
from smartdoh.app.lists.state import ListState
from smartdoh.app.server import Server
from smartdoh.fastpath import BUILD


class ListOf(NamedTuple):
    """One list."""

    lines: int | None  # in force; None: nothing of it is
    age: float | None  # seconds since its server last said what it has; None: never, or it has none
    is_failing: bool
    is_set_aside: bool


class States(NamedTuple):
    """The first worker's word for all."""

    version: str
    fast_path: str
    workers: int
    memory_entries: int
    disk_entries: int
    overrides: int
    hosts: int  # of upstreams, which bootstrap has to find
    hosts_known: int
    reloads: int
    reloads_refused: int
    is_last_reload_good: bool
    reloaded_at: float  # seconds since 1970
    lists: dict[str, ListOf]


async def states_of(server: Server) -> States:
    """As it is now; files are looked at in a thread."""
    runtime, reloads = server.runtime, server.reloads
    cache, upstreams = runtime.settings.cache, runtime.upstreams
    lists = await asyncio.to_thread(_lists, dict(runtime.lists.states))
    return States(
        version=__version__,
        fast_path=BUILD,
        workers=runtime.settings.server.workers,
        memory_entries=cache.memory_entries,
        disk_entries=cache.entries if runtime.disk is not None else 0,
        overrides=len(runtime.decisions.overrides),
        hosts=len(upstreams.hosts),
        hosts_known=len(upstreams.hosts & upstreams.bootstrap.learned().keys()),
        reloads=reloads.succeeded,
        reloads_refused=reloads.refused,
        is_last_reload_good=reloads.is_last_good,
        reloaded_at=reloads.succeeded_at,
        lists=lists,
    )


def _lists(states: dict[str, ListState]) -> dict[str, ListOf]:
    return {name: list_of(state, time.time()) for name, state in states.items()}


def list_of(state: ListState, now: float) -> ListOf:
    """One list; reads its files. `now` is in seconds since 1970."""
    url = state.settings.url
    last = state.files.origin(url).checked if url else 0.0
    return ListOf(
        lines=state.names.report.used if state.names is not None else None,
        age=max(0.0, now - last) if last else None,
        is_failing=bool(state.problem),
        is_set_aside=bool(url and state.files.aside()),
    )
