"""Endpoints about groups and their upstreams."""

from __future__ import annotations

from smartdoh.control.api import health
from smartdoh.control.api.endpoint import Asked, Endpoint, Json
from smartdoh.control.api.shapes import GroupStatus


async def show(asked: Asked) -> list[GroupStatus]:
    """Every group with its upstreams."""
    return health.groups(asked.server.runtime)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/upstreams",
        show,
        "Each group with its upstreams: smoothed latency, 95th percentile, health, budget.",
        Json(list[GroupStatus]),
    ),
)
