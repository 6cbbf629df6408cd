"""What the scripted DoH server may do with a request: a vocabulary of replies, right and wrong.

A behaviour is a function from a request and its right answer to a reply. It runs in the server's thread.
"""

import gzip
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cache, cached_property

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

MEDIA_TYPE = "application/dns-message"
ENDLESS_BLOCK = b"\0" * 16_384


class Ending(Enum):
    """How a reply ends."""

    WHOLE = auto()
    """As HTTP asks."""
    STALL = auto()
    """Nothing is ever sent."""
    HALF = auto()
    """Headers and half of the body, then silence."""
    CUT = auto()
    """Headers and half of the announced body, then the stream ends (HTTP/1.1: the connection closes)."""
    ENDLESS = auto()
    """A body without an end."""
    RESET = auto()
    """RST_STREAM with INTERNAL_ERROR after the headers and half of the body."""
    REFUSED = auto()
    """RST_STREAM with REFUSED_STREAM: not processed, to be sent again (RFC 9113 section 8.7)."""
    DROP = auto()
    """The TCP connection is aborted."""


class GoAway(Enum):
    """What a GOAWAY that comes with a reply says about its stream; the connection closes once it is idle."""

    BEFORE = auto()
    """Last stream id 0: nothing that is not answered yet will be, this request included."""
    HERE = auto()
    """This request is answered, later ones are not."""
    AFTER = auto()
    """Last stream id 2^31-1: everything is answered, then the connection closes."""


@dataclass(frozen=True)
class Request:
    """One HTTP request as it arrived."""

    connection: int
    protocol: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    wire: bytes
    time: float = field(default_factory=time.monotonic)

    def header(self, name: str) -> str | None:
        """The value of a header; None where it was not sent."""
        return dict(self.headers).get(name.lower())

    @cached_property
    def query(self) -> dns.message.Message:
        """The DNS message in the body."""
        return dns.message.from_wire(self.wire)

    @property
    def name(self) -> dns.name.Name:
        return self.query.question[0].name

    @property
    def rdtype(self) -> dns.rdatatype.RdataType:
        return self.query.question[0].rdtype


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the server sends for one request, and how."""

    body: bytes = b""
    status: int = 200
    media_type: str | None = MEDIA_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    ending: Ending = Ending.WHOLE
    goaway: GoAway | None = None

    def all_headers(self) -> list[tuple[str, str]]:
        """The header fields to send, without the status."""
        found = list(self.headers)
        if self.media_type is not None:
            found.append(("content-type", self.media_type))
        if self.ending is not Ending.ENDLESS:
            found.append(("content-length", str(len(self.body))))
        return found


Behaviour = Callable[[Request, dns.message.Message], Reply]


def wire_of(answer: dns.message.Message) -> bytes:
    """An answer's bytes, whatever size the query announced: HTTP has no datagram limit."""
    return answer.to_wire(max_size=65_535)


def right(_request: Request, answer: dns.message.Message) -> Reply:
    """The right answer at once."""
    return Reply(body=wire_of(answer))


def delayed(seconds: float, then: Behaviour = right) -> Behaviour:
    """What `then` says, that much later."""

    def behave(request: Request, answer: dns.message.Message) -> Reply:
        reply = then(request, answer)
        return Reply(
            body=reply.body,
            status=reply.status,
            media_type=reply.media_type,
            headers=reply.headers,
            delay=reply.delay + seconds,
            ending=reply.ending,
            goaway=reply.goaway,
        )

    return behave


def ending(how: Ending, goaway: GoAway | None = None) -> Behaviour:
    """The right answer, ended in this way."""

    def behave(_request: Request, answer: dns.message.Message) -> Reply:
        return Reply(body=wire_of(answer), ending=how, goaway=goaway)

    return behave


def going_away(how: GoAway) -> Behaviour:
    """The right answer with a GOAWAY before it."""
    return ending(Ending.WHOLE, how)


def status(code: int, *headers: tuple[str, str]) -> Behaviour:
    """An HTTP status with the right answer as its body, so that only the status says it is none."""

    def behave(_request: Request, answer: dns.message.Message) -> Reply:
        return Reply(body=b"" if code == 204 else wire_of(answer), status=code, headers=headers)

    return behave


def media_type(value: str | None) -> Behaviour:
    """The right answer under another media type, or under none."""

    def behave(_request: Request, answer: dns.message.Message) -> Reply:
        return Reply(body=wire_of(answer), media_type=value)

    return behave


def aged(seconds: int) -> Behaviour:
    """The right answer with an Age header, as from an HTTP cache."""

    def behave(_request: Request, answer: dns.message.Message) -> Reply:
        return Reply(body=wire_of(answer), headers=(("age", str(seconds)),))

    return behave


def body(content: bytes) -> Behaviour:
    """These bytes in place of a DNS message."""
    return lambda _request, _answer: Reply(body=content)


def changed(change: Callable[[bytes], bytes]) -> Behaviour:
    """The right answer's bytes, changed."""
    return lambda _request, answer: Reply(body=change(wire_of(answer)))


def gzipped(_request: Request, answer: dns.message.Message) -> Reply:
    """The right answer compressed, though nobody had asked for that."""
    return Reply(body=gzip.compress(wire_of(answer)), headers=(("content-encoding", "gzip"),))


@cache
def _zeros(count: int) -> bytes:
    """So many of them as a member of a gzip file (RFC 1952 section 2.2: there may be several)."""
    return gzip.compress(bytes(count), compresslevel=9)


def gzip_bomb(_request: Request, answer: dns.message.Message) -> Reply:
    """A small body that unpacks to a right answer with 16 MiB behind it."""
    content = gzip.compress(wire_of(answer)) + _zeros(16 << 20)
    return Reply(body=content, headers=(("content-encoding", "gzip"),))


def wrong_id(_request: Request, answer: dns.message.Message) -> Reply:
    """An answer under an id that nobody sent."""
    answer.id = 0x1234
    return Reply(body=wire_of(answer))


def wrong_question(_request: Request, answer: dns.message.Message) -> Reply:
    """A well-made answer to another question."""
    other = dns.message.make_query("attacker.example.", "A", id=answer.id)
    response = dns.message.make_response(other, recursion_available=True)
    response.answer.append(dns.rrset.from_text("attacker.example.", 300, "IN", "A", "198.51.100.66"))
    return Reply(body=wire_of(response))


def wrong_type(_request: Request, answer: dns.message.Message) -> Reply:
    """The asked name, but another type."""
    question = answer.question[0]
    answer.question = [dns.rrset.RRset(question.name, question.rdclass, dns.rdatatype.LOC)]
    return Reply(body=wire_of(answer))


def without_qr(_request: Request, answer: dns.message.Message) -> Reply:
    """An answer that says it is a query."""
    answer.flags &= ~dns.flags.QR
    return Reply(body=wire_of(answer))


def truncated(_request: Request, answer: dns.message.Message) -> Reply:
    """TC=1, which means nothing over HTTP (RFC 7766 section 5: an error, not a loop)."""
    answer.flags |= dns.flags.TC
    return Reply(body=wire_of(answer))


def rcode(code: dns.rcode.Rcode) -> Behaviour:
    """An empty answer with this rcode."""

    def behave(_request: Request, answer: dns.message.Message) -> Reply:
        answer.answer, answer.authority, answer.additional = [], [], []
        answer.set_rcode(code)
        return Reply(body=wire_of(answer))

    return behave


def sequence(*behaviours: Behaviour) -> Behaviour:
    """One behaviour after the other, a request each; the last one stays."""
    left = list(behaviours)
    lock = threading.Lock()

    def behave(request: Request, answer: dns.message.Message) -> Reply:
        with lock:
            current = left.pop(0) if len(left) > 1 else left[0]
        return current(request, answer)

    return behave
