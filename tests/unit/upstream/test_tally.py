"""What requests to an upstream came to: each failure by one of a bounded set of kinds."""

from __future__ import annotations

from collections.abc import Iterator

from smartdoh.errors import FAULTS, BadStatus, Timeout, UpstreamError
from smartdoh.upstream.tally import KINDS, Tally


def all_below(kind: type[UpstreamError]) -> Iterator[type[UpstreamError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from all_below(below)


def test_every_error_has_a_kind_and_every_kind_an_error() -> None:
    ours = {kind.fault for kind in all_below(UpstreamError) if kind.__module__ == "smartdoh.errors"}
    assert ours == set(FAULTS)
    assert len(set(KINDS)) == len(KINDS)


def test_what_happened_is_counted() -> None:
    tally = Tally()
    assert tally.errors == {}
    for error in (Timeout("x"), Timeout("x"), BadStatus("HTTP 500")):
        tally.failed(error)
    tally.was_of_no_use()
    assert tally.errors == {"timeout": 2, "http_status": 1, "rcode": 1}
    assert set(tally.errors) <= set(KINDS)
