"""The scripted upstream: one script of what each name gets, spoken over DoH and over plain DNS."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from tests.conformance.messages import HEADER, wire_name
from tests.servers.certificates import Certificate
from tests.servers.plain import PlainServer
from tests.servers.plain import Transport as PlainTransport
from tests.servers.scripted import ScriptedServer
from tests.servers.scripted.replies import Ending, Reply, Request
from tests.servers.zone import Answers

ZONE = "conformance.example."
SOA = "ns.conformance.example. hostmaster.conformance.example. 1 7200 3600 1209600"

Face = Literal["doh", "udp", "tcp"]


@dataclass(frozen=True)
class Asked:
    """A question as it reached the upstream."""

    wire: bytes
    face: Face
    query: dns.message.Message
    request: Request | None = None
    """Over DoH, the HTTP request."""

    @property
    def name(self) -> dns.name.Name:
        return self.query.question[0].name

    @property
    def rdtype(self) -> dns.rdatatype.RdataType:
        return self.query.question[0].rdtype


Said = dns.message.Message | bytes | Reply | None
Say = Callable[[Asked], Said]
"""What is said to a question; None is silence, a Reply is for DoH alone."""


def reply_to(
    asked: Asked, *records: str, authority: Sequence[str] = (), rcode: str = "NOERROR"
) -> dns.message.Message:
    """An answer with these records: `owner TTL TYPE rdata` each, `@` for the name that was asked."""
    answer = dns.message.make_response(asked.query, recursion_available=True)
    answer.set_rcode(dns.rcode.from_text(rcode))
    answer.answer = [_rrset(asked, text) for text in records]
    answer.authority = [_rrset(asked, text) for text in authority]
    if asked.query.edns >= 0:
        answer.use_edns(0, asked.query.ednsflags & dns.flags.DO, 1232)
    return answer


def _rrset(asked: Asked, text: str) -> dns.rrset.RRset:
    owner, ttl, rdtype, rdata = text.split(" ", 3)
    name = asked.name.to_text() if owner == "@" else owner
    return dns.rrset.from_text(name, int(ttl), "IN", rdtype, *rdata.split(" | "))


def records(*texts: str, authority: Sequence[str] = (), rcode: str = "NOERROR") -> Say:
    """Always the same answer."""
    return lambda asked: reply_to(asked, *texts, authority=authority, rcode=rcode)


def soa(ttl: int = 300, minimum: int = 300) -> str:
    """The SOA record of the zone, for the authority section."""
    return f"{ZONE} {ttl} SOA {SOA} {minimum}"


def negative(rcode: str = "NXDOMAIN", ttl: int = 300, minimum: int = 300) -> Say:
    """A no that may be kept."""
    return records(authority=[soa(ttl, minimum)], rcode=rcode)


def failing(rcode: str = "SERVFAIL") -> Say:
    """Nothing but an rcode."""
    return records(rcode=rcode)


def in_turn(*saying: Say) -> Say:
    """One after the other, a question each; the last one stays."""
    left, lock = list(saying), threading.Lock()

    def say(asked: Asked) -> Said:
        with lock:
            current = left.pop(0) if len(left) > 1 else left[0]
        return current(asked)

    return say


def after(seconds: float, say: Say) -> Say:
    """The same later; over DoH alone."""

    def later(asked: Asked) -> Said:
        said = say(asked)
        assert isinstance(said, dns.message.Message)
        return Reply(body=said.to_wire(max_size=65_535), delay=seconds)

    return later


def usual(asked: Asked) -> dns.message.Message:
    """What a name has about which nothing was said: an address of either kind, a text, and no more."""
    kinds = {"A": "@ 300 A 203.0.113.7", "AAAA": "@ 300 AAAA 2001:db8::7", "TXT": '@ 300 TXT "usual"'}
    text = kinds.get(dns.rdatatype.to_text(asked.rdtype))
    if text is None or asked.query.question[0].rdclass != dns.rdataclass.IN:
        return reply_to(asked, authority=[soa()])
    return reply_to(asked, text)


@dataclass
class Script:
    """What each name gets, and what was asked so far. Used by both faces' threads and the checks'."""

    _by_name: dict[dns.name.Name, Say] = field(default_factory=dict)
    _asked: list[Asked] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def says(self, name: str, say: Say) -> None:
        """What `name` gets from now on."""
        with self._changed:
            self._by_name[dns.name.from_text(name)] = say

    def asked(self, name: str, rtype: str | None = None) -> list[Asked]:
        """The questions for `name` so far, of a type or of all."""
        wanted = dns.name.from_text(name)
        with self._changed:
            found = [one for one in self._asked if one.name == wanted]
        return [one for one in found if rtype is None or one.rdtype == dns.rdatatype.from_text(rtype)]

    def asked_below(self, suffix: bytes) -> list[Asked]:
        """The questions so far for names that end so (wire format)."""
        with self._changed:
            return [one for one in self._asked if wire_name(one.name.to_text()).endswith(suffix)]

    def wait_for(self, name: str, count: int, seconds: float = 5.0) -> None:
        """Until `name` was asked so often: a refresh goes out behind the answer."""
        wanted = dns.name.from_text(name)
        with self._changed:
            came = self._changed.wait_for(
                lambda: sum(one.name == wanted for one in self._asked) >= count, seconds
            )
        assert came, f"{name} was asked {len(self.asked(name))} times and not {count}"

    def answer(self, asked: Asked) -> Said:
        """Record a question; what it gets. What is none gets what any server would say to it."""
        if asked.query.opcode() != dns.opcode.QUERY:
            return _refusal(asked, dns.rcode.NOTIMP)
        if len(asked.query.question) != 1:
            return _refusal(asked, dns.rcode.FORMERR)
        if asked.query.edns > 0:
            return _refusal(asked, dns.rcode.BADVERS)
        with self._changed:
            self._asked.append(asked)
            self._changed.notify_all()
            say = self._by_name.get(asked.name, usual)
        return say(asked)


def _refusal(asked: Asked, rcode: dns.rcode.Rcode) -> dns.message.Message:
    answer = dns.message.make_response(asked.query)
    if asked.query.edns >= 0:
        answer.use_edns(0, 0, 1232)
    answer.set_rcode(rcode)
    return answer


def _unreadable(wire: bytes) -> list[bytes]:
    """FORMERR to what has a header; silence to what has none, and to answers."""
    return [wire[:2] + b"\x80\x01" + bytes(8)] if len(wire) >= HEADER and not wire[2] & 0x80 else []


class DohFace(ScriptedServer):
    """The script over DoH."""

    def __init__(self, script: Script, certificate: Certificate, port: int = 0) -> None:
        super().__init__(certificate, port=port)
        self._script = script

    def handle(self, request: Request) -> Reply:
        """What the script has for the message in the request."""
        try:
            query = dns.message.from_wire(request.wire)
            said = self._script.answer(Asked(request.wire, "doh", query, request))
        except (dns.exception.DNSException, IndexError):
            return Reply(status=400, media_type=None)
        if isinstance(said, Reply):
            return said
        if said is None:
            return Reply(ending=Ending.STALL)
        return Reply(body=said if isinstance(said, bytes) else said.to_wire(max_size=65_535))


class PlainFace(PlainServer):
    """The script over UDP and TCP."""

    def __init__(self, script: Script) -> None:
        super().__init__(Answers())
        self._script = script

    def respond(self, wire: bytes, transport: PlainTransport, source_port: int) -> list[bytes]:
        """What the script has for this message."""
        try:
            query = dns.message.from_wire(wire)
            said = self._script.answer(Asked(wire, transport, query))
        except (dns.exception.DNSException, IndexError, ValueError):
            return _unreadable(wire)
        if said is None or isinstance(said, Reply):
            return []
        if isinstance(said, bytes):
            return [said]
        return [_fitting(said, query) if transport == "udp" else said.to_wire(max_size=65_535)]


def _fitting(said: dns.message.Message, query: dns.message.Message) -> bytes:
    """What fits into the datagram that the query announced; else nothing but the word to come over TCP."""
    try:
        return said.to_wire(max_size=max(512, query.payload))
    except dns.exception.TooBig:
        cut = dns.message.make_response(query, recursion_available=True)
        cut.flags |= dns.flags.TC
        return cut.to_wire()
