"""The endpoint about leaks: names of a list that were sent outside of its group."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import cast

from starlette.exceptions import HTTPException

from smartdoh.app.aside import AsideError, run_aside
from smartdoh.app.leaks.find import groups_of
from smartdoh.app.questions.writing import wants_ledger
from smartdoh.control.api.endpoint import Asked, Endpoint, Json, Param
from smartdoh.control.api.lists import known
from smartdoh.control.api.shapes_leaks import LeaksOfList
from smartdoh.errors import ConfigError

LONGEST = 20.0  # seconds; a million names take some
MOST = 10_000  # lines of an answer
NO_LEDGER = "no ledger is kept: set query_log.enabled, and query_log.ledger"


async def show(asked: Asked) -> LeaksOfList:
    """Worked out by a process of its own: it decides every name that was ever sent."""
    settings = asked.server.runtime.settings
    if not wants_ledger(settings) or settings.path is None:
        raise HTTPException(HTTPStatus.CONFLICT, NO_LEDGER)
    try:
        name = known(asked.text("list"), settings.lists)
    except ConfigError as error:
        raise HTTPException(HTTPStatus.NOT_FOUND, str(error)) from None
    if groups_of(settings, name) is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"no rule uses the list {name}")
    arguments = (str(settings.path), name, str(asked.whole("limit")))
    try:
        said = await run_aside("smartdoh.app.leaks", *arguments, longest=LONGEST)
    except AsideError as error:
        raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from None
    return cast("LeaksOfList", json.loads(said))


ENDPOINTS = (
    Endpoint(
        "GET",
        "/leaks",
        show,
        "The names of a list that were sent outside of the group of its rules: to which upstream, how often, when.",
        Json(LeaksOfList),
        takes=(
            Param("list", "The list's name in the config."),
            Param("limit", "At most so many.", int, 1000, least=1, most=MOST),
        ),
        errors={
            HTTPStatus.NOT_FOUND: "There is no such list, or no rule uses it.",
            HTTPStatus.CONFLICT: "No ledger is kept.",
            HTTPStatus.SERVICE_UNAVAILABLE: "It cannot be worked out now, or takes too long.",
        },
    ),
)
