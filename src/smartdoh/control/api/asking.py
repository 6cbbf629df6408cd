"""One question that was answered, as the API shows it."""

from __future__ import annotations

from datetime import UTC, datetime

import dns.rcode
import dns.rdataclass

from smartdoh.app.questions.seen import Seen
from smartdoh.config import qtype_text
from smartdoh.control.api.shapes_live import Question
from smartdoh.wire.names import to_text


def question(seen: Seen, number: int | None = None) -> Question:
    """What was asked, by whom, and what became of it; `number` is its id in the query log, if it is from there."""
    return {
        "id": number,
        "at": time_text(seen.at),
        "client": seen.client,
        "transport": seen.transport,
        "name": to_text(seen.name),
        "type": qtype_text(seen.qtype),
        "class": dns.rdataclass.to_text(dns.rdataclass.RdataClass.make(seen.qclass)),
        "rcode": dns.rcode.to_text(dns.rcode.Rcode.make(seen.rcode)),
        "outcome": seen.outcome,
        "group": seen.group,
        "upstream": seen.upstream,
        "rule": seen.rule,
        "list": seen.list,
        "line": seen.line,
        "ms": None if seen.seconds is None else round(seen.seconds * 1000, 1),
    }


def time_text(at: float) -> str:
    """Seconds since the epoch as RFC 3339 has them, in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
