"""Lists: how long it takes to compile and to open them, what they weigh, and what a router takes to ask them.

By itself, with the figures to reach: `python -m bench.scenarios.rules`. SMARTDOH_DATA names the folder of the real
lists (gfwlist.txt, accelerated-domains.china.conf, adservers.hosts); without it, made-up ones of the same sizes.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

from bench.peers import Peer
from bench.scenarios.base import Measure, Metric, Reading, Scenario
from bench.workspace import Workspace
from smartdoh.config.settings import ListFormat, Rule
from smartdoh.model import Query
from smartdoh.rules.lists import NameSet, open_list
from smartdoh.rules.lists.dialects import DIALECTS
from smartdoh.rules.lists.source import read
from smartdoh.rules.router import Router
from smartdoh.wire.names import from_text

MILLION = 1_000_000
QUESTIONS = 20_000  # of each kind
PASSES = 5  # over the questions; the fastest counts
TOP_LEVELS = ("com", "net", "org", "cn", "de", "io", "co.uk")

REAL: tuple[tuple[ListFormat, str, str, int], ...] = (
    ("autoproxy", "gfwlist.txt", "||{}\n", 4_300),
    ("dnsmasq", "accelerated-domains.china.conf", "server=/{}/192.0.2.53\n", 110_769),
    ("hosts", "adservers.hosts", "0.0.0.0 {}\n", 42_000),
)

HIT = Metric("hit_us", "a name that is on one", "µs", digits=2)
MISS = Metric("miss_us", "a name on none", "µs", digits=2)
COMPILE = Metric("compile_s", "compiled in", "s", digits=2)
OPEN = Metric("open_ms", "opened in", "ms", digits=2)
RESIDENT = Metric("resident_mb", "resident", "MB")
DISK = Metric("disk_mb", "on disk", "MB")

TARGETS = {
    "three lists": {"hit_us": 5.0, "miss_us": 5.0},
    "a million names": {
        "hit_us": 8.0,
        "miss_us": 8.0,
        "compile_s": 5.0,
        "open_ms": 50.0,
        "resident_mb": 60.0,
    },
}

List = tuple[ListFormat, Path]


def made_up(count: int, seed: int) -> Iterator[str]:
    """Names as lists have them: a third is below another, the rest are words and numbers."""
    chance = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    name = "example"
    for number in range(count):
        if number % 3 == 2:
            yield f"{chance.choice(('www', 'cdn', 'ads', 'img'))}{number}.{name}"
            continue
        word = "".join(chance.choices(letters, k=chance.randrange(4, 12)))
        name = f"{word}{number % 1000}.{chance.choice(TOP_LEVELS)}"
        yield name


def three_lists(folder: Path) -> list[List]:
    """The real ones where they are."""
    data = os.environ.get("SMARTDOH_DATA")
    lists: list[List] = []
    for seed, (list_format, file, line, count) in enumerate(REAL):
        path = folder / file
        if data:
            path.write_bytes(Path(data, file).read_bytes())
        else:
            path.write_text("".join(line.format(name) for name in made_up(count, seed)))
        lists.append((list_format, path))
    return lists


def million(folder: Path) -> list[List]:
    """One list of plain names."""
    path = folder / "million.txt"
    path.write_text("\n".join(made_up(MILLION, 9)) + "\n")
    return [("domains", path)]


CONTENDERS = {"three lists": three_lists, "a million names": million}


def measure(name: str, folder: Path, _round: int = 0) -> Reading:
    """Each step in a process of its own: the compiler's memory is not the server's."""
    lists = CONTENDERS[name](folder)
    reports = [
        _run("smartdoh.rules.lists", str(path), list_format, f"{path}.out") for list_format, path in lists
    ]
    asked = _run("bench.scenarios.rules", "ask", *(f"{list_format}={path}" for list_format, path in lists))
    return {
        "compile_s": sum(report["seconds"] for report in reports),
        "disk_mb": sum(report["size"] for report in reports) / 1e6,
        **asked,
    }


def _run(module: str, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", module, *arguments]
    found: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return found


def ask(arguments: list[str]) -> Reading:
    """Open the lists, go once through many names, and time a router that has a rule for each."""
    lists = [
        (cast("ListFormat", list_format), Path(path))
        for list_format, _, path in (argument.partition("=") for argument in arguments)
    ]
    before = _resident()
    began = time.perf_counter()
    sets = [open_list(path, list_format, Path(f"{path}.out")) for list_format, path in lists]
    opened = time.perf_counter() - began
    for name in made_up(10 * QUESTIONS, 9):
        for names in sets:
            names.match(from_text(name))
    resident = _resident() - before
    router = _router(sets)
    hits, misses = _questions(lists)
    return {
        "open_ms": 1e3 * opened,
        "resident_mb": resident / 1e6,
        "hit_us": _time(router, hits),
        "miss_us": _time(router, misses),
    }


def _resident() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _router(sets: list[NameSet]) -> Router:
    """Rules for a few names of the user's, then one for each list: the shape that most configs have."""
    own = Rule(names=("corp.example",), list=None, types=(), clients=(), group="direct", action=None)
    rules = [
        Rule(names=(), list=str(number), types=(), clients=(), group="proxy", action=None)
        for number in range(len(sets))
    ]
    return Router([own, *rules], "direct", {str(number): names for number, names in enumerate(sets)})


def _questions(lists: list[List]) -> tuple[list[Query], list[Query]]:
    """Names that are on one of the lists, in equal parts of each, and names that look alike and are on none."""
    chance = random.Random(1)
    hits = []
    for list_format, path in lists:
        plain = _plain_names(list_format, path)
        hits += [_query(name) for name in chance.sample(plain, min(QUESTIONS // len(lists), len(plain)))]
    words = (name.partition(".")[0] for name in made_up(QUESTIONS, 77))
    misses = [_query(f"www.{word}-q.{chance.choice(TOP_LEVELS)}") for word in words]
    chance.shuffle(hits)
    return hits, misses


def _plain_names(list_format: ListFormat, path: Path) -> list[str]:
    """Names of the list that stand for themselves, by the shortcut that the compiler takes, too."""
    lines, _ = read(path, list_format)
    found = map(DIALECTS[list_format].plain.fullmatch, lines)
    return [match[1].decode() for match in found if match is not None]


def _query(name: str) -> Query:
    return Query(b"", 0x0100, from_text(name), 1, 1, 0, None, 0, "127.0.0.1", b"")


def _time(router: Router, questions: list[Query]) -> float:
    """CPU microseconds a question; the fastest pass, since whatever else runs here only makes one slower."""
    passes = []
    for _ in range(PASSES):
        began = time.process_time()
        for question in questions:
            router.route(question)
        passes.append(time.process_time() - began)
    return 1e6 * min(passes) / len(questions)


@contextmanager
def _contenders(workspace: Workspace, _peers: list[Peer]) -> Iterator[dict[str, Measure]]:
    yield {name: partial(measure, name, workspace.subfolder(name.replace(" ", "-"))) for name in CONTENDERS}


SCENARIO = Scenario(
    "rules", "lists, and a router that asks them", (HIT, MISS, COMPILE, OPEN, RESIDENT, DISK), _contenders
)


def main(arguments: list[str]) -> int:
    """The figures beside the ones to reach; 1 where one is not reached."""
    if arguments[:1] == ["ask"]:
        print(json.dumps(ask(arguments[1:])))
        return 0
    missed = 0
    for name in CONTENDERS:
        with tempfile.TemporaryDirectory() as folder:
            reading = measure(name, Path(folder))
        print(name)
        for metric in SCENARIO.metrics:
            limit = TARGETS[name].get(metric.key)
            value = reading[metric.key]
            missed += limit is not None and value > limit
            asked = f"  (at most {limit:g})" if limit is not None else ""
            print(f"  {metric.title:24} {value:10.{metric.digits}f} {metric.unit}{asked}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
