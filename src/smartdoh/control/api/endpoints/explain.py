"""The endpoint that says why a question gets the answer that it gets."""

from __future__ import annotations

from smartdoh.control.api import explaining
from smartdoh.control.api.endpoint import Asked, Endpoint, Json, Param
from smartdoh.control.api.shapes import Explanation


async def explain(asked: Asked) -> Explanation:
    """Why a question gets the answer that it gets."""
    runtime, text = asked.server.runtime, asked.text
    return await explaining.explain(runtime, text("name"), text("type"), text("client"), running=True)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/explain",
        explain,
        "Why a question gets its answer: the decision, the exceptions on the way to it, the group, the kept answers.",
        Json(Explanation),
        takes=(
            Param("name", "A domain name."),
            Param("type", "A record type, as AAAA or TYPE65.", default="A"),
            Param("client", "The address of the machine that asks.", default="127.0.0.1"),
        ),
    ),
)
