"""All TCP connections, whichever listener took them: how many, of whom, and which one goes where there are too many."""

from __future__ import annotations

import asyncio
import resource
from collections import OrderedDict
from typing import Protocol

RESERVE = 128  # descriptors that are kept for upstreams, lists, the disk and the control socket
MOST_UNREAD = 64  # connections that may hold answers which their clients do not read
SHARE = 4  # of all connections, the part that one client may have unless it is said otherwise
SWEEP = 1.0  # seconds between two looks for idle connections
CROWDED = 0.9  # of the most there may be: from there on clients had better end theirs


class Connection(Protocol):
    """What has to be known of a connection."""

    host: str

    @property
    def is_idle(self) -> bool:
        """Whether nothing of it is left to answer."""
        ...

    def abort(self) -> None:
        """End at once."""
        ...

    def end_if_slow(self, now: float, idle: float) -> None:
        """End if it has been idle for so long, or takes too long over a message."""
        ...


class Connections:
    """Those that are open, the one whose last whole question came longest ago first.

    A new connection takes the place of an idle one (RFC 7766 section 6.2.3), so that who holds many and says nothing
    keeps nobody out; only where none is idle it is the new one that goes.
    """

    def __init__(self, *, most: int = 512, each: int = 0, idle: float = 10.0) -> None:
        """`most` at a time, `each` of them of one client (0: a quarter); each may be idle for `idle` seconds."""
        self.refused = 0
        self.evicted = 0
        self._open: OrderedDict[Connection, None] = OrderedDict()
        self._of: dict[str, OrderedDict[Connection, None]] = {}
        self._unread: OrderedDict[Connection, None] = OrderedDict()
        self._sweeper: asyncio.TimerHandle | None = None
        self.limit(most=most, each=each, idle=idle)

    def __len__(self) -> int:
        return len(self._open)

    @property
    def is_crowded(self) -> bool:
        """Whether places are few."""
        return len(self._open) >= CROWDED * self._most

    def limit(self, *, most: int, each: int, idle: float) -> None:
        """Hold to these limits from now on; connections over a lower one stay until they end."""
        descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if descriptors == resource.RLIM_INFINITY:
            descriptors = most + 2 * RESERVE
        self._last_descriptor = descriptors - min(RESERVE, descriptors // 2)
        self._most = min(most, self._last_descriptor)
        self._each = each or max(2, self._most // SHARE)
        self.idle = idle

    def admit(self, connection: Connection, descriptor: int) -> bool:
        """Whether a new connection may stay. `descriptor` is its number: a high one says that few are left."""
        own = self._of.get(connection.host)
        if own is not None and len(own) >= self._each:
            is_admitted = self._evict(own)
        elif len(self._open) >= self._most or descriptor >= self._last_descriptor:
            is_admitted = self._evict(self._open)
        else:
            is_admitted = True
        if is_admitted:
            self._open[connection] = None
            self._of.setdefault(connection.host, OrderedDict())[connection] = None
        else:
            self.refused += 1
        return is_admitted

    def asked(self, connection: Connection) -> None:
        """A whole question has come."""
        if connection in self._open:
            self._open.move_to_end(connection)
            self._of[connection.host].move_to_end(connection)

    def is_unread(self, connection: Connection, unread: bool) -> None:
        """Its client does not read its answers, or does again. Of too many such the one that began first is ended."""
        if not unread:
            self._unread.pop(connection, None)
        elif connection in self._open:
            self._unread[connection] = None
            if len(self._unread) > MOST_UNREAD:
                self._end(next(iter(self._unread)))

    def forget(self, connection: Connection) -> None:
        """A connection has ended."""
        if connection not in self._open:
            return
        del self._open[connection]
        self._unread.pop(connection, None)
        own = self._of[connection.host]
        del own[connection]
        if not own:
            del self._of[connection.host]

    def make_room(self) -> None:
        """End the one that has been idle for longest, if any is."""
        self._evict(self._open)

    def start(self) -> None:
        """Look for idle connections from now on."""
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().call_later(SWEEP, self._sweep)

    def stop(self) -> None:
        """Look no more."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None

    def close(self) -> None:
        """End every connection."""
        for connection in list(self._open):
            connection.abort()

    def _evict(self, among: OrderedDict[Connection, None]) -> bool:
        for connection in among:
            if connection.is_idle:
                self.evicted += 1
                self._end(connection)
                return True
        return False

    def _end(self, connection: Connection) -> None:
        self.forget(connection)
        connection.abort()

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in list(self._open):
            connection.end_if_slow(now, self.idle)
        self._sweeper = loop.call_later(SWEEP, self._sweep)
