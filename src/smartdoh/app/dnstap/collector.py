"""The connection to the collector of dnstap messages: a thread that sends what finds room, and connects again.

Whoever gives it questions never waits. While there is no collector, or one that does not read, questions find no room
and are lost; how many is counted.
"""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Protocol

from smartdoh.app.dnstap.frames import (
    CONTENT_TYPE,
    LONGEST_CONTROL,
    Control,
    ControlFrame,
    FrameError,
    control,
    data,
    read_control,
)
from smartdoh.fastpath.packed import Packed

ROOM = 32_768  # questions that wait to be sent
AT_ONCE = 512  # questions that are sent by one call
HANDSHAKE = 5.0  # seconds for each step
SENDING = 5.0  # seconds in which the collector has to read something
LAST_WORDS = 1.0  # seconds for the end
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds until it is tried again

Waiting = tuple[float, Packed]
"""How far the time of day is ahead of a record's clock, and the record."""

Payload = Callable[[Packed, float], bytes | None]
"""What is sent of a record, as `Encoder.payload` gives it; it is called in the collector's thread."""


class Say(Protocol):
    """Is told what happened to the connection."""

    def __call__(self, what: str, why: str, *, is_well: bool) -> None:
        """`is_well`: the collector reads."""


class Collector:
    """One collector, from when it is made until `close`."""

    def __init__(
        self,
        path: Path,
        payload: Payload,
        say: Say,
        first_pause: float = FIRST_PAUSE,
        patience: float = HANDSHAKE,
    ) -> None:
        """`first_pause` and `patience`, with the collector's answers, are in seconds."""
        self.sent = 0
        self.lost = 0
        self._path, self._payload, self._say = path, payload, say
        self._first_pause, self._patience = first_pause, patience
        self._waiting: deque[Waiting] = deque()
        self._changed = threading.Condition()
        self._is_closing = False
        self._is_told = False  # that it cannot be reached, which is said once
        self._thread = threading.Thread(target=self._run, name="dnstap", daemon=True)
        self._thread.start()

    def take(self, records: Sequence[Packed], ahead: float) -> None:
        """Send these, as far as there is room."""
        with self._changed:
            room = ROOM - len(self._waiting)
            self._waiting.extend((ahead, record) for record in islice(records, room))
            self.lost += max(0, len(records) - room)
            self._changed.notify()

    def close(self) -> None:
        """Send what is left, as far as the collector reads it at once, and end."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join(2 * LAST_WORDS)
        with self._changed:
            self.lost += len(self._waiting)
            self._waiting.clear()

    def _run(self) -> None:
        pause = self._first_pause
        while not self._is_closing:
            try:
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as collector:
                    self._greet(collector)
                    self._is_told = False
                    self._say("the dnstap collector reads", str(self._path), is_well=True)
                    pause = self._first_pause
                    self._send_all(collector)
            except (OSError, FrameError) as error:
                if not self._is_told:
                    what = "no dnstap collector, what it does not get is lost"
                    self._say(what, f"{self._path}: {error}", is_well=False)
                self._is_told = True
            with self._changed:
                self._changed.wait_for(lambda: self._is_closing, pause)
            pause = min(LONGEST_PAUSE, 2 * pause)

    def _greet(self, collector: socket.socket) -> None:
        """The handshake of a stream that goes both ways. Raises OSError or FrameError."""
        collector.settimeout(self._patience)
        collector.connect(str(self._path))
        collector.sendall(control(Control.READY, CONTENT_TYPE))
        accepted = _heard(collector)
        if accepted.kind is not Control.ACCEPT:
            raise FrameError(f"it said {accepted.kind.name} instead of ACCEPT")
        if CONTENT_TYPE not in accepted.content_types:
            raise FrameError("it does not take dnstap")
        collector.sendall(control(Control.START, CONTENT_TYPE))

    def _send_all(self, collector: socket.socket) -> None:
        """Send until the end. Raises OSError where the collector goes away, or reads nothing for too long."""
        collector.settimeout(min(SENDING, self._patience))
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_closing)
                batch = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
            if not batch:
                break
            if self._is_closing:
                collector.settimeout(LAST_WORDS)
            try:
                payloads = [self._payload(record, ahead) for ahead, record in batch]
                collector.sendall(b"".join([data(payload) for payload in payloads if payload is not None]))
            except OSError:
                with self._changed:
                    self.lost += len(batch)  # at most: how much of it was read nobody tells
                raise
            self.sent += len(batch)
        collector.settimeout(LAST_WORDS)
        collector.sendall(control(Control.STOP))
        _heard(collector)  # FINISH: all was read


def _heard(collector: socket.socket) -> ControlFrame:
    """The next control frame. Raises OSError or FrameError."""
    octets = b""
    while True:
        more = collector.recv(LONGEST_CONTROL)
        if not more:
            raise FrameError("it closed the connection")
        octets += more
        frame = read_control(octets)
        if frame is not None:
            return frame
