"""uvicorn where it is a guest: what it writes and tells of itself is settled here, its bounds by its host."""

from __future__ import annotations

from typing import Any

import uvicorn

LONGEST_HEADERS = 16_384  # octets
PATIENCE = 1  # seconds that an answer under way gets at the end


def config_of(application: Any, **bounds: Any) -> uvicorn.Config:
    """The config of a server of `application`, an ASGI app; `bounds` are uvicorn's own names."""
    return uvicorn.Config(
        application,
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=PATIENCE,
        **bounds,
    )
