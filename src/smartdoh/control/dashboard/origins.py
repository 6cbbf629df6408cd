"""Which requests come from the dashboard's own pages: by Host, Origin and what browsers say of where a request began.

A page elsewhere whose name is made to lead here (DNS rebinding) still sends its own name as Host; one that sends
requests across sends its own Origin.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

WILDCARDS = ("0.0.0.0", "::")  # noqa: S104 - compared with
SAFE = ("GET", "HEAD")


class Origins:
    """The rules of one dashboard."""

    def __init__(self, host: str, names: tuple[str, ...]) -> None:
        """`host` is the address it listens on, `names` are those it is told to answer to besides."""
        self._is_wildcard = host in WILDCARDS
        self._names = frozenset(names)
        self._known = {"localhost", *names} | (set() if self._is_wildcard else {str(ip_address(host))})

    def problem(self, method: str, headers: Mapping[str, str], *, is_websocket: bool = False) -> str:
        """Why this request is refused; empty if it is not. Header names are in lower case."""
        asked = headers.get("host", "")
        if not self._is_known(asked):
            return "this name is not the dashboard's: see dashboard.hosts"
        origin = headers.get("origin")
        if origin is not None and not self._is_own(origin, asked):
            return "the request comes from a page of another origin"
        if origin is None and (is_websocket or method not in SAFE):
            return "the request does not say where it comes from"
        is_navigation = headers.get("sec-fetch-mode") == "navigate" and not is_websocket
        if headers.get("sec-fetch-site") in ("cross-site", "same-site") and not is_navigation:
            return "the request comes from a page of another site"
        return ""

    def _is_known(self, asked: str) -> bool:
        host = _host(f"http://{asked}")
        return host in self._known or (self._is_wildcard and _is_address(host))

    def _is_own(self, origin: str, asked: str) -> bool:
        """A page of the very address that was asked, or of a name in front of it."""
        scheme, _, place = origin.lower().partition("://")
        if scheme not in ("http", "https"):
            return False
        return place == asked.lower() or _host(origin) in self._names


def _host(url: str) -> str:
    """The host, addresses in one form; empty where there is none."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    host = host.removesuffix(".")
    return str(ip_address(host)) if _is_address(host) else host


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
