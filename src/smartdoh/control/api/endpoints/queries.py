"""Endpoints about what was asked: searched for in the query log, and followed as it comes."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus

from starlette.exceptions import HTTPException

from smartdoh.app.questions.following import Following
from smartdoh.app.questions.hub import Hub
from smartdoh.app.questions.log.schema import FILE
from smartdoh.app.questions.search import Found, Stop, Wanted
from smartdoh.app.questions.search import search as look_for
from smartdoh.app.runtime import Runtime
from smartdoh.control.api.asking import question
from smartdoh.control.api.endpoint import Asked, Endpoint, Event, Events, Json
from smartdoh.control.api.filters import FILTERS, OF_THE_LOG, wanted
from smartdoh.control.api.shapes_live import Question
from smartdoh.control.api.shapes_queries import Lost, Questions

NO_LOG = "no query log is kept: set query_log.enabled"
MOST_SINKS = 16  # that look at what is asked at a time, of whatever kind
AT_ONCE = 2  # searches; more wait for them, and everything else that needs a thread waits for none
BEAT = 10.0  # seconds without news, after which it is said that we live
POLL = 0.5  # seconds between two looks at other workers

_THREADS = ThreadPoolExecutor(AT_ONCE, "search")

Fetch = Callable[[], Awaitable[tuple[list[Question], int]]]
"""What was asked at other workers since the last time, and how many questions were lost."""


async def search(asked: Asked) -> Questions:
    """What is in the query log, the newest first."""
    runtime = asked.server.runtime
    if not runtime.settings.query_log.enabled:
        raise HTTPException(HTTPStatus.CONFLICT, NO_LOG)
    found = await _found(runtime, wanted(asked))
    return Questions(questions=[question(line.seen, line.id) for line in found.lines], before=found.before)


async def _found(runtime: Runtime, what: Wanted) -> Found:
    path, stop = runtime.settings.query_log.dir / FILE, Stop()
    try:
        return await asyncio.get_running_loop().run_in_executor(
            _THREADS, partial(look_for, path, what, stop=stop)
        )
    except sqlite3.Error as error:
        raise HTTPException(
            HTTPStatus.SERVICE_UNAVAILABLE, f"the query log cannot be read: {error}"
        ) from None
    finally:
        stop()  # of a client that went away: nobody waits for the thread


async def follow(asked: Asked) -> AsyncIterator[Event]:
    """What is asked from now on."""
    return following(asked.server.hub, wanted(asked))


def following(hub: Hub, what: Wanted, others: Fetch | None = None) -> AsyncIterator[Event]:
    """What is asked here, and what `others` say, until nobody takes it any more. Raises HTTPException."""
    if hub.sinks >= MOST_SINKS:
        raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, "as many as may follow do so already")
    return _following(hub, what, others)


async def _following(hub: Hub, what: Wanted, others: Fetch | None) -> AsyncIterator[Event]:
    mine = Following(what)
    hub.add(mine, mine.most)
    beat = time.monotonic()
    try:
        yield Event("lost", Lost(count=0))  # that it has begun
        while True:
            await mine.news(BEAT if others is None else POLL)
            seen, lost = mine.fetch()
            rows = [question(one) for one in seen]
            if others is not None:
                theirs, more = await others()
                rows, lost = sorted(rows + theirs, key=lambda row: row["at"]), lost + more
            for row in rows:
                yield Event("question", row)
            now = time.monotonic()
            if rows or lost or now >= beat + BEAT:
                beat = now
                if lost or not rows:
                    yield Event("lost", Lost(count=lost))
    finally:
        hub.remove(mine)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/queries",
        search,
        "What is in the query log, the newest first; `before` of the answer is for the next lines. A search ends after "
        "some seconds and may have found nothing by then: it goes on from `before`.",
        Json(Questions),
        takes=(*FILTERS, *OF_THE_LOG),
        errors={
            HTTPStatus.CONFLICT: "No query log is kept.",
            HTTPStatus.SERVICE_UNAVAILABLE: "The query log cannot be read.",
        },
    ),
    Endpoint(
        "GET",
        "/queries/follow",
        follow,
        "What is asked as it comes, with a query log or without. What is too much to be shown is counted in `lost`, "
        "which also comes every 10 s where there is nothing else.",
        Events({"question": Question, "lost": Lost}),
        takes=FILTERS,
        workers="own",
    ),
)
