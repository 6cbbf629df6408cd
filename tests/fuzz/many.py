"""So many packets and answers, counted: `python -m tests.fuzz.many [--packets N] [--both N] [--answers N]`.

Coverage guides nothing here; each input goes the whole way that one of a network goes, on the build that runs, and
the harnesses' checks that cost little are made. `both` are packets that both builds of the fast path get, over UDP and
over TCP: they have to say the same. Printed are what became of them, the slowest, by its processor time,
and what memory grew by. Exits 1 where something was over its bar.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import heapq
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from smartdoh.cache.policy import Bounds, entry_of
from smartdoh.errors import WireError
from smartdoh.fastpath import BUILD
from smartdoh.model import Answer, Query, Route
from smartdoh.pipeline.shaping import shaped
from smartdoh.wire import compose, edit
from smartdoh.wire.answer import scan_answer
from smartdoh.wire.codes import MAX_UDP
from smartdoh.wire.compose import Rr
from smartdoh.wire.question import parse_query
from tests.both_builds import Both
from tests.fuzz.fuzz_answer import KNOBS, Client, _question
from tests.fuzz.mutate import Mutator
from tests.fuzz.seeds import ANSWERS, QUERIES
from tests.scenario.world import Datagrams, World
from tests.unit.wire.messages import opt, query_wire, question

PACKETS, PACKETS_FOR_BOTH, ANSWERS_WANTED = 10_000_000, 2_000_000, 1_000_000
SLOWEST = 5.0  # milliseconds of processor time that one input may take
GROWTH = 16.0  # MiB by which memory may grow once all tables are full
WARM = 50  # one of so many inputs comes before memory is looked at first
KEPT = 5  # of the slowest, which are tried again by themselves
AGAIN = 5
HOST = "127.0.0.1"
HEADER = 12

Check = Callable[[bytes], str]
"""What became of one input; raises AssertionError where that is wrong."""


class Run:
    """One kind of input, so many times."""

    def __init__(self, what: str, check: Check, mutator: Mutator) -> None:
        self.what = what
        self.came_of: Counter[str] = Counter()
        self.growth = 0.0
        self._check = check
        self._mutator = mutator
        self._slowest: list[tuple[int, bytes]] = []

    def go(self, count: int) -> None:
        """Draw and check `count` inputs."""
        self._several(count // WARM)
        gc.collect()
        before = _resident()
        self._several(count - count // WARM)
        gc.collect()
        self.growth = _resident() - before

    def _several(self, count: int) -> None:
        draw, check, came_of, now = self._mutator.draw, self._check, self.came_of, time.thread_time_ns
        least = self._slowest[0][0] if len(self._slowest) == KEPT else 0
        for _ in range(count):
            data = draw()
            began = now()
            try:
                said = check(data)
            except Exception:
                print(f"{self.what}: {data.hex()}", file=sys.stderr)
                raise
            took = now() - began
            came_of[said] += 1
            if took > least:
                least = self._note(took, data)

    def _note(self, took: int, data: bytes) -> int:
        heapq.heappush(self._slowest, (took, data))
        if len(self._slowest) > KEPT:
            heapq.heappop(self._slowest)
        return self._slowest[0][0] if len(self._slowest) == KEPT else 0

    def slowest(self) -> tuple[float, float, bytes]:
        """Milliseconds of the slowest as it came; the most that one takes by itself, as the least of five; that one."""
        by_themselves = [(min(self._once(data) for _ in range(AGAIN)), data) for _, data in self._slowest]
        took, data = max(by_themselves)
        return max(self._slowest)[0] / 1e6, took / 1e6, data

    def _once(self, data: bytes) -> int:
        began = time.thread_time_ns()
        self._check(data)
        return time.thread_time_ns() - began


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all kinds; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.many", description="Mutated inputs, counted.")
    parser.add_argument("--packets", type=int, default=PACKETS)
    parser.add_argument("--both", type=int, default=PACKETS_FOR_BOTH)
    parser.add_argument("--answers", type=int, default=ANSWERS_WANTED)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args(arguments)
    return asyncio.run(_run(wanted.packets, wanted.both, wanted.answers, wanted.seed))


async def _run(packets: int, both: int, answers: int, seed: int) -> int:
    """In a loop, which the pipeline wants; nothing here waits."""
    world = World(extra_stages=(_echo,), clock=None)
    asked = [
        *QUERIES.values(),
        *(query_wire(opt(), asked=question(b"\2k%d\3com\0" % number)) for number in range(10)),
    ]
    runs = (
        (Run("packets", Packets(world).check, Mutator(asked, seed)), packets),
        (Run("packets for both builds", Builds(asked).check, Mutator(asked, seed + 1)), both),
        (
            Run("answers", Answers(world).check, Mutator([it[KNOBS:] for it in ANSWERS.values()], seed)),
            answers,
        ),
    )
    status = 0
    for run, count in runs:
        began = time.monotonic()
        run.go(count)
        status |= _report(run, count, time.monotonic() - began)
    if world.bugs:
        print(f"bugs: {world.bugs}", file=sys.stderr)
    return 1 if world.bugs else status


def _report(run: Run, count: int, seconds: float) -> int:
    came, took, data = run.slowest()
    outcomes = ", ".join(f"{number:,} {said}" for said, number in run.came_of.most_common())
    print(f"{count:,} mutated {run.what} in {seconds:.0f} s ({BUILD} fast path): {outcomes}")
    print(f"  slowest {came:.3f} ms, by itself {took:.3f} ms: {len(data)} octets, {data[:64].hex()}")
    print(f"  memory grew by {run.growth:.1f} MiB", flush=True)
    return int(took > SLOWEST or run.growth > GROWTH)


class Packets:
    """A packet from the listener's drain to the answer of a stage that has one for every question."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._datagrams = Datagrams()
        self._count = 0

    def check(self, data: bytes) -> str:
        """One datagram."""
        world, datagrams = self._world, self._datagrams
        sent = datagrams.sent
        sent.clear()
        datagrams.waiting.append((data, (HOST, 5353)))
        misses = world.fast.drain(datagrams)
        for query, _ in misses:
            world.resolver.submit(query, lambda wire: sent.append((wire, (HOST, 5353))), udp=True)
        self._count += 1
        if not self._count % 1000:
            world.clock.forward(1)
            for query in world.fast.take_due():
                world.resolver.refresh(query)
        if not sent:
            assert len(data) < HEADER or data[2] & 0x80, "no answer"
            return "ignored"
        ((wire, _),) = sent
        return self._judge(data, wire, "missed" if misses else "hit")

    def _judge(self, data: bytes, wire: bytes, how: str) -> str:
        assert wire[:2] == data[:2], "somebody else's id"
        assert wire[2] & 0x80, "a question"
        assert len(wire) <= MAX_UDP, "larger than allowed"
        if not wire[5]:
            assert len(wire) <= len(data), "an error larger than what it is about"
            return f"rcode {wire[3] & 15}"
        end = HEADER
        while wire[end]:
            end += 1 + wire[end]
        end += 5
        assert wire[HEADER:end] == data[HEADER:end], "another question"
        if wire[7] and not wire[3] & 15:
            name = wire[HEADER : end - 4].lower()
            assert wire[end : end + 2 * len(name) + 10] == name + wire[end + len(name) :][:10] + name, (
                "other data"
            )
        return how if not wire[3] & 15 else f"rcode {wire[3] & 15}"


class Builds:
    """Both builds of the fast path, of which each may say only what the other says."""

    def __init__(self, asked: Sequence[bytes]) -> None:
        """Something is kept for every second of those that are questions."""
        self._both = Both()
        self._count = 0
        for wire in asked[::2]:
            with suppress(WireError):
                query = parse_query(wire)
                self._both.store(query, _echo(query, Route("main", False, False, "")).wire, Bounds())

    def check(self, data: bytes) -> str:
        """One packet."""
        self._count += 1
        if not self._count % 50_000:
            self._both.clock.forward(1)
        said = self._both.ask(data, HOST)
        if isinstance(said, bytes):
            return f"rcode {said[3] & 15}" if said[3] & 15 else "hit"
        return "ignored" if said is None else "missed"


def _echo(query: Query, route: Route) -> Answer:
    """A record of a type that says which name it belongs to."""
    return compose.answer(
        query, 0, [Rr(query.name, query.qtype, 60, query.name, query.qclass)], source="echo"
    )


class Answers:
    """An answer from the upstream's bytes to what two clients get."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._clients = (Client(0x08 | 0x01, 512, 0), Client(0x0F, 1232, 0))
        self._count = 0

    def check(self, data: bytes) -> str:
        """One message."""
        self._count += 1
        if not self._count % 100:
            self._world.clock.forward(1)
        asked = _question(data)
        if asked is None:
            return "no question"
        client = self._clients[self._count & 1]
        query = client.query(asked)
        try:
            scan = scan_answer(data, query)
        except WireError:
            return "refused"
        wire = edit.remove_opt(data, scan)
        answer = Answer(wire, scan_answer(wire, query), "upstream")
        whole, ttl = entry_of(query, answer, Bounds(), self._world.clock())
        entry = shaped(self._world.shapers, query, Route("main", False, False, ""), whole, answer)
        if ttl:
            self._world.fast.store(query.key, entry)
        for udp in (True, False):
            made = self._world.fast.render(query, entry, udp=udp)
            assert len(made) <= (client.limit if udp else 65_535), "larger than allowed"
            assert made[HEADER : query.end] == query.wire[HEADER : query.end], "another question"
            parse_query(query.wire)
        return "taken" if entry is whole else "taken and filtered"


def _resident() -> float:
    """MiB of memory that are in use."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * 4096 / 2**20


if __name__ == "__main__":
    sys.exit(main())
