"""What became of the requests to one upstream: how long good answers took, and how many failed in which way."""

from __future__ import annotations

from smartdoh.errors import FAULTS, UpstreamError
from smartdoh.fastpath.latency import Waits

RCODE = "rcode"  # a sound answer that is of no use: SERVFAIL, REFUSED and the like
KINDS = (*FAULTS, RCODE)
"""All there are: what counts by them is bounded."""


class Tally:
    """Counters since the upstream was first asked."""

    __slots__ = ("answers", "errors")

    def __init__(self) -> None:
        self.answers = Waits()
        """Seconds until each good answer."""
        self.errors: dict[str, int] = {}
        """By kind; those that never happened are not there."""

    def failed(self, error: UpstreamError) -> None:
        """A request came to nothing."""
        self._count(error.fault)

    def was_of_no_use(self) -> None:
        """A request got an answer that answers nothing."""
        self._count(RCODE)

    def _count(self, kind: str) -> None:
        self.errors[kind] = self.errors.get(kind, 0) + 1
