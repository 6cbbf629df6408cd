"""The pages, a file each: what is on it, and what its buttons do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from smartdoh.control.dashboard.frame import Page
from smartdoh.control.dashboard.pages import cache, overview, queries, rules, settings, upstreams

Build = Callable[[Page, dict[str, str]], Awaitable[None]]
"""Builds a page within its frame, given the query of its URL."""

PAGES: dict[str, tuple[str, Build]] = {
    "/": ("overview", overview.build),
    "/queries": ("queries", queries.build),
    "/upstreams": ("upstreams", upstreams.build),
    "/cache": ("cache", cache.build),
    "/rules": ("rules", rules.build),
    "/settings": ("settings", settings.build),
}
