"""Endpoints about lists: their state, and looks at them now."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http import HTTPStatus

from starlette.exceptions import HTTPException

from smartdoh.control.api import lists
from smartdoh.control.api.endpoint import Asked, Endpoint, Json, Lines, Param
from smartdoh.control.api.shapes import ListOutcome, ListProgress, ListStatus
from smartdoh.errors import ConfigError


async def show(asked: Asked) -> list[ListStatus]:
    """Every list as it is now."""
    return lists.statuses(asked.server.runtime.lists)


async def update_all(asked: Asked) -> AsyncIterator[object]:
    """Look at every list now; how far it is and what came of it."""
    runtime = asked.server.runtime
    return lists.updating(runtime, list(runtime.lists.states))


async def update(asked: Asked) -> AsyncIterator[object]:
    """The same for one."""
    runtime = asked.server.runtime
    try:
        name = lists.known(asked.text("name"), runtime.lists.states)
    except ConfigError as error:
        raise HTTPException(HTTPStatus.NOT_FOUND, str(error)) from None
    return lists.updating(runtime, [name])


ENDPOINTS = (
    Endpoint(
        "GET",
        "/lists",
        show,
        "Each list: what is used of it and what not, how old it is, when it is looked at again, what is wrong with it.",
        Json(list[ListStatus]),
    ),
    Endpoint(
        "POST",
        "/lists",
        update_all,
        "Looks at all lists now, and tells as it happens how far each is and what came of it.",
        Lines(ListProgress | ListOutcome),
    ),
    Endpoint(
        "POST",
        "/lists/{name}",
        update,
        "Looks at one list now.",
        Lines(ListProgress | ListOutcome),
        takes=(Param("name", "The list's name in the config."),),
        errors={HTTPStatus.NOT_FOUND: "There is no such list."},
    ),
)
