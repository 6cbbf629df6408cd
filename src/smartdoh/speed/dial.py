"""Connections by libcurl that are made only to be closed: through a proxy, with TLS, or both."""

from __future__ import annotations

import ipaddress
import time
from typing import NamedTuple

import pycurl

from smartdoh import libcurl
from smartdoh.speed.way import Way

LONGEST = 2.0  # seconds for a connection, TLS and the proxy's part in it included
OK = 0  # libcurl's code for what went well


class Dialed(NamedTuple):
    """How an attempt ended."""

    code: int  # libcurl's, 0 where all went well
    seconds: float
    connect_status: int = 0  # what an HTTP proxy said to CONNECT, 0 if it said nothing or there is none
    said: str = ""  # libcurl's words for what went wrong


class Dialer:
    """Makes connections on one way.

    libcurl keeps the trusted certificates of a multi handle, so that they are read once and not for each handshake.
    """

    def __init__(self, way: Way) -> None:
        self._way = way
        self._multi = pycurl.AsyncCurlMulti()

    async def shake_hands(self, host: str, address: bytes, port: int) -> Dialed:
        """A TLS handshake with `address`, with `host` as SNI and in a certificate that is trusted on this way."""
        return await self._dial(f"https://{host}:{port}/", address, port, {})

    async def greet(self, address: bytes, port: int, *, tls: bool) -> Dialed:
        """Have `address` itself say something, whatever it is: a handshake without a name, or a request for headers.

        A connection through a proxy proves nothing: many say that it is there before they have tried to make it.
        """
        if tls:
            options = {pycurl.SSL_VERIFYPEER: 0, pycurl.SSL_VERIFYHOST: 0}
            return await self._dial(f"https://{in_url(address)}:{port}/", address, port, options)
        options = {pycurl.CONNECT_ONLY: 0, pycurl.NOBODY: 1}
        return await self._dial(f"http://{in_url(address)}:{port}/", address, port, options)

    async def aclose(self) -> None:
        """Close what is open; nothing may be under way."""
        await self._multi.aclose()

    async def _dial(self, url: str, address: bytes, port: int, options: dict[int, int]) -> Dialed:
        curl = pycurl.Curl()
        try:
            self._prepare(curl, address, port)
            curl.setopt(pycurl.URL, url)
            for option, value in options.items():
                curl.setopt(option, value)
            started = time.perf_counter()
            try:
                await self._multi.add_handle(curl)
            except pycurl.error as error:
                seconds, status = time.perf_counter() - started, curl.getinfo(pycurl.HTTP_CONNECTCODE)
                return Dialed(int(error.args[0]), seconds, status, curl.errstr() or str(error.args[-1]))
            return Dialed(OK, time.perf_counter() - started)
        finally:
            curl.close()  # and with it the connection

    def _prepare(self, curl: pycurl.Curl, address: bytes, port: int) -> None:
        way = self._way
        curl.setopt(pycurl.CONNECT_ONLY, 1)
        curl.setopt(pycurl.CONNECT_TO, [f"::{in_url(address)}:{port}"])  # no name is looked up
        curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        libcurl.prepare(curl, via=way.via, ca_file=way.ca_file)
        curl.setopt(pycurl.HTTPPROXYTUNNEL, 1)
        curl.setopt(pycurl.WRITEFUNCTION, len)  # whatever comes is dropped
        curl.setopt(pycurl.SSL_SESSIONID_CACHE, 0)
        curl.setopt(pycurl.FRESH_CONNECT, 1)
        curl.setopt(pycurl.FORBID_REUSE, 1)
        curl.setopt(pycurl.TIMEOUT_MS, int(LONGEST * 1000))
        if way.proxy is not None:
            curl.setopt(pycurl.RESOLVE, libcurl.resolve_entries(*way.proxy, way.proxy_addresses()))


def in_url(address: bytes) -> str:
    """A packed address as URLs have it, IPv6 in brackets."""
    ip = ipaddress.ip_address(address)
    return f"[{ip}]" if ip.version == 6 else str(ip)  # noqa: PLR2004 - the version of IP
