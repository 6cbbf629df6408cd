"""Everything that the API has, as one table: the routes and the OpenAPI document are made from it.

To add an endpoint:

1. Say the shape of its answer as a TypedDict (`shapes.py`, or a `shapes_….py` of its own), from `typing_extensions`,
   for pydantic reads it.
2. Write its handler, `async def name(asked: Asked) -> Shape`, in a file below `endpoints/`, and there an
   `Endpoint("GET", "/path", name, "What it does.", Json(Shape), takes=(Param(…),))` in `ENDPOINTS`.
   `asked.server.runtime` is what answers now, `asked.text("name")` a parameter. A handler that streams returns an async
   iterator: of rows for `Lines(Shape)`, of `Event(name, data)` for `Events({"name": Shape})`. It raises ConfigError for
   what makes no sense (400), and starlette's HTTPException for other statuses, which stand in `errors=`.
3. Say who answers where there are several workers (`workers=`, see `endpoint.Workers`).
4. Add the file's `ENDPOINTS` below, and a row to docs/control.md; a test compares.

The order matters: a path that is said whole comes before one that it could be taken for, `/cache/export` before
`/cache/{name}`.
"""

from __future__ import annotations

from smartdoh.control.api.endpoint import Endpoint
from smartdoh.control.api.endpoints import (
    cache,
    leaks,
    lists,
    live,
    overrides,
    proxy,
    queries,
    questions,
    upstreams,
)

ENDPOINTS: tuple[Endpoint, ...] = (
    *proxy.ENDPOINTS,
    *upstreams.ENDPOINTS,
    *questions.ENDPOINTS,
    *overrides.ENDPOINTS,
    *lists.ENDPOINTS,
    *leaks.ENDPOINTS,
    *cache.ENDPOINTS,
    *live.ENDPOINTS,
    *queries.ENDPOINTS,
)
