"""Any story of packets, answers and time, told to both builds of the fast path: they never differ.

An input is an octet that says what is switched on and a list of steps, each an octet that says what happens, two
octets with a size, and as many octets as that: the message that is asked or kept.
"""

from __future__ import annotations

from smartdoh.cache.policy import Bounds
from smartdoh.errors import WireError
from smartdoh.fastpath.surface import NO_TIMEOUT
from smartdoh.wire.codes import HEADER
from smartdoh.wire.question import parse_query
from tests.both_builds import HOSTS, Both
from tests.fuzz.harnesses import run_file

MOST_STEPS = 40
SECONDS = (0.25, 1.0, 29.75, 270.0)
STALE_LATER = 128
LOGGED = (0, 6)  # records that there is room for
BURSTS = (1, 2, 5, 10)
COOKIES = 16
TIMEOUTS = (NO_TIMEOUT, 0, 100, 0xFFFF)  # what clients of streams are told, in units of 100 ms
WHO = tuple(HOSTS)


def check(data: bytes) -> None:
    """What holds for any story."""
    switches = data[0] if data else 0
    both = Both(stale_at_once=switches < STALE_LATER)
    both.change("log", LOGGED[switches >> 3 & 1])
    both.change("limit", switches & 1, BURSTS[switches >> 1 & 3])
    both.use_cookies(wanted=switches & COOKIES != 0)
    both.timeout = TIMEOUTS[switches >> 5 & 3]
    question = b""
    at = 1
    for _ in range(MOST_STEPS):
        if at + 3 > len(data):
            break
        what, size = data[at], int.from_bytes(data[at + 1 : at + 3])
        message = data[at + 3 : at + 3 + size]
        at += 3 + size
        question = _step(both, what, message, question)
    both.compare()


def _step(both: Both, what: int, message: bytes, question: bytes) -> bytes:
    """Do one thing; the question that the next answer is for."""
    host = WHO[what >> 2 & 3]
    match what & 3:
        case 0:
            if what & 16:
                both.ask(both.with_cookie(message, host), host)
            both.ask(message, host)
            return message
        case 1:
            _keep(both, question, message, host)
        case 2:
            both.clock.forward(SECONDS[what >> 4 & 3])
            both.change("waited", SECONDS[what >> 4 & 3])
            if what & 64:
                both.ask(question, host)
        case _:
            both.stream(message, host)
            if what & 128:
                both.change("next_generation")
            if what & 64:
                both.change("take_log")
                both.change("log", LOGGED[what >> 5 & 1])
                both.change("limit", what >> 4 & 1, BURSTS[what >> 5 & 1])
    return question


def _keep(both: Both, question: bytes, message: bytes, host: str) -> None:
    if len(question) < HEADER:
        return
    view = HOSTS[host]
    try:
        query = parse_query(question, view or 0, host)
        both.store(query, message, Bounds(stale=600.0))
    except (WireError, IndexError, ValueError):
        return


if __name__ == "__main__":
    run_file(__file__)
