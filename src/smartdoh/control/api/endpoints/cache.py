"""Endpoints about kept answers: counted, looked up, forgotten, written out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict

from smartdoh.app.runtime import Runtime
from smartdoh.cache.forget import ROOT, forget
from smartdoh.control.api import kept, ondisk
from smartdoh.control.api.endpoint import Asked, Endpoint, Json, Lines, Param
from smartdoh.control.api.endpoints.proxy import disk_counts
from smartdoh.control.api.shapes import CacheCounts, Forgotten, KeptAnswer
from smartdoh.control.questions import folded, parse_type
from smartdoh.errors import ConfigError


async def counts(asked: Asked) -> CacheCounts:
    """The cache's counters."""
    runtime = asked.server.runtime
    return CacheCounts(memory=asdict(runtime.fast.statistics()), disk=disk_counts(runtime))


async def of_name(asked: Asked) -> AsyncIterator[KeptAnswer]:
    """What is kept in memory for one name, or also for those below it."""
    fast = asked.server.runtime.fast
    return kept.of_name(fast, folded(asked.text("name")), below=asked.flag("below"))


async def export(asked: Asked) -> AsyncIterator[KeptAnswer]:
    """Everything that is kept; what is in memory and on disk comes twice, as it is there."""
    return _everything(asked.server.runtime)


async def _everything(runtime: Runtime) -> AsyncIterator[KeptAnswer]:
    async for row in kept.everything(runtime.fast):
        yield row
    async for row in ondisk.everything(runtime):
        yield row


async def flush(asked: Asked) -> Forgotten:
    """Forget everything: at once for those who ask, and then in memory."""
    runtime = asked.server.runtime
    if runtime.disk is not None:
        runtime.disk.flush()
    removed = runtime.fast.flush()
    await forget(runtime.fast, (), (ROOT,))
    return _forgotten(runtime, removed)


async def flush_name(asked: Asked) -> Forgotten:
    """Forget one name, or also those below it, or of the name one type."""
    runtime, name = asked.server.runtime, folded(asked.text("name"))
    exact, below = ((), (name,)) if asked.flag("below") else ((name,), ())
    qtype = parse_type(asked.text("type")) if asked.text("type") else None
    if qtype is not None and below:
        raise ConfigError("type", "is for one name, not for those below it")
    if runtime.disk is not None:
        runtime.disk.flush(name, below=bool(below), qtype=qtype)
    return _forgotten(runtime, await forget(runtime.fast, exact, below, qtype))


def _forgotten(runtime: Runtime, removed: int) -> Forgotten:
    """How many went from memory; what is on disk went too, without a count."""
    return Forgotten(removed=removed, disk=runtime.disk is not None)


_NAME = Param("name", "A domain name.", example="www.example.com")
_BELOW = Param("below", "All names below it too.", bool, default=False)

ENDPOINTS = (
    Endpoint(
        "GET",
        "/cache",
        counts,
        "The counters of memory and disk.",
        Json(CacheCounts),
        workers="added",
    ),
    Endpoint(
        "DELETE",
        "/cache",
        flush,
        "Forgets every answer, in memory and on disk.",
        Json(Forgotten),
        workers="own",
    ),
    Endpoint(
        "GET",
        "/cache/export",
        export,
        "All kept answers, those in memory, then those on disk.",
        Lines(KeptAnswer),
        workers="own",
    ),
    Endpoint(
        "GET",
        "/cache/{name}",
        of_name,
        "The answers in memory for a name.",
        Lines(KeptAnswer),
        takes=(_NAME, _BELOW),
        workers="own",
    ),
    Endpoint(
        "DELETE",
        "/cache/{name}",
        flush_name,
        "Forgets what is kept for a name.",
        Json(Forgotten),
        takes=(_NAME, _BELOW, Param("type", "Its answers to this type of question alone.", default=None)),
        workers="own",
    ),
)
