"""The errors of smartdoh, one tree: whose fault it was is in the type."""

from __future__ import annotations


class SmartDohError(Exception):
    """Whatever smartdoh raises on purpose."""


class ConfigError(SmartDohError):
    """The config cannot be used: `key` is the dotted key or the file, `message` what is allowed."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(f"{key}: {message}")
        self.key = key
        self.message = message


class ListenError(SmartDohError):
    """An address cannot be listened on."""


class WireError(SmartDohError):
    """A message cannot be used; `rcode` is what its sender is told, if it is told anything."""

    def __init__(self, rcode: int, why: str) -> None:
        super().__init__(why)
        self.rcode = rcode


class UpstreamError(SmartDohError):
    """One upstream, or all of a group, gave no usable answer.

    `kind` is the short word that logs and Extended DNS Errors use, `fault` the finer one of counters, one of FAULTS;
    `upstream` names whom it was about.
    """

    kind = "failed"
    fault = "other"
    is_their_fault = True  # counts against the upstream's health
    each: tuple[UpstreamError, ...] = ()
    """What went wrong with each of those asked, where the error is of a group."""

    def __init__(self, why: str, upstream: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.upstream = upstream


class Timeout(UpstreamError):
    """No answer came in time."""

    kind = fault = "timeout"


class NetworkDown(UpstreamError):
    """No connection could be made, or it broke, and again on the second try."""

    kind = fault = "network"


class NoConnection(NetworkDown):
    """The other end, or the network, refused the connection."""

    fault = "connect"


class TlsFailed(NetworkDown):
    """The connection was there, and the handshake on it failed."""

    fault = "tls"


class BadCertificate(UpstreamError):
    """TLS could not prove who the upstream is. Nothing it says is taken."""

    kind = fault = "certificate"


class BadReply(UpstreamError):
    """Something came that is no answer to the question: a wrong status, media type, id, question or wire format."""

    kind = "bad answer"
    fault = "bad_answer"


class BadStatus(BadReply):
    """HTTP said something else than 200."""

    fault = "http_status"


class Looping(UpstreamError):
    """The upstream is ourselves, or asks us what it is asked. It is not asked."""

    kind = fault = "loop"
    is_their_fault = False


class Limited(UpstreamError):
    """The upstream said that it is asked too much (HTTP 429, 503), or our own budget for it is used up.

    `retry_after` is in seconds, 0.0 where the upstream named no time. It is no sign of illness.
    """

    kind = "rate limit"
    fault = "rate_limit"
    is_their_fault = False

    def __init__(self, why: str, upstream: str = "", retry_after: float = 0.0) -> None:
        super().__init__(why, upstream)
        self.retry_after = retry_after


class Overloaded(Limited):
    """More questions wait for room at the upstream than could be asked in good time."""

    kind = "too busy"
    fault = "too_busy"


FAULTS = (
    "timeout",
    "connect",
    "network",
    "tls",
    "certificate",
    "http_status",
    "bad_answer",
    "loop",
    "rate_limit",
    "too_busy",
    "other",
)
"""Every `fault` there is."""
