"""Eviction: the share of hits of smartdoh's own table, and of simple policies, on one trace of skewed questions.

Runs in this process, without sockets: what is measured is which answers are kept, not how fast.
"""

import random
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import dns.message

from bench.names import zipf
from bench.peers import Peer
from bench.scenarios.base import Measure, Metric, Reading, Scenario
from bench.upstreams import compose_answer
from bench.workspace import Workspace
from smartdoh.fastpath import Entry, FastPath
from smartdoh.model import Answer, Query
from smartdoh.wire.answer import scan_answer

NAMES = 100_000
CAPACITY = 10_000
EXPONENT = 1.0
WARM_UP = 100_000  # questions that are not counted
QUESTIONS = 400_000
TTL = 3_600.0  # seconds; the clock stands still
CLIENT = "127.0.0.1"

HITS = Metric("hit_percent", "hits", "%", more_is_better=True, digits=2)

Ask = Callable[[int], bool]
"""Asks for the name of a rank; whether it was kept. It is kept from then on until it is evicted."""


def make_trace(seed: int) -> list[int]:
    """Ranks of names, rank r drawn with a weight of 1/(r+1)."""
    return random.Random(seed).choices(range(NAMES), cum_weights=zipf(NAMES, EXPONENT), k=WARM_UP + QUESTIONS)


def fifo() -> Ask:
    kept: OrderedDict[int, None] = OrderedDict()

    def ask(rank: int) -> bool:
        if rank in kept:
            return True
        if len(kept) == CAPACITY:
            kept.popitem(last=False)
        kept[rank] = None
        return False

    return ask


def lru() -> Ask:
    kept: OrderedDict[int, None] = OrderedDict()

    def ask(rank: int) -> bool:
        if rank in kept:
            kept.move_to_end(rank)
            return True
        if len(kept) == CAPACITY:
            kept.popitem(last=False)
        kept[rank] = None
        return False

    return ask


def foreknowing() -> Ask:
    """The bound for this trace: the most popular names are kept from the start and for ever."""
    return lambda rank: rank < CAPACITY


def smartdoh() -> Ask:
    fast = FastPath(entries=CAPACITY, view_of=lambda _: 0, clock=lambda: 0.0)
    wires: dict[int, bytes] = {}

    def ask(rank: int) -> bool:
        wire = wires.get(rank)
        if wire is None:
            wire = wires[rank] = dns.message.make_query(f"n{rank}.zipf.example.com", "A", id=0).to_wire()
        asked = fast.ask(wire, CLIENT)
        if isinstance(asked, Query):
            fast.store(asked.key, _entry(asked))
            return False
        return True

    return ask


def _entry(query: Query) -> Entry:
    answer = compose_answer(query.wire)
    return Entry(Answer(answer, scan_answer(answer, query)), 0.0, TTL, 0.0, TTL)


def _measure(policy: Callable[[], Ask], round_: int) -> Reading:
    ask = policy()
    trace = make_trace(round_)
    for rank in trace[:WARM_UP]:
        ask(rank)
    hits = sum(map(ask, trace[WARM_UP:]))
    return {"hit_percent": 100 * hits / QUESTIONS}


@contextmanager
def _contenders(_workspace: Workspace, _peers: list[Peer]) -> Iterator[dict[str, Measure]]:
    policies = {"smartdoh": smartdoh, "FIFO": fifo, "LRU": lru, "foreknowing": foreknowing}
    yield {name: partial(_measure, policy) for name, policy in policies.items()}


SCENARIO = Scenario(
    "zipf",
    f"which of {NAMES:,} names are among {CAPACITY:,} kept ones, Zipf({EXPONENT:g})",
    (HITS,),
    _contenders,
    most_rounds=3,
)
