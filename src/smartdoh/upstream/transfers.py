"""libcurl's multi handle in the event loop: the transfers under way on it, and who hears of the end of each.

pycurl's own AsyncCurlMulti makes a future for each transfer, which its owner then hears of in the loop's next turn.
Here the owner is called, in this one: that saves a twelfth of what a miss costs, and between two ends there is time
for `between`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pycurl

Ended = Callable[["tuple[int, str] | None"], None]
"""Hears of the end of a transfer: libcurl's error, its number and what it says, or None where all went well."""

_FAILED = (
    0  # what is told of those that are left when the multi handle itself fails; no code of libcurl's errors
)


def nothing_between() -> None:
    """For those who have nothing to do between two transfers that ended together."""


class Transfers:
    """What one multi handle has under way. Belongs to the running loop."""

    def __init__(self, between: Callable[[], None] = nothing_between) -> None:
        """`between` is called after each transfer's end, since many may end together."""
        self._loop = asyncio.get_running_loop()
        self._between = between
        self._ended: dict[pycurl.Curl, Ended] = {}
        self._watched: dict[int, int] = {}  # of each socket, what is waited for
        self._timer: asyncio.Handle | None = None
        self._is_closed = False
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)

    def setopt(self, option: int, value: int) -> None:
        """Set an option of the multi handle."""
        self._multi.setopt(option, value)

    def add(self, curl: pycurl.Curl, ended: Ended) -> None:
        """Begin a transfer; `ended` is called once, later, unless it is removed before."""
        self._ended[curl] = ended
        self._multi.add_handle(curl)

    def remove(self, curl: pycurl.Curl) -> None:
        """End a transfer without a word."""
        if self._ended.pop(curl, None) is not None:
            self._multi.remove_handle(curl)

    def close(self) -> None:
        """End all transfers without a word, and close the connections. Not to be called from within libcurl."""
        if self._is_closed:
            return
        for curl in list(self._ended):
            self.remove(curl)
        self._is_closed = True
        self._cancel_timer()
        self._multi.close()
        for descriptor in list(self._watched):
            self._wait_for(0, descriptor)

    # What libcurl calls

    def _watch(self, what: int, descriptor: int, _multi: pycurl.CurlMulti, _data: object) -> None:
        self._wait_for(0 if what == pycurl.POLL_REMOVE else what, descriptor)

    def _wait_for(self, wanted: int, descriptor: int) -> None:
        """Wait for POLL_IN, POLL_OUT, both or, with 0, nothing on a socket, whatever was waited for before."""
        before = self._watched.pop(descriptor, 0)
        if wanted:
            self._watched[descriptor] = wanted
        begun, over = wanted & ~before, before & ~wanted
        if begun & pycurl.POLL_IN:
            self._loop.add_reader(descriptor, self._act, descriptor, pycurl.CSELECT_IN)
        if over & pycurl.POLL_IN:
            self._loop.remove_reader(descriptor)
        if begun & pycurl.POLL_OUT:
            self._loop.add_writer(descriptor, self._act, descriptor, pycurl.CSELECT_OUT)
        if over & pycurl.POLL_OUT:
            self._loop.remove_writer(descriptor)

    def _set_timer(self, milliseconds: int) -> None:
        self._cancel_timer()
        if milliseconds == 0:  # never at once: libcurl may not be called from within
            self._timer = self._loop.call_soon(self._time_is_over)
        elif milliseconds > 0:
            self._timer = self._loop.call_later(milliseconds / 1000, self._time_is_over)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # What the loop calls

    def _time_is_over(self) -> None:
        self._timer = None
        self._act(pycurl.SOCKET_TIMEOUT, 0)

    def _act(self, descriptor: int, mask: int) -> None:
        """Have libcurl do what can be done, and tell of what has ended."""
        if self._is_closed:
            return
        try:
            self._multi.socket_action(descriptor, mask)
            _, well, failed = self._multi.info_read()
        except pycurl.error as error:  # the handle is of no more use, and nothing on it will end by itself
            for curl in list(self._ended):
                self._end(curl, (_FAILED, str(error)))
            return
        for curl in well:
            self._end(curl, None)
        for curl, code, said in failed:
            self._end(curl, (code, said))

    def _end(self, curl: pycurl.Curl, error: tuple[int, str] | None) -> None:
        ended = self._ended.pop(curl, None)
        if ended is None:  # removed, by the end of another
            return
        self._multi.remove_handle(curl)
        ended(error)
        self._between()
