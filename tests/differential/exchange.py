"""Asks one server all of them: what came back for each, nothing where it stayed silent."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from tests.differential.questions import Asked
from tests.e2e.messages import frame, read_exactly

AT_A_TIME = 100
STREAMS = 16  # at a time
QUIET = 1.5  # seconds without a datagram after which no more is expected
TCP_SECONDS = 1.5
MOST_BYTES = 65_535


Said = dict[bytes, bytes | None]
"""What one server answered, by the question's wire form."""


class Answers(NamedTuple):
    """What both servers answered, and in how many seconds: an answer of one may be that much older."""

    ours: Said
    theirs: Said
    seconds: float


def ask_both(ours: int, theirs: int, asked: Sequence[Asked]) -> Answers:
    """The answers of the servers on two ports, asked side by side."""
    began = time.monotonic()
    with ThreadPoolExecutor(2) as threads:
        one, other = threads.map(partial(ask_all, asked=asked), (ours, theirs))
    return Answers(one, other, time.monotonic() - began)


def ask_all(port: int, asked: Sequence[Asked]) -> Said:
    """What one server answers. Those who got none are asked a second time, since datagrams get lost."""
    answers = _by_udp(port, [each for each in asked if not each.over_tcp])
    again = [each for each in asked if not each.over_tcp and answers[each.wire] is None]
    answers |= _by_udp(port, again)
    streams = [each for each in asked if each.over_tcp]
    with ThreadPoolExecutor(STREAMS) as threads:
        said = threads.map(partial(_by_tcp, port), streams)
        return answers | {each.wire: wire for each, wire in zip(streams, said, strict=True)}


def _by_udp(port: int, asked: Sequence[Asked]) -> Said:
    """Always some under way; those that stay silent for long make room."""
    answers: Said = {each.wire: None for each in asked}
    by_id = {each.wire[:2]: each.wire for each in asked}
    waiting: dict[bytes, float] = {}
    left = list(reversed(asked))
    with socket.socket(type=socket.SOCK_DGRAM) as sock, selectors.DefaultSelector() as selector:
        sock.connect(("127.0.0.1", port))
        selector.register(sock, selectors.EVENT_READ)
        while left or waiting:
            now = time.monotonic()
            waiting = {each: since for each, since in waiting.items() if now - since < QUIET}
            while left and len(waiting) < AT_A_TIME:
                wire = left.pop().wire
                sock.send(wire)
                waiting[wire[:2]] = now
            if selector.select(0.05):
                answer = sock.recv(MOST_BYTES)
                waiting.pop(answer[:2], None)
                answers[by_id[answer[:2]]] = answer
    return answers


def _by_tcp(port: int, asked: Asked) -> bytes | None:
    with socket.create_connection(("127.0.0.1", port), TCP_SECONDS) as stream, suppress(OSError):
        stream.sendall(frame(asked.wire))
        head = read_exactly(stream, 2)
        return read_exactly(stream, int.from_bytes(head)) or None
    return None
