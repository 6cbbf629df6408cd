"""What was asked and how long it took, counted by the table and by the spine, as the API says it."""

from __future__ import annotations

from collections import Counter

from smartdoh.app.runtime import Runtime
from smartdoh.config import QTYPES
from smartdoh.control.api.shapes_counts import Histogram, QuestionCount
from smartdoh.fastpath import Statistics
from smartdoh.fastpath.counts import TYPES
from smartdoh.fastpath.latency import Latency

OTHER = "other"
TYPE_WORDS = {number: name for name, number in QTYPES.items() if number < TYPES} | {
    251: "IXFR",
    252: "AXFR",
    255: "ANY",
}
RCODE_WORDS = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")


def questions(runtime: Runtime, memory: Statistics) -> list[QuestionCount]:
    """Every question that has been answered, by what it was; `memory` is what the table says of itself."""
    found: Counter[tuple[str, str, str, str]] = Counter()
    for one in (*memory.answered, *runtime.resolver.asked.answered()):
        kind = one.transport, TYPE_WORDS.get(one.qtype, OTHER), _rcode(one.rcode), one.outcome
        found[kind] += one.count
    return [
        QuestionCount(transport=transport, type=qtype, rcode=rcode, outcome=outcome, count=count)
        for (transport, qtype, rcode, outcome), count in sorted(found.items())
    ]


def latency(runtime: Runtime) -> dict[str, Histogram]:
    """How long clients waited for what was not in memory, by outcome."""
    return {outcome: histogram(waits) for outcome, waits in runtime.resolver.asked.latency().items()}


def histogram(waits: Latency) -> Histogram:
    """One histogram."""
    return Histogram(
        bounds=list(waits.bounds), counts=list(waits.counts), count=waits.count, seconds=waits.seconds
    )


def _rcode(number: int) -> str:
    return RCODE_WORDS[number] if number < len(RCODE_WORDS) else f"RCODE{number}"
