"""The vocabulary of smartdoh: what is asked, what is answered, and the three shapes that work on them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

from smartdoh.outcome import HIT


class Edns(NamedTuple):
    """What an OPT record says (RFC 6891 section 6.1)."""

    payload: int  # octets its sender takes over UDP, at least 512
    version: int
    do: bool  # DNSSEC records wanted (RFC 3225)
    options: bytes  # the option list as it came, lengths checked


class Query(NamedTuple):
    """A question that a client sent, parsed and found sound.

    A tuple and not a dataclass: one is made for each packet that no earlier packet equalled, and a frozen
    dataclass costs four times as much to make.
    """

    wire: bytes  # the whole message as it came
    flags: int  # the header's second word, as it came
    name: bytes  # qname in wire format, ASCII letters folded to lower case
    qtype: int
    qclass: int
    end: int  # where the question section ends in `wire`
    edns: Edns | None
    view: int  # which policy the client has; 0 is everybody's
    host: str  # the client's address
    key: bytes  # under which the answer is kept: folded question, then view, DO and CD
    own: bytes = b""  # EDNS options that whatever answers it has: cookie (RFC 7873), keepalive (RFC 7828)
    proven: bool = False  # a cookie of ours shows that the client gets what is sent to its address


class Scan(NamedTuple):
    """What one pass over an answer finds. Offsets count from the start of the message."""

    flags: int  # the header's second word
    rcode: int  # 12 bits, with the part that OPT carries
    question_end: int
    ttl_offsets: tuple[int, ...]  # of every record but OPT
    min_ttl: int  # seconds, over all records but OPT; 0 if there are none
    negative_ttl: int | None  # min(SOA TTL, SOA MINIMUM) of the authority section (RFC 2308 section 5)
    addresses: tuple[
        tuple[int, int], ...
    ]  # (offset, length) of the rdata of A and AAAA in the answer section
    answers: int  # records in the answer section
    last_type: int  # type of the last record in the answer section, 0 if it is empty
    opt: tuple[int, int] | None  # where the OPT record starts and ends
    edns: Edns | None


class Answer(NamedTuple):
    """A final answer, without OPT, ready to be kept and patched for each client."""

    wire: bytes  # id 0, the question folded or as the upstream spelled it, no OPT record
    scan: Scan  # of `wire`
    source: str = ""  # the upstream, rule or stage that it came from
    age: int = 0  # seconds it had spent in HTTP caches (RFC 8484 section 5.1)
    ede: bytes = b""  # an encoded Extended DNS Error option (RFC 8914), or nothing
    outcome: int = HIT  # what its giving counts as, once it is known; HIT of a failure: as its rcode says


class Rewrite(NamedTuple):
    """The answer that a rule gives instead of an upstream's."""

    rcode: int
    records: tuple[tuple[int, bytes], ...] = ()  # (type, rdata) of the name asked for; other types: NODATA
    target: bytes | None = None  # the name is an alias (CNAME) of this wire name, which is yet to be resolved


class Route(NamedTuple):
    """What the rules say of a question."""

    group: str  # which upstreams it may be asked of
    is_blocked: bool
    is_explicit: bool  # a rule names the domain, which also takes it out of the zones that are answered here
    why: str  # the rule, as `explain` and logs name it
    addresses: tuple[bytes, ...] = ()  # the user's own answer: packed IPv4 and IPv6 addresses
    pointer: bytes = b""  # the same the other way: the wire name that a reverse name leads to
    list_name: str = ""  # the list that decided, if one did
    file: str = ""  # where that list is kept
    line: int = 0  # the line of it, from 1
    rewrite: Rewrite | None = None  # of a blocked name: what the list wants answered; None: as [block] says
    alias: str = ""  # the name that was decided about instead: the one asked for is an alias of it
    is_refused: bool = False  # nobody knows: a list that fails closed has never been loaded


Stage = Callable[[Query, Route], Answer | None]
"""Looks at what is asked, and may answer it here; None means go on."""

Shaper = Callable[[Query, Route, Answer], Answer]
"""Looks at what came back by a route, and may give clients something else; the same answer means go on."""

Reply = Callable[[bytes], None]
"""Sends one finished message to the client that waits for it; never raises."""


class Upstream(Protocol):
    """The one async interface. A group of upstreams is an upstream too."""

    def exchange(self, query: Query, deadline: float) -> Awaitable[Answer]:
        """Ask for `query` until `deadline` (the loop's clock, seconds).

        Raises UpstreamError when no valid answer came. SERVFAIL and REFUSED are answers.
        """
        ...
