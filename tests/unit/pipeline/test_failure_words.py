"""What a failed answer says in its Extended DNS Error: how each upstream failed."""

import pytest

from smartdoh.errors import (
    BadCertificate,
    BadReply,
    Limited,
    NetworkDown,
    Overloaded,
    Timeout,
    UpstreamError,
)
from smartdoh.pipeline.failures import words


def all_of(*each: UpstreamError) -> UpstreamError:
    error = UpstreamError("all failed", ", ".join(one.upstream for one in each))
    error.each = each
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Timeout("no answer in time", "a, b"), "timeout: a, b"),
        (Overloaded("too many questions wait for it", "a"), "too busy: a"),
        (Limited("HTTP 503", "a"), "rate limit (HTTP 503): a"),
        (BadReply("HTTP 500", "a"), "bad answer (HTTP 500): a"),
        (
            NetworkDown(
                "Failed to connect to 192.0.2.1 port 443: Could not connect: Connection refused", "a"
            ),
            "network (Connection refused): a",
        ),
        (
            BadCertificate("SSL certificate problem: self-signed certificate", "a"),
            "certificate (self-signed certificate): a",
        ),
        (
            all_of(Timeout("x", "a"), BadReply("HTTP 500", "b"), Timeout("y", "c")),
            "timeout: a, c; bad answer (HTTP 500): b",
        ),
        (
            all_of(Limited("its budget is used up", "a"), BadReply("HTTP 500", "a")),
            "bad answer (HTTP 500): a",
        ),
        (Timeout("given up"), "timeout: given up"),
    ],
)
def test_each_upstream_is_named_with_how_it_failed(error: UpstreamError, said: str) -> None:
    assert words(error) == said
