"""The lines of one origin: which of them takes the next request, when there is to be another, when one is to go."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pycurl

from smartdoh.upstream.line import HTTP1_CONNECTIONS, UNTOLD, Line
from smartdoh.upstream.transfers import Transfers

MOST_CONNECTIONS = 8  # to one origin that multiplexes
FEWEST = 8  # streams; a connection that has room for fewer has rather been told to end (GOAWAY)


class Lines:
    """The lines in use, oldest first. Times are in seconds of the loop's clock."""

    def __init__(self, between: Callable[[], None]) -> None:
        """`between` is what each line's Transfers call."""
        self._between = between
        self.capacity = MOST_CONNECTIONS * UNTOLD
        """Requests that all lines together take at a time, those that may still be made included."""
        self._lines: list[Line] = []
        self._streams = (
            0  # that the server takes on a connection, as one of them found; 0 while that is not known
        )
        self._at_first = UNTOLD  # or what was found the last time that it was known
        self._is_multiplexed = True

    def __iter__(self) -> Iterator[Line]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    def free(self, now: float) -> Line | None:
        """A line with a stream for one request more, which counts from now on; None if it has to wait.

        So it has where there are no descriptors for another line.
        """
        for line in self._lines:
            if line.in_flight < line.limit:
                break
        else:
            if not self._may_grow():
                return None
            try:
                transfers = Transfers(self._between)
            except pycurl.error:
                return None
            line = Line(transfers, self._streams, self._at_first)
            self._lines.append(line)
        if line.in_flight == 0:
            line.heard_at = now
        line.used_at = now
        line.in_flight += 1
        return line

    def learn(self, line: Line, http_version: int) -> None:
        """The first answer on `line` came."""
        line.learn(http_version)
        self._is_multiplexed = line.multiplexes
        self._count()

    def refused(self, line: Line) -> bool:
        """All requests of a batch that found no stream on `line` were told so; whether it takes new ones still."""
        if line.is_going():
            self.remove(line)
            self._streams = 0  # what was taken for the server's limit may have been none
            for other in self._lines:
                other.forget_limit()
        elif line.limit >= FEWEST:
            self._streams = self._at_first = line.limit
        self._count()
        return not line.retired

    def remove(self, line: Line) -> None:
        """No new requests on `line`."""
        line.retired = True
        self._lines.remove(line)
        if not self._lines:
            self._streams = 0  # what comes next may be another server
            self._is_multiplexed = True
            self._count()

    def silent(self, now: float, seconds: float) -> list[Line]:
        """Those on which requests have waited for so long, and nothing came."""
        return [line for line in self._lines if line.in_flight and now - line.heard_at > seconds]

    def idle(self, now: float, seconds: float) -> list[Line]:
        """Those that had no request for so long."""
        return [line for line in self._lines if not line.in_flight and now - line.used_at >= seconds]

    def _may_grow(self) -> bool:
        """Whether there may be another: one at a time, until it is known how many streams each of them has."""
        if not self._lines:
            return True
        if not self._is_multiplexed or len(self._lines) >= MOST_CONNECTIONS:
            return False
        return self._streams > 0 or all(line.is_known and not line.refused for line in self._lines)

    def _count(self) -> None:
        most = MOST_CONNECTIONS * (self._streams or UNTOLD)
        self.capacity = most if self._is_multiplexed else HTTP1_CONNECTIONS
