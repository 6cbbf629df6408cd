"""Endpoints about one question: why it gets its answer, and what upstreams say to it now."""

from __future__ import annotations

from smartdoh.control.api import explaining
from smartdoh.control.api.endpoint import Asked, Endpoint, Json, Param
from smartdoh.control.api.shapes import Explanation, LookedUp
from smartdoh.control.lookup import look_up
from smartdoh.control.questions import parse_question

HERE = "127.0.0.1"


async def explain(asked: Asked) -> Explanation:
    """Why a question gets the answer that it gets."""
    runtime, text = asked.server.runtime, asked.text
    return await explaining.explain(runtime, text("name"), text("type"), text("client"), running=True)


async def query(asked: Asked) -> LookedUp:
    """What upstreams say to a question now. Nothing of it is kept but what is answered here."""
    runtime = asked.server.runtime
    question = parse_question(asked.text("name"), asked.text("type"), runtime.views.view_of(HERE) or 0, HERE)
    return (await look_up(runtime, question, asked.text("group"))).told()


_NAME = Param("name", "A domain name.", example="www.example.com")
_TYPE = Param("type", "A record type, as AAAA or TYPE65.", default="A")

ENDPOINTS = (
    Endpoint(
        "GET",
        "/explain",
        explain,
        "Why a question gets its answer: the decision, the exceptions on the way to it, the group, the kept answers.",
        Json(Explanation),
        takes=(_NAME, _TYPE, Param("client", "The address of the machine that asks.", default=HERE)),
    ),
    Endpoint(
        "GET",
        "/query",
        query,
        "One resolution past the cache, with its timing.",
        Json(LookedUp),
        takes=(
            _NAME,
            _TYPE,
            Param("group", "Ask this group instead of the one that the rules choose.", default=None),
        ),
    ),
)
