"""Fetching a list over HTTPS by way of a group: its servers find the host, its proxy is the way there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import pycurl

from smartdoh import libcurl
from smartdoh.config.addresses import is_address
from smartdoh.errors import SmartDohError, UpstreamError
from smartdoh.upstream.trust import TrustStore

MOST_REDIRECTS = 5
TIMEOUT = 120.0  # seconds for one fetch
CONNECT_TIMEOUT = 10.0
SLOWEST, SLOW_FOR = 1000, 30  # octets a second, for so many seconds: below that it is given up
NOT_MODIFIED, OK = 304, 200
HTTPS = 443
TELL_EVERY = 0.1  # seconds between two words on how far it is

Find = Callable[[str], Awaitable[tuple[str, ...]]]
"""The addresses of a host name. Raises UpstreamError."""


TellOctets = Callable[[int, int], None]
"""Is told now and then how many octets there are, and of how many; 0 where the server does not say."""


class FetchError(SmartDohError):
    """A list could not be fetched; the words say why."""


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server gave to recognise a version by (RFC 9110 section 8.8)."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """How a group gets to a server."""

    find: Find
    trust: TrustStore
    via: str = ""  # URL of a proxy
    via_host: str = ""  # its host, where that is a name to be found here
    via_port: int = 0
    proxy_finds: bool = False  # host names are left to the proxy


@dataclass(frozen=True, slots=True)
class Fetched:
    """A list as it came, with what recognises this version of it."""

    content: bytes
    validators: Validators


def _untold(_done: int, _total: int) -> None:
    """For those who do not want to know."""


async def fetch(
    url: str, way: Way, known: Validators, largest: int, tell: TellOctets = _untold
) -> Fetched | None:
    """Get `url`; None if it is still the version that `known` tells. Raises FetchError.

    Only https, also after a redirect; at most `largest` octets; no cookies, nothing from the environment.
    """
    async with pycurl.AsyncCurlMulti() as multi:
        for _ in range(MOST_REDIRECTS + 1):
            got = await _get(multi, url, way, known, largest, tell)
            if not isinstance(got, str):
                return got
            url = urljoin(url, got)
            if urlsplit(url).scheme != "https":
                raise FetchError(f"it redirects to {url}, which is not https")
    raise FetchError(f"more than {MOST_REDIRECTS} redirects")


async def _get(
    multi: pycurl.AsyncCurlMulti, url: str, way: Way, known: Validators, largest: int, tell: TellOctets
) -> Fetched | str | None:
    """One request: what it brought, None for 304, or where it is redirected to."""
    chunks: list[bytes] = []
    headers: list[bytes] = []
    curl = pycurl.Curl()
    try:
        _prepare(curl, url, way, known, largest)
        curl.setopt(pycurl.RESOLVE, await _resolved(url, way))
        curl.setopt(pycurl.WRITEFUNCTION, chunks.append)
        curl.setopt(pycurl.HEADERFUNCTION, headers.append)
        curl.setopt(pycurl.NOPROGRESS, 0)
        curl.setopt(pycurl.XFERINFOFUNCTION, _told_now_and_then(tell))
        await multi.perform(curl)
        status = curl.getinfo(pycurl.RESPONSE_CODE)
        redirect = curl.getinfo(pycurl.REDIRECT_URL)
    except UpstreamError as error:
        raise FetchError(f"its host is not found: {error}") from error
    except pycurl.error as error:
        raise FetchError(curl.errstr() or str(error.args[-1])) from error
    finally:
        curl.close()
    if redirect:
        return str(redirect)
    if status == NOT_MODIFIED:
        return None
    if status != OK:
        raise FetchError(f"HTTP {status}")
    validators = Validators(_validator(headers, b"etag:"), _validator(headers, b"last-modified:"))
    return Fetched(b"".join(chunks), validators)


def _prepare(curl: pycurl.Curl, url: str, way: Way, known: Validators, largest: int) -> None:
    wanted = ["User-Agent: smartdoh"]
    if known.etag:
        wanted.append(f"If-None-Match: {known.etag}")
    if known.last_modified:
        wanted.append(f"If-Modified-Since: {known.last_modified}")
    libcurl.prepare(curl, via=way.via, ca_file=way.trust.path)
    curl.setopt(pycurl.URL, url)
    curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTPS)
    curl.setopt(pycurl.HTTPHEADER, wanted)
    curl.setopt(pycurl.MAXFILESIZE, largest)
    curl.setopt(pycurl.CONNECTTIMEOUT_MS, int(CONNECT_TIMEOUT * 1000))
    curl.setopt(pycurl.TIMEOUT_MS, int(TIMEOUT * 1000))
    curl.setopt(pycurl.LOW_SPEED_LIMIT, SLOWEST)
    curl.setopt(pycurl.LOW_SPEED_TIME, SLOW_FOR)


def _told_now_and_then(tell: TellOctets) -> Callable[[int, int, int, int], None]:
    """What libcurl calls at every turn, as `tell` wants it: when it has something new to say, and not too often."""
    told, at = 0, 0.0

    def progress(total: int, done: int, _upload_total: int, _uploaded: int) -> None:
        nonlocal told, at
        now = time.monotonic()
        if done != told and (now >= at + TELL_EVERY or done == total):
            told, at = done, now
            tell(done, total)

    return progress


async def _resolved(url: str, way: Way) -> list[str]:
    """Entries for libcurl's DNS cache, so that it never asks the system's resolver, which may be ourselves."""
    wanted = [(way.via_host, way.via_port)] if way.via_host else []
    parts = urlsplit(url)
    if not way.proxy_finds and parts.hostname and not is_address(parts.hostname):
        wanted.append((parts.hostname, parts.port or HTTPS))
    found = await asyncio.gather(*(way.find(host) for host, _ in wanted))
    return [
        entry
        for (host, port), addresses in zip(wanted, found, strict=True)
        for entry in libcurl.resolve_entries(host, port, addresses)
    ]


def _validator(headers: list[bytes], wanted: bytes) -> str:
    """A validator as it came; nothing where it could not be sent back in a header."""
    value = libcurl.header(headers, wanted)
    return value if value.isprintable() else ""
