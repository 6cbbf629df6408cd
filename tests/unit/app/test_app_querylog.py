"""The log of questions: a line for each, of what the table and the resolver answered, and nobody waits for it."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from smartdoh.app import logs, querylog
from smartdoh.app.outlet import WHOLE, Outlet
from smartdoh.app.querylog import ROOM, QueryLog
from smartdoh.app.questions.hub import Hub
from smartdoh.errors import Timeout
from smartdoh.fastpath.log import NOTHING_TAKEN
from tests.scenario.world import World, settle, story

A = "www.example.com. 300 A 192.0.2.1"
RULES = """
[routing]
rules = [
  { domains = ["ads.example"], action = "block" },
  { domains = ["corp.example"], group = "other" },
]
"""
WALL = 1_700_000_000.0


class Pipe:
    """A pipe that a log is written to, and what comes out of it."""

    def __init__(self) -> None:
        self.read_end, self.write_end = os.pipe()
        self.outlet = Outlet(self.write_end)

    def lines(self) -> list[dict[str, Any]]:
        """All that was written until now."""
        self.outlet.finish(10)
        return [json.loads(line) for line in self.octets().splitlines()]

    def octets(self) -> bytes:
        os.set_blocking(self.read_end, False)
        found = b""
        while True:
            try:
                found += os.read(self.read_end, 1 << 16)
            except BlockingIOError:
                return found


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    os.close(made.read_end)  # a thread that still writes hears of it
    made.outlet.finish(10)
    os.close(made.write_end)


class Log:
    """A log that takes what one hub shows it."""

    def __init__(self, world: World, pipe: Pipe, room: int = ROOM) -> None:
        self.hub = Hub(world.clock, lambda: WALL)
        self.queries = QueryLog(pipe.outlet, lambda: WALL, room)
        self.queries.serve(logs.renderer("json"))
        self.hub.serve(world.fast, world.resolver)
        self.hub.add(self.queries, room)

    async def write(self) -> None:
        self.hub.look()
        await self.queries.write()


def log_of(world: World, pipe: Pipe, room: int = ROOM) -> Log:
    return Log(world, pipe, room)


def in_a_world(pipe: Pipe, tell: Any, text: str = RULES) -> None:
    @story(text, groups=("main", "other"))
    async def play(world: World) -> None:
        await tell(world)

    play()


def test_a_line_for_each_question(pipe: Pipe) -> None:
    async def tell(world: World) -> None:
        queries = log_of(world, pipe)
        await world.know(A)
        world.clock.forward(1.5)
        await world.ask("WWW.example.com.", host="127.0.0.9")
        await world.ask("x.ads.example.", "AAAA")
        failing = await world.ask("corp.example.", "TYPE300")
        world.upstreams["other"].fail(Timeout("no answer", "dns.example"))
        await settle()
        assert not failing.is_waiting
        world.clock.forward(300.0)
        await world.ask()
        await queries.write()

    in_a_world(pipe, tell)
    found = pipe.lines()
    assert all(line.pop("level") == "info" and line.pop("event") == "question" for line in found)
    latencies = [line.pop("ms", None) for line in found]
    assert [ms is None for ms in latencies] == [False, True, False, False, True]
    assert all(0 <= ms < 60_000 for ms in latencies if ms is not None)
    www = {"transport": "udp", "name": "www.example.com.", "type": "A", "rcode": "NOERROR"}
    main = {"group": "main", "upstream": "upstream", "rule": "routing.default"}
    assert found == [
        {
            **www,
            **main,
            "client": "127.0.0.1",
            "outcome": "miss",
            "timestamp": "2023-11-14T22:08:18.500000Z",
        },
        {**www, "client": "127.0.0.9", "outcome": "hit", "timestamp": "2023-11-14T22:08:20Z"},
        {
            "client": "127.0.0.1",
            "transport": "udp",
            "name": "x.ads.example.",
            "type": "AAAA",
            "rcode": "NOERROR",
            "outcome": "blocked",
            "rule": "routing.rules[0]",
            "timestamp": "2023-11-14T22:08:20Z",
        },
        {
            "client": "127.0.0.1",
            "transport": "udp",
            "name": "corp.example.",
            "type": "TYPE300",
            "rcode": "SERVFAIL",
            "outcome": "failed",
            "rule": "routing.rules[1]",
            "group": "other",
            "upstream": "dns.example",
            "timestamp": "2023-11-14T22:08:20Z",
        },
        {**www, "client": "127.0.0.1", "outcome": "stale", "timestamp": "2023-11-14T22:13:20Z"},
    ]


def test_names_and_classes_of_all_sorts_are_lines_of_their_own(pipe: Pipe) -> None:
    """A name may hold any octet; it cannot make a line that nobody asked for."""

    async def tell(world: World) -> None:
        queries = log_of(world, pipe)
        await world.ask(r"a\010b\000\"\255.example.")
        world.upstream.answer(r"a\010b\000\"\255.example. 60 A 192.0.2.1")
        await world.ask("version.bind.", "TXT", rdclass="CH")
        await settle()
        await queries.write()

    in_a_world(pipe, tell)
    first, second = sorted(pipe.lines(), key=lambda line: str(line.get("class")), reverse=True)
    assert first["name"] == r"a\010b\000\"\255.example."
    assert (second["class"], second["outcome"]) == ("CLASS3", "local")


def test_nothing_is_written_unless_it_is_wanted(pipe: Pipe) -> None:
    async def tell(world: World) -> None:
        queries = log_of(world, pipe)
        queries.hub.remove(queries.queries)
        await world.know(A)
        await world.ask()
        await queries.write()
        assert world.fast.take_log() == NOTHING_TAKEN
        assert world.resolver.tell is None

    in_a_world(pipe, tell)
    assert pipe.lines() == []


def test_after_a_reload_both_are_logged(pipe: Pipe) -> None:
    async def tell(world: World) -> None:
        queries = log_of(world, pipe)
        waiting = await world.ask()
        await world.ask("x.ads.example.")
        await world.ask("x.ads.example.")
        other = World(groups=("main",), clock=world.clock)
        queries.hub.serve(other.fast, other.resolver)
        world.upstream.answer(A)
        await settle()
        assert not waiting.is_waiting
        await other.know(A)
        await queries.write()
        assert world.fast.take_log() == NOTHING_TAKEN
        await world.ask()
        assert world.fast.take_log() == NOTHING_TAKEN, "the old one keeps no more records"
        await other.end()

    in_a_world(pipe, tell)
    assert sorted(line["outcome"] for line in pipe.lines()) == ["blocked", "blocked", "miss", "miss"]


def test_what_finds_no_room_is_told(pipe: Pipe) -> None:
    async def tell(world: World) -> None:
        queries = log_of(world, pipe, 3)
        for number in range(5):
            await world.ask(f"n{number}.ads.example.")
        for _ in range(5):
            await world.ask("n1.ads.example.")
        await queries.write()

    in_a_world(pipe, tell)
    found = pipe.lines()
    assert [line["event"] for line in found[:-1]] == ["question"] * 6
    assert (found[-1]["level"], found[-1]["lost"]) == ("warning", 4)


def test_a_reader_that_does_not_read_holds_up_nobody(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pipe is full: answers go on, memory is bounded, and what was lost is told once somebody reads."""
    monkeypatch.setattr(querylog, "EVERY", 0.001)
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        fcntl.fcntl(pipe.write_end, fcntl.F_SETPIPE_SZ, WHOLE)
    found: list[bytes] = []

    async def tell(world: World) -> None:
        queries = log_of(world, pipe, 250)
        following = asyncio.create_task(queries.queries.follow())
        await world.know(A)
        for _ in range(3000):
            client = await world.ask()
            assert not client.is_waiting
        queries.hub.look()
        for _ in range(20):
            await asyncio.sleep(0.001)
        assert pipe.outlet.is_busy
        while b"lost" not in b"".join(found):
            found.append(pipe.octets())
            await asyncio.sleep(0.001)
        following.cancel()

    in_a_world(pipe, tell)
    lines = b"".join(found).splitlines()
    lost = next(json.loads(line)["lost"] for line in lines if b"lost" in line)
    assert 0 < lost < 3001


def test_the_end_writes_what_is_left(pipe: Pipe) -> None:
    async def tell(world: World) -> None:
        queries = log_of(world, pipe)
        await world.know(A)
        queries.hub.look()
        await queries.queries.end()
        assert not pipe.outlet.is_busy

    in_a_world(pipe, tell)
    assert len(pipe.octets().splitlines()) == 1


def test_an_outlet_writes_lines_whole_and_in_order(pipe: Pipe) -> None:
    lines = [f"{number} {'x' * (number * 37 % 900)}\n".encode() for number in range(60)]
    pipe.outlet.write(lines)
    pipe.outlet.finish(10)
    assert pipe.octets() == b"".join(lines)


def test_an_outlet_that_nobody_reads_loses_and_goes_on() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    outlet = Outlet(write_end)
    outlet.write([b"one\n"])
    outlet.finish(10)
    assert not outlet.is_busy
    os.close(write_end)


def test_text_and_json_look_like_the_other_lines() -> None:
    line = {
        "at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "level": "info",
        "event": "question",
        "name": "a.",
    }
    shown = logs.renderer("text")(dict(line))
    assert "question" in shown
    assert "name" in shown
    assert "\n" not in shown
    assert json.loads(logs.renderer("json")(dict(line)))["timestamp"] == "2026-01-02T03:04:05Z"
