"""Filling a cache on disk the way the server does: parsed questions, scanned answers, both levels, written behind."""

import asyncio
import gc
import time
from pathlib import Path
from typing import NamedTuple

from bench.errors import BenchError
from bench.upstreams import ANSWER_RECORD, RESPONSE_FLAGS
from smartdoh import config
from smartdoh.app.build import build
from smartdoh.app.disk import open_disk
from smartdoh.app.loop import run
from smartdoh.app.server import GC_THRESHOLDS
from smartdoh.model import Answer, Query
from smartdoh.tasks import Tasks
from smartdoh.wire.answer import scan_answer
from smartdoh.wire.question import parse_query

GROUP = "direct"
TURN = 64  # answers between two turns of the event loop
MOST_WAITING = 40_000  # answers that wait to be written before the next ones are made: none shall be dropped
QUESTION = b"\0\0\x01\0\0\x01\0\0\0\0\0\0%b\0\x01\0\x01"
ANSWER = b"\0\0%b\0\x01\0\x01\0\0\0\0%%b\0\x01\0\x01%b" % (RESPONSE_FLAGS, ANSWER_RECORD)
ZONES = 5000


class Filled(NamedTuple):
    """How it went."""

    seconds: float  # until all was committed
    cpu_seconds: float  # of all threads
    answers: int


def name_of(number: int) -> str:
    """Names of 26 characters in 5,000 zones, in no order."""
    scattered = _scattered(number)
    return f"w{scattered:08x}.z{scattered % ZONES:04d}.example.com"


def _scattered(number: int) -> int:
    """Another number of 32 bits for each (the end of MurmurHash3): an even spread would split all pages at once."""
    number = (number ^ number >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    number = (number ^ number >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return number ^ number >> 16


def _wire_name(number: int) -> bytes:
    """The same as on the wire; made by hand, for it is not what is measured."""
    scattered = _scattered(number)
    return b"\x09w%08x\x05z%04d\x07example\x03com\0" % (scattered, scattered % ZONES)


def answered(number: int) -> tuple[Query, Answer]:
    """A question, and what an upstream says to it, both read as they are when they come from outside."""
    name = _wire_name(number)
    query, wire = parse_query(QUESTION % name), ANSWER % name
    return query, Answer(wire, scan_answer(wire, query), "127.0.0.1")


def fill(config_file: Path, answers: int) -> Filled:
    """Store `answers` answers in the cache on disk of a config. Raises BenchError if not all are there then."""
    return run(_fill(config_file, answers))


async def _fill(config_file: Path, answers: int) -> Filled:
    gc.set_threshold(*GC_THRESHOLDS)
    runtime = build(config.load(config_file, {}), Tasks(_report), open_disk)
    disk, resolver = runtime.disk, runtime.resolver
    if disk is None:
        raise BenchError("the config keeps nothing on disk")
    route = None
    started, cpu = time.perf_counter(), time.process_time()
    for number in range(answers):
        query, answer = answered(number)
        route = route or runtime.decisions.route(query)
        resolver.keep(query, route, answer)
        if number % TURN == 0:
            await asyncio.sleep(0)
            while disk.statistics().waiting > MOST_WAITING:
                await asyncio.to_thread(disk.settle, 1)
    await asyncio.to_thread(disk.settle, 60)
    filled = Filled(time.perf_counter() - started, time.process_time() - cpu, answers)
    counts = disk.statistics()
    await runtime.aclose()
    await asyncio.to_thread(disk.close, 60)
    if counts.entries < answers:
        raise BenchError(f"{counts.entries:,} of {answers:,} answers are on disk: {counts}")
    return filled


def _report(name: str, error: BaseException) -> None:
    raise BenchError(f"{name}: {error}")
