"""Any HTTP answer of an upstream: somebody's fault, or a message of the right media type with an age.

The first two octets are the status; then come lines: the media type, headers, and behind an empty one the body.
"""

from __future__ import annotations

from typing import Any, cast

import pycurl

from smartdoh import libcurl
from smartdoh.app.lists.fetch import _validator
from smartdoh.errors import BadReply, Limited, UpstreamError, WireError
from smartdoh.upstream import reply
from smartdoh.upstream.line import MEDIA_TYPE
from smartdoh.wire.answer import scan_answer
from smartdoh.wire.question import parse_query
from tests.fuzz.harnesses import run_file

QUERY = parse_query(bytes.fromhex("0000 0100 0001 0000 0000 0000") + b"\3www\7example\3com\0\0\1\0\1")
AGE_BELOW = 10**9
LONGEST_WAIT = 60.0


class Curl:
    """What libcurl knows of an exchange."""

    def __init__(self, status: int, media_type: str | None) -> None:
        self._known = {pycurl.RESPONSE_CODE: status, pycurl.CONTENT_TYPE: media_type}

    def getinfo(self, what: int) -> object:
        return self._known[what]


class Exchange:
    """One that ended."""

    def __init__(self, curl: Curl, headers: list[bytes], chunks: list[bytes]) -> None:
        self.curl = curl
        self.headers = headers
        self.chunks = chunks


def check(data: bytes) -> None:
    """What holds for any answer."""
    status = int.from_bytes(data[:2]) % 1000 or 200
    head, _, body = data[2:].partition(b"\n\n")
    media_type, *rest = head.split(b"\n")
    text = media_type.decode("latin-1") or None
    headers = [b"HTTP/2 200\r\n", *(line + b"\r\n" for line in rest), b"\r\n"]
    cut = len(body) // 2
    chunks = [body] if len(body) % 2 else [body[:cut], body[cut:]]
    exchange = Exchange(Curl(status, text), headers, chunks)
    got = reply.read(cast("Any", exchange), "upstream")
    _validator(headers, b"etag:")
    libcurl.header(headers, b"last-modified:")
    if isinstance(got, UpstreamError):
        _check_fault(got, status)
        return
    assert status == 200
    assert text is not None
    assert text.partition(";")[0].strip().lower() == MEDIA_TYPE
    assert got.wire == body
    assert 0 <= got.age < AGE_BELOW
    try:
        scan_answer(got.wire, QUERY)
    except WireError:
        return


def _check_fault(error: UpstreamError, status: int) -> None:
    if isinstance(error, Limited):
        assert status in (429, 503)
        assert 0 <= error.retry_after <= LONGEST_WAIT
        return
    assert isinstance(error, BadReply)
    assert error.why.isprintable() or "media type" in error.why


if __name__ == "__main__":
    run_file(__file__)
