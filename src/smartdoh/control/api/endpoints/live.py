"""Endpoints about what is asked now: one look at it, and looks each second."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus

from starlette.exceptions import HTTPException

from smartdoh.app.questions.watching import Watching
from smartdoh.control.api.endpoint import Asked, Endpoint, Event, Events, Json
from smartdoh.control.api.live import merged, share
from smartdoh.control.api.shapes_live import Live

Look = Callable[[bool], Awaitable[Live]]
"""One look, with or without the history."""


async def show(asked: Asked) -> Live:
    """What is asked now."""
    return merged([share(asked.server, history=True)])


async def follow(asked: Asked) -> AsyncIterator[Event]:
    """The same each second."""

    async def look(history: bool) -> Live:
        return merged([share(asked.server, history=history)])

    return following(asked.server.live, look)


def following(watching: Watching, look: Look) -> AsyncIterator[Event]:
    """What there is to see now, and then each second until nobody takes it. Raises HTTPException where it is full."""
    if watching.is_full:
        raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, "as many as may follow do so already")
    return _each_second(watching, look)


async def _each_second(watching: Watching, look: Look) -> AsyncIterator[Event]:
    with watching.following():
        yield Event("live", await look(True))
        while True:
            await watching.next_second()
            yield Event("live", await look(False))


ENDPOINTS = (
    Endpoint(
        "GET",
        "/live",
        show,
        "What is asked now: rates, busiest names and clients, the last questions, upstreams. Counting begins when "
        "somebody looks, and ends a minute after the last look.",
        Json(Live),
        workers="own",
    ),
    Endpoint(
        "GET",
        "/live/follow",
        follow,
        "The same each second, until the client goes; who does not read is dropped.",
        Events({"live": Live}),
        errors={HTTPStatus.SERVICE_UNAVAILABLE: "As many as may follow do so already."},
        workers="own",
    ),
)
