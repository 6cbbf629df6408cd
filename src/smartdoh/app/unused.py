"""Keys of the config that this version reads but does not act on: nobody shall trust in what is not done."""

from __future__ import annotations

from smartdoh.config import Settings


def unused(settings: Settings) -> tuple[str, ...]:
    """A warning for each key that has no effect yet."""
    found = []
    if settings.log.queries:
        found.append("log.queries: questions are not logged by this version")
    return tuple(found)
