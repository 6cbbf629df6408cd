"""Plays one fault: warms the cache, asks while it lasts, waits until it is over and forgotten, judges.

How it works. Three kinds of questions go out side by side, each at its own pace and whatever became of those before:
*hot* names are in the cache, *stale* names have been, *new* names have never been asked for. `back` is the time from
the fault's end to the first of several new names in a row that were answered with data. Beside the proxy an echo is
asked at the pace of hot names: what is slow there is the machine, and the proxy is not blamed for it.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from collections.abc import Callable, Iterator

from tests.faults.asking import Asker, Heard
from tests.faults.fault import (
    HOT_P99,
    MOST_DESCRIPTORS,
    MOST_MEMORY,
    STALE_WITHIN,
    Fault,
    New,
)
from tests.faults.figures import Figures, Kind
from tests.faults.stage import HOT, STALE, STALE_TTL, Stage
from tests.servers.zone import full_name

HOT_EVERY = 0.01  # seconds
STALE_EVERY = 0.05
PROBE_EVERY = 0.1  # seconds between two new names after it
IN_A_ROW = 5  # of them that have to be answered
GIVE_UP = 20.0  # seconds after which it is not back
SETTLE = 8.0  # seconds in which memory and descriptors come back
MIB = 1 << 20
SHOWN = 3  # questions that went wrong, as examples


class Play:
    """One fault on its stage."""

    def __init__(self, fault: Fault, stage: Stage) -> None:
        self._fault = fault
        self._stage = stage
        self._numbers = itertools.count()
        self._figures = Figures(fault.name)

    async def run(self) -> Figures:
        """What was measured, and in `wrong` what should have been otherwise."""
        stage, fault, figures = self._stage, self._fault, self._figures
        fault.world(stage)
        self._asker = await Asker.to(stage.proxy.port)
        self._echo = await Asker.to(stage.start_echo())
        await self._warm()
        memory, descriptors = stage.proxy.rss, stage.proxy.descriptors
        with fault.during(stage):
            echo, hot, stale, new = await self._meanwhile()
            if fault.new is New.NOT_ASKED:
                await asyncio.sleep(fault.seconds)
        figures.back = await self._back()
        figures.echo, figures.hot = Kind.of(echo), Kind.of(hot)
        figures.stale, figures.new = Kind.of(stale), Kind.of(new)
        await self._settle(memory, descriptors)
        self._judge(hot, stale, new)
        if fault.check is not None:
            try:
                fault.check(stage, new)
            except AssertionError as error:
                figures.wrong.append(str(error))
        self._asker.close()
        self._echo.close()
        return figures

    async def _warm(self) -> None:
        for name in (*HOT, *STALE):
            heard = await self._asker.ask(name)
            assert heard.is_good, f"before the fault: {heard}"
        await asyncio.sleep(STALE_TTL + 0.1)

    async def _meanwhile(self) -> list[list[Heard]]:
        """What the echo, hot, stale and new names heard."""
        fault, ask = self._fault, self._asker
        if fault.new is New.NOT_ASKED:
            return [[], [], [], []]
        used, began = self._stage.cpu, time.monotonic()
        pid = self._stage.proxy.pid
        heard = await asyncio.gather(
            self._each(self._echo, itertools.cycle(HOT), HOT_EVERY),
            self._each(ask, itertools.cycle(HOT), HOT_EVERY),
            self._each(ask, itertools.cycle(STALE), STALE_EVERY),
            self._each(ask, self._new(), fault.new_every),
        )
        if self._stage.proxy.pid == pid:
            self._figures.cpu = (self._stage.cpu - used) / (time.monotonic() - began)
        return list(heard)

    def _new(self) -> Iterator[str]:
        return (full_name(f"new{number}.wild") for number in self._numbers)

    async def _each(self, asker: Asker, names: Iterator[str], every: float) -> list[Heard]:
        """Ask at a steady pace while the fault lasts; all answers, once the last has come or is given up."""
        loop = asyncio.get_running_loop()
        began, asked = loop.time(), []
        for number in range(int(self._fault.seconds / every)):
            await asyncio.sleep(began + number * every - loop.time())
            asked.append(asyncio.create_task(asker.ask(next(names))))
        return list(await asyncio.gather(*asked))

    async def _back(self) -> float:
        """Seconds from now to the first of several new names in a row that are answered."""
        began = time.monotonic()
        ended: list[tuple[float, Heard]] = []  # by when they were asked
        asked: list[asyncio.Task[Heard]] = []
        names = self._new()

        async def ask_one(name: str) -> Heard:
            heard = await self._asker.ask(name)
            ended.append((time.monotonic() - began, heard))
            return heard

        while time.monotonic() - began < GIVE_UP:
            asked.append(asyncio.create_task(ask_one(next(names))))
            await asyncio.sleep(PROBE_EVERY)
            last = ended[-IN_A_ROW:]
            if len(last) == IN_A_ROW and all(heard.is_good for _, heard in last):
                break
        else:
            return math.inf
        for task in asked:
            task.cancel()
        first = len(ended) - 1
        while first and ended[first - 1][1].is_good:
            first -= 1
        return ended[first][0]

    async def _settle(self, memory: int, descriptors: int) -> None:
        """Wait until memory and descriptors are back, at most so long."""
        figures, proxy = self._figures, self._stage.proxy
        deadline = time.monotonic() + SETTLE
        while True:
            figures.memory = (proxy.rss - memory) / MIB
            figures.descriptors = proxy.descriptors - descriptors
            is_back = figures.memory <= MOST_MEMORY and figures.descriptors <= MOST_DESCRIPTORS
            if is_back or time.monotonic() > deadline:
                return
            await asyncio.sleep(0.2)

    def _judge(self, hot: list[Heard], stale: list[Heard], new: list[Heard]) -> None:
        fault, figures = self._fault, self._figures
        slack = figures.echo.slowest  # what the machine itself cost at its worst
        self._all("hot", hot, lambda heard: heard.is_good)
        self._all("stale", stale, lambda heard: heard.is_good and heard.seconds <= STALE_WITHIN + slack)
        wants_data = fault.new is New.DATA
        self._all(
            "new",
            new,
            lambda heard: (
                (heard.is_good if wants_data else heard.is_honest)
                and heard.seconds <= fault.new_within + slack
            ),
        )
        self._at_most("p99 of hot", figures.hot.p99 - slack, HOT_P99, "s")
        self._at_most("back after", figures.back, fault.back_within, "s")
        self._at_most("memory", figures.memory, MOST_MEMORY, "MiB")
        self._at_most("descriptors", figures.descriptors, MOST_DESCRIPTORS, "more")
        self._at_most("CPU", figures.cpu, fault.most_cpu, "of a core")

    def _all(self, kind: str, asked: list[Heard], is_right: Callable[[Heard], bool]) -> None:
        wrong = [heard for heard in asked if not is_right(heard)]
        if wrong:
            examples = "; ".join(map(str, wrong[:SHOWN]))
            self._figures.wrong.append(
                f"{kind}: {len(wrong)} of {len(asked)} were not as promised: {examples}"
            )

    def _at_most(self, what: str, value: float, most: float, unit: str) -> None:
        if value > most:
            self._figures.wrong.append(f"{what}: {value:.3f} {unit}, at most {most} were promised")
