"""The query log: what it costs those who ask, how many lines a second it takes, and how long a search takes.

Both processes share the server's core, as they would on a small machine. `python -m bench.scenarios.querylog` runs both
scenarios by themselves.
"""

import os
import random
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from bench import configs, names
from bench.alone import measure_alone
from bench.cpu import parse_stat
from bench.errors import BenchError
from bench.load import PLAIN, Load, flood, once, quantile
from bench.memory_upstream import MemoryUpstream, memory_upstream
from bench.peers import OURS, PEERS, Peer, Site
from bench.process import Process
from bench.scenarios.base import COST, Measure, Metric, Reading, Scenario, flood_reading, serving
from bench.workspace import Workspace
from smartdoh.app.questions.log.lines import Lines, LinesSettings
from smartdoh.app.questions.log.schema import FILE
from smartdoh.app.questions.search import Wanted, search
from smartdoh.app.workers.plainlog import PlainLog
from smartdoh.fastpath.packed import UNTIMED, WAY, Packed
from smartdoh.wire.names import from_text

PROMISED = 50_000  # lines a second of which none is lost
FILL_RATE = 2_000
WRITTEN_AFTER = 10.0  # seconds in which all that was asked has to be in the log
LINES = 5_000_000
LINES_EACH = 50_000  # at a time
DISTINCT = 100_000  # names among them
CLIENTS = 50
FIRST = 1_800_000_000.0  # seconds since the epoch, of the first line
SEARCHES = 9

OWN = Metric("own_us", "of it the proxy's", "µs", digits=2)
MISSING = Metric("missing_percent", "not in the log", "%", digits=2)
COLD = Metric("cold_ms", "first", "ms", digits=1)
WARM = Metric("warm_ms", "again", "ms", digits=1)
FOUND = Metric("found", "lines found", "", digits=0, is_judged=False)


def _with_log(site: Site) -> list[str]:
    command = configs.smartdoh(site)
    config = site.folder / "smartdoh.toml"
    config.write_text(config.read_text() + '[query_log]\nenabled = true\ndir = "kept"\n')
    return command


def _ours(*, has_log: bool) -> Peer:
    (ours,) = (peer for peer in PEERS if peer.name == OURS)
    return replace(ours, name="querylog", command=_with_log) if has_log else ours


def _lines(folder: Path) -> int:
    try:
        with closing(sqlite3.connect(f"{(folder / FILE).as_uri()}?mode=ro", uri=True)) as db:
            return int(db.execute("SELECT count(*) FROM questions").fetchone()[0])
    except sqlite3.Error:
        return 0


def _settled(folder: Path, wanted: int) -> int:
    """How many lines there are once there are so many, or no more come."""
    end = time.monotonic() + WRITTEN_AFTER
    while (found := _lines(folder)) < wanted and time.monotonic() < end:
        time.sleep(0.2)
    return found


def _own_cpu(server: Process) -> float:
    return parse_stat(Path(f"/proc/{server.process.pid}/stat").read_text()).cpu_seconds


def _measure(workspace: Workspace, upstream: MemoryUpstream, peer: Peer, most: int, _round: int) -> Reading:
    listed, core, lengths = names.repeated(workspace.folder), workspace.cores.client, workspace.lengths
    log = workspace.folder / peer.name / "kept"
    shutil.rmtree(log, ignore_errors=True)
    with serving(workspace, peer, (upstream.endpoint,), over_doh=True) as (server, port):
        for _ in range(2):
            once(core, port, listed, FILL_RATE)
        before, own = _settled(log, 2 * names.REPEATED_NAMES), _own_cpu(server)
        answers: list[int] = []

        def ask() -> Load:
            load = flood(core, port, listed, lengths.flood_seconds, PLAIN, most)
            answers.append(load.answers)
            return load

        reading = flood_reading(workspace, server, upstream, ask)
        reading["own_us"] = 1e6 * (_own_cpu(server) - own) / answers[0]
        reading["missing_percent"] = 0.0
        if peer.name != OURS:
            missing = answers[0] - (_settled(log, before + answers[0]) - before)
            reading["missing_percent"] = 100 * missing / answers[0]
        return reading


@contextmanager
def _askers(workspace: Workspace, _peers: list[Peer]) -> Iterator[dict[str, Measure]]:
    with memory_upstream(workspace) as upstream:
        measure = partial(_measure, workspace, upstream)
        yield {
            "off": partial(measure, _ours(has_log=False), 0),
            "on": partial(measure, _ours(has_log=True), 0),
            f"off, {PROMISED:,}/s": partial(measure, _ours(has_log=False), PROMISED),
            f"on, {PROMISED:,}/s": partial(measure, _ours(has_log=True), PROMISED),
        }


def make_log(path: Path, lines: int = LINES) -> None:
    """A log of so many lines, names by Zipf's law, a line every 0.1 s."""
    dice = random.Random(6)
    weights = names.zipf(DISTINCT)
    wires = [from_text(f"n{number}.z{number % 1000}.example.com") for number in range(DISTINCT)]
    hosts = [bytes((192, 0, 2, number)) for number in range(CLIENTS)]
    ways = [WAY.pack(0, number % 7 == 0, 1 if number % 3 else 28, 1, 0) for number in range(21)]
    settings = LinesSettings(str(path), 0, 1 << 40, "whole", ())
    log = Lines(settings, PlainLog("warning", as_text=True))
    for start in range(0, lines, LINES_EACH):
        chosen = dice.choices(range(DISTINCT), cum_weights=weights, k=LINES_EACH)
        log.take(
            [
                Packed(
                    FIRST + (start + number) / 10,
                    UNTIMED,
                    ways[rank % 21],
                    hosts[number % CLIENTS],
                    wires[rank],
                    b"",
                )
                for number, rank in enumerate(chosen)
            ],
            0.0,
            0,
        )
        log.tick(float(start + 2), FIRST)
    log.close(FIRST)


def _forget(path: Path) -> None:
    """Have the system forget what it read of the files: the next search reads from the disk."""
    for each in path.parent.iterdir():
        descriptor = os.open(each, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def _search(path: Path, wanted: list[Wanted], _round: int) -> Reading:
    cold, warm, found = list[float](), list[float](), list[int]()
    for each in wanted:
        _forget(path)
        for times in (cold, warm):
            begun = time.perf_counter()
            found.append(len(search(path, each).lines))
            times.append(1e3 * (time.perf_counter() - begun))
    return {
        "cold_ms": quantile(cold, 0.5),
        "warm_ms": quantile(warm, 0.5),
        "found": quantile([float(count) for count in found], 0.5),
    }


def _name(rank: int) -> bytes:
    return from_text(f"n{rank}.z{rank % 1000}.example.com")


@contextmanager
def _searchers(workspace: Workspace, _peers: list[Peer]) -> Iterator[dict[str, Measure]]:
    path = workspace.subfolder("search") / FILE
    make_log(path)
    if _lines(path.parent) != LINES:
        raise BenchError("lines are missing")
    ranks = [DISTINCT * number // SEARCHES for number in range(SEARCHES)]
    last = FIRST + LINES / 10
    yield {
        "a name": partial(_search, path, [Wanted(name=_name(rank)) for rank in ranks]),
        "all names below one": partial(
            _search,
            path,
            [Wanted(name=from_text(f"z{rank % 1000}.example.com"), below=True) for rank in ranks],
        ),
        "a name that is nowhere": partial(_search, path, [Wanted(name=from_text("nowhere.example"))]),
        "the last lines of a client": partial(
            _search, path, [Wanted(client=f"192.0.2.{n}") for n in range(5)]
        ),
        "an hour of the middle": partial(
            _search,
            path,
            [Wanted(since=last - LINES / 20, until=last - LINES / 20 + 3600, limit=1000)],
        ),
        "what never was": partial(_search, path, [Wanted(outcome="stale", qtype=1, rcode=0, group="x")]),
        "a line of each hundred, all": partial(
            _search, path, [Wanted(client="192.0.2.7", qtype=28, limit=100_000)]
        ),
    }


COSTS = Scenario(
    "querylog",
    f"{names.REPEATED_NAMES:,} names, all cached, with the query log and without",
    (*COST, OWN, MISSING),
    _askers,
    bases=("off",),
)
SEARCH = Scenario(
    "querylog-search",
    f"searches in a query log of {LINES:,} lines",
    (COLD, WARM, FOUND),
    _searchers,
    most_rounds=1,
)


def main() -> None:
    """Measure both once and print."""
    measure_alone(COSTS, lambda workspace: _askers(workspace, []))
    measure_alone(SEARCH, lambda workspace: _searchers(workspace, []))


if __name__ == "__main__":
    main()
