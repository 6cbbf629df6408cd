"""What came of an HTTP exchange: the DNS message it brought, or whose fault it is that it brought none."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pycurl

from smartdoh import libcurl
from smartdoh.errors import (
    BadCertificate,
    BadReply,
    BadStatus,
    Limited,
    NetworkDown,
    NoConnection,
    Timeout,
    TlsFailed,
    UpstreamError,
)
from smartdoh.upstream.line import MEDIA_TYPE, Handle

MAX_RETRY_AFTER = 60.0  # seconds of a Retry-After that we obey
LONGEST_NUMBER = 9  # digits of a number of seconds

OK, TOO_MANY_REQUESTS, UNAVAILABLE = 200, 429, 503

_CERTIFICATE_ERRORS = frozenset((51, 60, 77, 83, 90, 91))
_NETWORK = {pycurl.E_COULDNT_CONNECT: NoConnection, pycurl.E_SSL_CONNECT_ERROR: TlsFailed}
_NOT_HTTP = frozenset((1, 8, 23, 61, 63))  # 23: more headers than we take


class Reply:
    """What an HTTP exchange that went well brought: the message and the seconds it had been in caches."""

    __slots__ = ("age", "wire")

    def __init__(self, wire: bytes, age: int) -> None:
        self.wire = wire
        self.age = age


def read(handle: Handle, name: str) -> Reply | UpstreamError:
    """Judge the HTTP answer: only 200 with the right media type holds a message (RFC 8484 section 4.2.1)."""
    curl = handle.curl
    status = curl.getinfo(pycurl.RESPONSE_CODE)
    if status in (TOO_MANY_REQUESTS, UNAVAILABLE):
        return Limited(f"HTTP {status}", name, min(_retry_after(handle.headers), MAX_RETRY_AFTER))
    if status != OK:
        return BadStatus(f"HTTP {status}", name)
    media_type = curl.getinfo(pycurl.CONTENT_TYPE)
    if media_type != MEDIA_TYPE and (media_type or "").partition(";")[0].strip().lower() != MEDIA_TYPE:
        return BadReply(f"the media type is {media_type!r}", name)
    headers, chunks = handle.headers, handle.chunks
    age = int(_seconds(libcurl.header(headers, b"age:"))) if b"\nage:" in b"".join(headers).lower() else 0
    return Reply(chunks[0] if len(chunks) == 1 else b"".join(chunks), age)


def explain(handle: Handle, error: tuple[int, str], name: str) -> UpstreamError:
    """A libcurl error as whose fault it was."""
    code = error[0]
    said = handle.curl.errstr() or error[1]
    if code == pycurl.E_OPERATION_TIMEDOUT:
        return Timeout(said, name)
    if code in _CERTIFICATE_ERRORS:
        return BadCertificate(said, name)
    if code in _NOT_HTTP:
        return BadReply(said, name)
    number = handle.curl.getinfo(pycurl.OS_ERRNO) if code == pycurl.E_COULDNT_CONNECT else 0
    kind = _NETWORK.get(code, NetworkDown)
    return kind(f"{said}: {os.strerror(number)}" if number else said, name)


def _seconds(value: str) -> float:
    """A number of seconds as HTTP writes it; 0.0 where it is none."""
    return float(value) if value.isascii() and value.isdigit() and len(value) <= LONGEST_NUMBER else 0.0


def _retry_after(headers: list[bytes]) -> float:
    """Seconds until the time that Retry-After names, as a number or as a date (RFC 9110 section 10.2.3)."""
    value = libcurl.header(headers, b"retry-after:")
    try:
        at = parsedate_to_datetime(value)
        return max(0.0, (at - datetime.now(tz=UTC)).total_seconds())
    except (ValueError, TypeError):  # no date, or one without a zone
        return _seconds(value)
