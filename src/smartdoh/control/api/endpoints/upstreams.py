"""Endpoints about groups and their upstreams: how they do, and sending one to rest."""

from __future__ import annotations

from http import HTTPStatus

from starlette.exceptions import HTTPException

from smartdoh.control.api import health
from smartdoh.control.api.endpoint import Asked, Endpoint, Json, Param
from smartdoh.control.api.shapes import GroupStatus
from smartdoh.upstream.member import Member

SHORTEST_REST, USUAL_REST, LONGEST_REST = (
    1,
    600,
    604_800,
)  # seconds; what shall rest for longer goes from the config


async def show(asked: Asked) -> list[GroupStatus]:
    """Every group with its upstreams."""
    return health.groups(asked.server.runtime)


async def rest(asked: Asked) -> GroupStatus:
    """Have one upstream asked nothing for a while."""
    for member in _members(asked):
        member.rest(asked.number("seconds"))
    return health.group(asked.server.runtime, asked.text("group"))


async def wake(asked: Asked) -> GroupStatus:
    """End the rest of one upstream, whoever sent it there."""
    for member in _members(asked):
        member.wake()
    return health.group(asked.server.runtime, asked.text("group"))


def _members(asked: Asked) -> list[Member]:
    """Those of the group that have the name; two of them where paths alone tell them apart."""
    groups, group, name = asked.server.runtime.groups, asked.text("group"), asked.text("upstream")
    if group not in groups:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"{group!r} is no group; there are: {', '.join(groups)}")
    found = [member for member in groups[group].members if member.name == name]
    if not found:
        names = ", ".join(member.name for member in groups[group].members)
        raise HTTPException(HTTPStatus.NOT_FOUND, f"{name!r} is no upstream of {group}; there are: {names}")
    return found


_GROUP = Param("group", "The group's name in the config.")
_UPSTREAM = Param("upstream", "The upstream's name, as GET /upstreams has it.")
_ERRORS: dict[int, str] = {HTTPStatus.NOT_FOUND: "There is no such group, or no such upstream in it."}

ENDPOINTS = (
    Endpoint(
        "GET",
        "/upstreams",
        show,
        "Each group with its upstreams: smoothed latency, 95th percentile, health, budget.",
        Json(list[GroupStatus]),
    ),
    Endpoint(
        "POST",
        "/groups/{group}/rest",
        rest,
        "Sends an upstream to rest: it is asked nothing as long as another of its group does well.",
        Json(GroupStatus),
        takes=(
            _GROUP,
            _UPSTREAM,
            Param("seconds", "For how long.", float, USUAL_REST, least=SHORTEST_REST, most=LONGEST_REST),
        ),
        errors=_ERRORS,
        workers="told",
    ),
    Endpoint(
        "POST",
        "/groups/{group}/wake",
        wake,
        "Ends the rest of an upstream, also one that its failures have sent it to.",
        Json(GroupStatus),
        takes=(_GROUP, _UPSTREAM),
        errors=_ERRORS,
        workers="told",
    ),
)
