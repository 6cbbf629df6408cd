"""Members of groups whose transports are scripted: what is said, and after how many virtual seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from copy import copy
from types import SimpleNamespace
from typing import Any, NamedTuple

import dns.message

from smartdoh.errors import Limited, NetworkDown, Timeout, UpstreamError
from smartdoh.model import Answer, Query
from smartdoh.tasks import Tasks
from smartdoh.upstream.group import Group
from smartdoh.upstream.member import Member
from smartdoh.upstream.reply import Reply
from smartdoh.wire.question import parse_query

NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = range(6)
TRANSPORT_TIMEOUT = 5.0  # seconds
ADDRESS = b"\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xcb\0\x71\7"


class Act(NamedTuple):
    """What a transport does with one request: `what` is an rcode, a Reply or an error, said after `delay` seconds."""

    delay: float
    what: int | Reply | UpstreamError


Script = Callable[[float], Act]
"""From the loop's time to what is done with the request of that moment."""


def says(what: int | Reply | UpstreamError = NOERROR, delay: float = 0.02) -> Script:
    """Always the same."""
    return lambda _: Act(delay, what)


def fails(delay: float = 0.001) -> Script:
    """No connection."""
    return says(NetworkDown("refused", ""), delay)


def limits(retry_after: float = 0.0, delay: float = 0.001) -> Script:
    """HTTP 429."""
    return says(Limited("HTTP 429", "", retry_after), delay)


def hangs() -> Script:
    """Nothing until the transport gives up."""
    return says(Timeout("gave up", ""), TRANSPORT_TIMEOUT)


def in_turn(*scripts: Script) -> Script:
    """One after the other; the last one stays."""
    left = list(scripts)

    def script(now: float) -> Act:
        return (left.pop(0) if len(left) > 1 else left[0])(now)

    return script


def answer_wire(wire: bytes, rcode: int = NOERROR) -> bytes:
    """An answer to an upstream query, with one address where the rcode is NOERROR."""
    end = wire.index(b"\0", 12) + 5
    has_data = rcode == NOERROR
    return (
        b"\0\0\x81"
        + bytes([0x80 | rcode])
        + b"\0\1\0"
        + bytes([has_data])
        + bytes(4)
        + wire[12:end]
        + ADDRESS * has_data
    )


class ScriptedTransport:
    """Stands where a DohTransport would. `asked` has the time of each request."""

    def __init__(self, name: str, script: Script) -> None:
        self.origin = SimpleNamespace(name=name)
        self.script = script
        self.asked: list[float] = []
        self.addresses: tuple[str, ...] = ()
        self.is_closed = False
        self.has_room = True
        self.waiting = 0

    def ask(self, wire: bytes, done: Callable[[Any], None]) -> None:
        """As in DohTransport."""
        loop = asyncio.get_running_loop()
        self.asked.append(loop.time())
        self.waiting += 1
        act = self.script(loop.time())
        what = Reply(answer_wire(wire, act.what), 0) if isinstance(act.what, int) else act.what
        if isinstance(what, UpstreamError):
            what = copy(what)
            what.upstream = self.origin.name
        loop.call_later(act.delay, self._end, done, what)

    def _end(self, done: Callable[[Any], None], what: Reply | UpstreamError) -> None:
        self.waiting -= 1
        done(what)

    def drop_connection(self) -> None:
        """As in DohTransport."""

    async def aclose(self) -> None:
        """As in DohTransport."""
        self.is_closed = True


class ScriptedMember(Member):
    """A member whose transport can be looked at."""

    def __init__(self, name: str, script: Script, **options: Any) -> None:
        self.script = ScriptedTransport(name, script)
        super().__init__(self.script, None, Tasks(lambda *_: None), **options)  # type: ignore[arg-type]

    @property
    def asked(self) -> int:
        """How many requests reached the transport."""
        return len(self.script.asked)

    def behave(self, script: Script) -> None:
        """From now on."""
        self.script.script = script


def members(*scripts: Script, **options: Any) -> list[ScriptedMember]:
    """Members a, b, c ... with these scripts."""
    return [ScriptedMember(chr(ord("a") + n), script, **options) for n, script in enumerate(scripts)]


def query(name: str = "www.example.com", rdtype: str = "A") -> Query:
    """A client's question."""
    return parse_query(dns.message.make_query(name, rdtype).to_wire())


QUERY = query()


def ask(group: Group, seconds: float = 10.0, question: Query = QUERY) -> asyncio.Future[Answer]:
    """One question to a group."""
    return group.exchange(question, asyncio.get_running_loop().time() + seconds)


async def timed(answer: asyncio.Future[Answer]) -> tuple[float, Answer | UpstreamError]:
    """How long it took, and what came of it."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    try:
        outcome: Answer | UpstreamError = await answer
    except UpstreamError as error:
        outcome = error
    return loop.time() - start, outcome


def is_idle(*those: ScriptedMember) -> bool:
    """Whether nothing is counted as in flight that is not."""
    return all(member.budget.in_flight == member.script.waiting for member in those)
