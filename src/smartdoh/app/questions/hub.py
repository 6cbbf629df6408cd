"""The hub: takes what was asked from those who answer, a few times a second, and gives it to whoever wants to see it.

How it works. The fast path keeps records of what it answers from its table, in a ring of octets; the resolver tells of
everything else. Both happen only while somebody looks: with no sink and no output, the ring is off and `tell` is None.

A `Sink` is inside of this process, and gets at most as many records a look as it wants, evenly taken, each with how
many questions it stands for: so a person's view costs the same at any rate. An `Output` takes everything in packed
form, and passes it on to another process.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import NamedTuple, Protocol

from smartdoh.app import clock
from smartdoh.app.questions.seen import Seen, of_packed, of_told
from smartdoh.fastpath import FastPath
from smartdoh.fastpath.log import NOTHING_TAKEN, Taken
from smartdoh.fastpath.packed import read
from smartdoh.pipeline.resolve import Resolver
from smartdoh.pipeline.told import Told
from smartdoh.tasks import Report

EVERY = 0.2  # seconds between two looks
ROOM = 32_768  # records of hits that the ring holds
OTHERS = 8192  # of other questions, between two looks
MOST = 60_000  # hits a second that are kept of more
SPARE = (
    4  # so many times what sinks want is kept where there are sinks alone: to walk over the rest takes time
)
LEAVE_OUT_FROM = 4 / 3  # of what is kept; there is room for that before any is left out
SINK_MOST = 512  # records a look that a sink gets of each kind


class Sink(Protocol):
    """Sees what is asked. Synchronous, cheap, never raises; one that does is removed."""

    def take(self, batch: Sequence[Seen], lost: int) -> None:
        """What was asked since the last time, the oldest first; `lost` more are not in the batch one by one.

        The weights of the batch stand for them too: they add up to all that was asked, if there is any in it.
        """


class Gathered(NamedTuple):
    """All that one look found."""

    ahead: float  # how far the time of day is ahead of the records' clock, in seconds
    hits: Taken
    others: list[tuple[float, Told]]  # by that clock
    lost: int  # of the others


class Output(Protocol):
    """Takes everything that a look found. Synchronous, never raises (one that does is removed), never waits."""

    def take(self, found: Gathered) -> None:
        """Pass it on, or count it as lost."""


class Hub:
    """Who wants to see what is asked, and who answers."""

    def __init__(
        self,
        now: Callable[[], float] = clock.now,
        wall: Callable[[], float] = time.time,
        room: int = ROOM,
        report: Report | None = None,
    ) -> None:
        """`now` is the fast path's clock, `wall` the time of day; `report` hears of sinks and outputs that raised."""
        self._report = report or _said_by_nobody
        self._now, self._wall, self._room = now, wall, room
        self._fast: FastPath | None = None
        self._resolver: Resolver | None = None
        self._sinks: dict[Sink, int] = {}
        self._outputs: list[Output] = []
        self._every = 1
        self._looked = now()
        self._earlier: Taken = NOTHING_TAKEN  # of a table that answers no more
        self._others: list[tuple[float, Told]] = []
        self._lost = 0
        self._wanted = asyncio.Event()

    @property
    def is_wanted(self) -> bool:
        """Whether anybody looks."""
        return bool(self._sinks or self._outputs)

    @property
    def sinks(self) -> int:
        """How many sinks there are."""
        return len(self._sinks)

    def serve(self, fast: FastPath, resolver: Resolver) -> None:
        """These answer from now on. What the last ones still tell is taken as well."""
        if self._fast is not None and self._fast is not fast:
            self._earlier = _joined(self._earlier, self._fast.take_log())
            self._fast.log(0)
        self._fast, self._resolver = fast, resolver
        self._switch()

    def add(self, sink: Sink, most: int = SINK_MOST) -> None:
        """Give `sink` what is asked from now on, at most so many hits and as many others a look.

        Where it is there already the number is another from now on.
        """
        self._sinks[sink] = most
        self._switch()

    def remove(self, sink: Sink) -> None:
        """Give it no more."""
        self._sinks.pop(sink, None)
        self._switch()

    def add_output(self, output: Output) -> None:
        """Give `output` all that is asked from now on."""
        if output not in self._outputs:
            self._outputs.append(output)
        self._switch()

    def remove_output(self, output: Output) -> None:
        """Give it no more."""
        if output in self._outputs:
            self._outputs.remove(output)
        self._switch()

    def tell(self, told: Told) -> None:
        """Keep what the resolver says of a question."""
        if not self.is_wanted:  # of a runtime that is ending
            return
        if len(self._others) < OTHERS:
            self._others.append((self._now(), told))
        else:
            self._lost += 1

    async def follow(self) -> None:
        """Look a few times a second, while anybody wants that."""
        while True:
            await self._wanted.wait()
            await asyncio.sleep(EVERY)
            self.look()

    def look(self) -> None:
        """Give what there is to all who want it."""
        found = self._gather()
        for output in tuple(self._outputs):
            try:
                output.take(found)
            except Exception as error:  # of one's mistake the others know nothing
                self.remove_output(output)
                self._report(f"{type(output).__name__}, which is left out from now on", error)
        batches: dict[int, tuple[list[Seen], int]] = {}
        for sink, most in tuple(self._sinks.items()):
            if most not in batches:
                batches[most] = _batch(found, most)
            batch, lost = batches[most]
            if not batch and not lost:
                continue
            try:
                sink.take(batch, lost)
            except Exception as error:
                self.remove(sink)
                self._report(f"{type(sink).__name__}, which is left out from now on", error)

    def _gather(self) -> Gathered:
        now = self._now()
        new = self._fast.take_log() if self._fast is not None else NOTHING_TAKEN
        self._leave_out((new.kept + new.lost) / max(now - self._looked, EVERY / 2))
        self._looked = now
        found = Gathered(self._wall() - now, _joined(self._earlier, new), self._others, self._lost)
        self._earlier, self._others, self._lost = NOTHING_TAKEN, [], 0
        return found

    def _leave_out(self, rate: float) -> None:
        """Keep only one of some hits where there are more a second than can be worked on; all again where not."""
        most: float = MOST
        if not self._outputs:
            most = min(most, max(self._sinks.values(), default=1) / EVERY * SPARE)
        every = math.ceil(rate / most) if rate > most * LEAVE_OUT_FROM else 1
        if every != self._every and self._fast is not None and self.is_wanted:
            self._every = every
            self._fast.log(self._room, every)

    def _switch(self) -> None:
        """Have records kept if anybody wants them."""
        if self._fast is None or self._resolver is None:
            return
        if self.is_wanted:
            if not self._wanted.is_set():
                self._looked = self._now()
            self._fast.log(self._room, self._every)
            self._resolver.tell = self.tell
            self._wanted.set()
        else:
            self._fast.log(0)
            self._resolver.tell = None
            self._earlier, self._others, self._lost, self._every = NOTHING_TAKEN, [], 0, 1
            self._wanted.clear()


def _said_by_nobody(_where: str, _error: BaseException) -> None:
    """Where there is nobody to report to."""


def _joined(one: Taken, other: Taken) -> Taken:
    if not (one.kept or one.lost):
        return other
    return Taken(one.packed + other.packed, one.kept + other.kept, one.lost + other.lost)


def _batch(found: Gathered, most: int) -> tuple[list[Seen], int]:
    """At most so many hits and as many others, evenly taken, in order, and how many are not among them."""
    batch = _some_hits(found, most)
    every = max(1, math.ceil(len(found.others) / most))
    some = found.others[::every]
    weight = (len(found.others) + found.lost) / max(1, len(some))
    total = found.hits.kept + found.hits.lost + len(found.others) + found.lost
    batch += [of_told(told, at + found.ahead, weight) for at, told in some]
    batch.sort(key=lambda seen: seen.at)
    return batch, total - len(batch)


def _some_hits(found: Gathered, most: int) -> list[Seen]:
    hits = found.hits
    every = max(1, math.ceil(hits.kept / most))
    weight = (hits.kept + hits.lost) / max(1, math.ceil(hits.kept / every))
    return [of_packed(record, found.ahead, weight) for record in islice(read(hits.packed, every), most)]
