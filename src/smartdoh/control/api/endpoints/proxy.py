"""Endpoints about the proxy as a whole: what runs, its counters, reading its config again, and this API itself."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException

from smartdoh import __version__
from smartdoh.app.runtime import Runtime
from smartdoh.control.api import counting, settings
from smartdoh.control.api.endpoint import Asked, Endpoint, Json
from smartdoh.control.api.shapes import Reloaded, SettingsShown, Statistics, Status
from smartdoh.errors import ConfigError
from smartdoh.fastpath import BUILD


async def status(asked: Asked) -> Status:
    """What runs."""
    server = asked.server
    runtime = server.runtime
    return Status(
        version=__version__,
        fast_path=BUILD,
        pid=os.getpid(),
        config=str(runtime.settings.path or ""),
        listening=server.listening,
        uptime_s=round(time.monotonic() - server.started, 1),
        groups=list(runtime.groups),
        overrides=len(runtime.decisions.overrides),
    )


async def statistics(asked: Asked) -> Statistics:
    """Counters."""
    runtime = asked.server.runtime
    flights = runtime.resolver.flights
    groups = {
        name: {"questions": group.questions, "hedges": group.hedges} for name, group in runtime.groups.items()
    }
    memory = runtime.fast.statistics()
    return Statistics(
        cache=asdict(memory),
        disk=disk_counts(runtime),
        under_way=len(flights),
        waiting=flights.waiting,
        groups=groups,
        questions=counting.questions(runtime, memory),
        latency=counting.latency(runtime),
    )


def disk_counts(runtime: Runtime) -> dict[str, int] | None:
    """The counters of the cache on disk; None where there is none."""
    return asdict(runtime.disk.statistics()) if runtime.disk is not None else None


async def show_settings(asked: Asked) -> SettingsShown:
    """The config that is in force."""
    return settings.shown(asked.server.runtime.settings)


async def reload(asked: Asked) -> Reloaded:
    """The config and what belongs to it, read again; 409 with the problem where it is refused."""
    try:
        await asked.server.reload()
    except ConfigError as error:
        raise HTTPException(HTTPStatus.CONFLICT, str(error)) from None
    return Reloaded(warnings=list(asked.server.runtime.settings.warnings))


async def document(asked: Asked) -> dict[str, Any]:
    """The OpenAPI document; in a thread, as making it the first time takes 20 ms."""
    from smartdoh.control.api import openapi  # noqa: PLC0415 - few ask for it

    return await asyncio.to_thread(openapi.document, asked.endpoints)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/status",
        status,
        "What runs: version, process, config, addresses, and with several workers each of them.",
        Json(Status),
        workers="own",
    ),
    Endpoint(
        "GET",
        "/statistics",
        statistics,
        "Counters since the start.",
        Json(Statistics),
        workers="added",
    ),
    Endpoint(
        "POST",
        "/reload",
        reload,
        "Reads the config and what belongs to it again; where it is refused the old one goes on.",
        Json(Reloaded),
        errors={HTTPStatus.CONFLICT: "The config is refused, for this reason."},
        workers="own",
    ),
    Endpoint(
        "GET",
        "/settings",
        show_settings,
        "The config that is in force, defaults filled in, without passwords.",
        Json(SettingsShown),
    ),
    Endpoint("GET", "/openapi.json", document, "This document.", Json(dict[str, Any])),
)
