"""One look-up through the configured upstreams, past the cache, with its timing."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import dns.exception
import dns.message
import dns.rcode
import dns.rrset

from smartdoh.app.runtime import Runtime
from smartdoh.control.api.shapes import LookedUp
from smartdoh.errors import ConfigError, UpstreamError
from smartdoh.model import Answer, Query
from smartdoh.wire.codes import RCODE


@dataclass(slots=True)
class LookUp:
    """What was asked of whom, and what came of it."""

    group: str
    why: str
    answer: Answer | None = None
    error: UpstreamError | None = None
    milliseconds: float = 0.0
    here: bytes = b""  # the answer that needed no upstream, as a client gets it

    def told(self) -> LookedUp:
        """As programs read it."""
        found = LookedUp(
            group=self.group,
            why=self.why,
            took_ms=round(self.milliseconds, 1),
            error=f"{self.error.kind}: {self.error}" if self.error else None,
        )
        wire = self.answer.wire if self.answer is not None else self.here
        if wire:
            found["source"] = self.answer.source if self.answer is not None else self.why
            _tell(wire, found)
        return found


def _tell(wire: bytes, found: LookedUp) -> None:
    """Add what the answer says, though what passes through whole need not be what dnspython reads."""
    found["rcode"] = dns.rcode.to_text(dns.rcode.Rcode.make(wire[3] & RCODE))
    found["answer"], found["authority"], found["additional"] = [], [], []
    try:
        message = dns.message.from_wire(wire)
    except (dns.exception.DNSException, ValueError) as error:
        found["answer"] = [f"; {error}"]
    else:
        found["answer"] = _lines(message.answer)
        found["authority"] = _lines(message.authority)
        found["additional"] = _lines(message.additional)


async def look_up(runtime: Runtime, query: Query, group: str) -> LookUp:
    """Ask `group`, or if that is empty whom the rules choose. Raises ConfigError where there is no such group."""
    if group and group not in runtime.groups:
        raise ConfigError("group", f"{group!r} is no group; there are: {', '.join(runtime.groups)}")
    route = runtime.decisions.route(query)
    chosen = runtime.groups[group or route.group]
    found = LookUp(chosen.name, "as asked for" if group else route.why)
    here = None if group else runtime.resolver.answer_here(query, route)
    if here is not None:
        found.here, found.why = runtime.fast.render(query, here, udp=False), here.source
        return found
    started = time.perf_counter()
    try:
        found.answer = await chosen.exchange(query, asyncio.get_running_loop().time() + chosen.timeout)
    except UpstreamError as error:
        found.error = error
    finally:
        found.milliseconds = (time.perf_counter() - started) * 1e3
    return found


def _lines(rrsets: list[dns.rrset.RRset]) -> list[str]:
    return [line for rrset in rrsets for line in rrset.to_text().splitlines()]
