"""One connection to an origin, as libcurl keeps it, and the easy handles whose requests go there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pycurl

from smartdoh import libcurl
from smartdoh.upstream.transfers import Transfers
from smartdoh.upstream.trust import TrustStore
from smartdoh.wire.codes import MAX_MESSAGE

MEDIA_TYPE = "application/dns-message"  # RFC 8484 section 6
CONNECT_TIMEOUT = 2.0  # seconds for TCP and TLS together
HTTP1_CONNECTIONS = 16  # at most, where the server cannot multiplex
UNTOLD = 100  # streams that a server which has not said so is thought to take: RFC 9113 section 6.5.2 asks for no fewer
MAX_STREAMS = 1000  # requests on one HTTP/2 connection; the server's own limit is lower
LARGEST_HEADERS = 16_384  # octets of all lines, a proxy's too
ENOUGH_LEFT = 0.5  # of a connection's streams; with fewer it is no longer one for new requests


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a transport asks, and how it gets there."""

    url: str
    host: str  # name or address, without brackets
    port: int
    via: str = ""  # URL of an HTTP or SOCKS5 proxy
    idle: float = 120.0  # seconds after which an unused connection is closed
    timeout: float = 5.0  # seconds for one request

    @property
    def name(self) -> str:
        """How logs and errors call it."""
        return self.host if self.port == 443 else f"{self.host}:{self.port}"  # noqa: PLR2004 - https


class Line:
    """A libcurl multi handle with one connection, where that multiplexes, and what is known of it.

    libcurl does not tell how many streams the server takes, nor that it takes no new ones (GOAWAY). But it makes
    another connection then. That is let fail, and says how many there is room for: see `overflow`.
    """

    __slots__ = (
        "heard_at",
        "in_flight",
        "is_known",
        "limit",
        "multiplexes",
        "refused",
        "resolved",
        "retired",
        "streams",
        "transfers",
        "used_at",
    )

    def __init__(self, transfers: Transfers, streams: int, at_first: int) -> None:
        """`streams` is what the server is known to take on a connection, 0 if it is not; `at_first` is used then."""
        self.transfers = transfers
        self.transfers.setopt(pycurl.M_MAX_HOST_CONNECTIONS, 1)
        self.transfers.setopt(pycurl.M_MAX_CONCURRENT_STREAMS, MAX_STREAMS)
        self.limit = streams or at_first  # requests that it is given at a time
        self.streams = streams  # of which it was found to take so many; 0 while that is not known
        self.in_flight = 0
        self.refused = 0  # of those in flight, which have only to be told that there was no stream
        self.heard_at = 0.0  # when it last answered, or last had nothing to answer
        self.used_at = 0.0  # when it was last given a request
        self.is_known = False
        self.multiplexes = False
        self.resolved: tuple[str, ...] = ()  # the addresses that the multi handle's DNS cache holds
        self.retired = False

    def learn(self, http_version: int) -> None:
        """The first answer came, up to which one connection was enough; one that cannot multiplex needs several."""
        self.is_known = True
        self.multiplexes = http_version >= pycurl.CURL_HTTP_VERSION_2_0
        if self.multiplexes:
            self.transfers.setopt(pycurl.M_MAX_HOST_CONNECTIONS, 2)  # the second one is never made
            self.limit = self.streams or MAX_STREAMS
        else:
            self.transfers.setopt(pycurl.M_MAX_HOST_CONNECTIONS, HTTP1_CONNECTIONS)
            self.limit = HTTP1_CONNECTIONS

    def overflow(self) -> None:
        """A request found no stream. The rest of its batch may follow, so what is right is the lowest number seen."""
        self.refused += 1
        self.limit = min(self.limit, self.in_flight - self.refused)

    def forget_limit(self) -> None:
        """What the server was thought to take was wrong; it shows again where it was not."""
        self.streams = 0
        if self.multiplexes:
            self.limit = MAX_STREAMS

    def is_going(self) -> bool:
        """Whether a request that found no stream means that the connection takes no more, rather than a limit.

        Then there is room for fewer and fewer. Else what was found is taken as the server's limit.
        """
        if not self.streams:
            self.streams = self.limit
        return self.limit <= self.streams * ENOUGH_LEFT


class Handle:
    """An easy handle with the buffers that libcurl fills, and the line that it was last given to."""

    __slots__ = ("chunks", "curl", "header_octets", "headers", "is_refused", "line")

    def __init__(self, origin: Origin, trust: TrustStore, connecting: Callable[[Handle, int], bool]) -> None:
        """`connecting` hears of a connection that is being made for this handle, and says whether it may be."""
        self.chunks: list[bytes] = []
        self.headers: list[bytes] = []
        self.header_octets = 0
        self.line: Line | None = None
        self.is_refused = False
        self.curl = curl = pycurl.Curl()
        libcurl.prepare(curl, via=origin.via, ca_file=trust.path)
        curl.setopt(pycurl.URL, origin.url)
        curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTPS)
        curl.setopt(pycurl.POST, 1)
        curl.setopt(pycurl.HTTPHEADER, [f"Content-Type: {MEDIA_TYPE}", f"Accept: {MEDIA_TYPE}", "Expect:"])
        curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
        curl.setopt(pycurl.PIPEWAIT, 1)
        curl.setopt(pycurl.FOLLOWLOCATION, 0)
        curl.setopt(pycurl.TCP_NODELAY, 1)
        curl.setopt(pycurl.MAXFILESIZE, MAX_MESSAGE)
        curl.setopt(pycurl.MAXAGE_CONN, max(1, int(origin.idle)))
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, int(CONNECT_TIMEOUT * 1000))
        curl.setopt(pycurl.TIMEOUT_MS, int(origin.timeout * 1000))
        curl.setopt(
            pycurl.SOCKOPTFUNCTION,
            lambda descriptor, _: pycurl.SOCKOPT_OK if connecting(self, descriptor) else pycurl.SOCKOPT_ERROR,
        )
        curl.setopt(pycurl.WRITEFUNCTION, self.chunks.append)
        curl.setopt(pycurl.HEADERFUNCTION, self._take_header)

    def clear(self) -> None:
        """Forget what was received."""
        self.chunks.clear()
        self.headers.clear()
        self.header_octets = 0

    def _take_header(self, line: bytes) -> int | None:
        """Keep a line of the answer's head; -1 ends an exchange that has more of them than any server sends."""
        self.header_octets += len(line)
        if self.header_octets > LARGEST_HEADERS:
            return -1
        self.headers.append(line)
        return None
