"""URLs of DoH servers, proxies and lists: taken apart, checked, and put together in one normal form."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

from smartdoh.config.addresses import parse_port
from smartdoh.config.names import parse_host

DOH_PATH = "/dns-query"  # RFC 8484 section 4.1.1 and every public server
HTTPS_PORT = 443
PROXY_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}

_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?:(?P<user>[^@/?#]*)@)?"
    r"(?P<host>\[[^\[\]@/?#]*\]|[^:@/?#\[\]]*)(?::(?P<port>[0-9]*))?"
    r"(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?(?P<fragment>#.*)?"
)


@dataclass(frozen=True, slots=True)
class UpstreamUrl:
    """A DoH server; `url` in normal form, `host` without brackets."""

    url: str
    host: str
    port: int
    is_address: bool

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class ProxyUrl:
    """A proxy; `url` may hold a password, so it is what curl gets and never what a log shows."""

    url: str = field(repr=False)
    scheme: str
    host: str
    port: int
    is_address: bool
    resolves_names: bool

    def __str__(self) -> str:
        return f"{self.scheme}://{_in_url(self.host)}:{self.port}"


@dataclass(frozen=True, slots=True)
class _Parts:
    scheme: str
    user: str | None
    host: str
    is_address: bool
    port: str | None
    path: str
    query: str
    fragment: str | None


def parse_upstream(text: str) -> UpstreamUrl:
    """An `https://` URL (RFC 8484 section 5); an empty path means `/dns-query`. Raises ValueError."""
    if "{" in text:
        raise ValueError("holds a URI template; write it without the braces")
    parts = _split(text, "an https URL")
    _refuse_other_than_https(parts)
    port = parse_port(parts.port, HTTPS_PORT)
    authority = _in_url(parts.host) + ("" if port == HTTPS_PORT else f":{port}")
    url = f"https://{authority}{parts.path or DOH_PATH}{parts.query}"
    return UpstreamUrl(url, parts.host, port, parts.is_address)


def parse_list_url(text: str) -> str:
    """The `https://` URL a list is fetched from, as it was written. Raises ValueError."""
    parts = _split(text, "an https URL")
    _refuse_other_than_https(parts)
    parse_port(parts.port, HTTPS_PORT)
    return text


def parse_proxy(text: str) -> ProxyUrl:
    """An HTTP or SOCKS5 proxy, perhaps with `user:password@`; its port is always said. Raises ValueError.

    With `socks5://` host names are resolved here, with the other schemes by the proxy.
    """
    parts = _split(text, "a proxy URL")
    if parts.scheme not in PROXY_PORTS:
        raise ValueError("is not a proxy URL")
    if parts.path not in ("", "/") or parts.query or parts.fragment is not None:
        raise ValueError("has more than a host and a port")
    port = parse_port(parts.port, PROXY_PORTS[parts.scheme])
    login = f"{parts.user}@" if parts.user else ""
    url = f"{parts.scheme}://{login}{_in_url(parts.host)}:{port}"
    resolves_names = parts.scheme != "socks5"
    return ProxyUrl(url, parts.scheme, parts.host, port, parts.is_address, resolves_names)


def _refuse_other_than_https(parts: _Parts) -> None:
    if parts.scheme == "http":
        raise ValueError("is not encrypted")
    if parts.scheme != "https":
        raise ValueError("is not an https URL")
    if parts.user is not None:
        raise ValueError("has a user name or password")
    if parts.fragment is not None:
        raise ValueError("has a fragment")


def _split(text: str, what: str) -> _Parts:
    match = _URL.fullmatch(text) if text.isascii() and text.isprintable() and " " not in text else None
    if match is None:
        raise ValueError(f"is not {what}")
    if not match["host"]:
        raise ValueError("has no host")
    host, numeric = _parse_host(match["host"])
    scheme = match["scheme"].lower()
    path, query = match["path"] or "", match["query"] or ""
    return _Parts(scheme, match["user"], host, numeric, match["port"], path, query, match["fragment"])


def _parse_host(text: str) -> tuple[str, bool]:
    """The host without brackets, and whether it is an address."""
    try:
        if text.startswith("["):
            return str(_without_zone(text[1:-1])), True
        return str(ipaddress.IPv4Address(text)), True
    except ValueError:
        pass
    try:
        return parse_host(text), False
    except ValueError:
        raise ValueError("has a host that is neither a name nor an address") from None


def _without_zone(text: str) -> ipaddress.IPv6Address:
    address = ipaddress.IPv6Address(text)
    if address.scope_id is not None:
        raise ValueError("zones have no place in a URL")
    return address


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
