"""All storms, one after the other, and a table. `python -m bench.storms [--long] [--write FILE]`.

The long form has each of them for minutes, and then half an hour of all of them with faults at random. Exits 1 where a
bar was not met.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from time import monotonic

from bench.storms import streams
from bench.storms.faults import Faults
from bench.storms.kinds import IDLE, STAYS, STORMS, Row, weathered
from bench.storms.server import Server, stormed
from bench.workspace import own_workspace

SHORT = {"2,000 random names a second": 20.0, "a reload each second": 10.0}
LONG = {"2,000 random names a second": 600.0, "a reload each second": 300.0}
SECONDS, LONG_SECONDS = 6.0, 30.0  # of every other
ALL_OF_IT = 1800.0
BEGIN, END = "<!-- storms -->\n", "<!-- end -->\n"
HEADS = ("storm", "what it did", "p99 of known names", "lost", "memory grew", "and stays", "descriptors", "")


def rows(server: Server, *, is_long: bool) -> Iterator[Row]:
    """Every storm in turn."""
    server.normal_use(1.0)
    normal = sorted(1e3 * server.normal_use(2.0).latency(0.99) for _ in range(3))[1]
    yield Row("none", "1,000 questions a second", normal, 0, 0, 0, 0, ())
    for name in STORMS:
        lengths, other = (LONG, LONG_SECONDS) if is_long else (SHORT, SECONDS)
        yield weathered(server, name, lengths.get(name, other), normal)
    if is_long:
        yield from _all_of_it(server, normal)


def _all_of_it(server: Server, normal: float) -> Iterator[Row]:
    """Storms at random with faults at random; then once more how things are without them."""
    lots, ended = Random(), monotonic() + ALL_OF_IT
    before = server.state()
    with Faults(server, lots) as faults:
        while monotonic() < ended:
            row = weathered(server, lots.choice(list(STORMS)), lots.uniform(5.0, 30.0), normal)
            print(_line(row), file=sys.stderr, flush=True)
    after, use = server.settled(before), server.normal_use(5.0)
    stays, more = after.resident - before.resident, after.descriptors - before.descriptors
    wrong = [f"{use.lost} lost"] if use.lost else []
    wrong += [f"memory grew by {stays / 1e6:.0f} MB"] if stays > STAYS else []
    p99, told = 1e3 * use.latency(0.99), f"{ALL_OF_IT / 60:.0f} min, {faults.count} faults"
    yield Row("all at random, then none", told, p99, use.lost, stays, stays, more, tuple(wrong))


def table(found: list[Row]) -> str:
    """The rows as Markdown."""
    lines = ["| " + " | ".join(HEADS) + " |", "| --- | --- | --: | --: | --: | --: | --: | --- |"]
    return "\n".join([*lines, *map(_line, found)]) + "\n"


def _line(row: Row) -> str:
    cells = (
        row.name,
        row.told,
        f"{row.p99_ms:.2f} ms",
        str(row.lost),
        f"{row.grew / 1e6:.1f} MB",
        f"{row.stays / 1e6:.1f} MB",
        f"{row.descriptors:+}",
        "; ".join(row.wrong) or "held",
    )
    return "| " + " | ".join(cells) + " |"


def write(page: Path, found: list[Row]) -> None:
    """Put the table into its place in a document."""
    text = page.read_text("utf-8")
    head, _, rest = text.partition(BEGIN)
    page.write_text(head + BEGIN + table(found) + END + rest.partition(END)[2], "utf-8")


def main() -> int:
    """Storm; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.storms")
    parser.add_argument(
        "--long", action="store_true", help="minutes each, and half an hour of all with faults"
    )
    parser.add_argument("--write", type=Path, help="the document that gets the table")
    wanted = parser.parse_args()
    streams.allow_descriptors(IDLE)
    found = []
    with own_workspace() as workspace, stormed(workspace) as server:
        for row in rows(server, is_long=wanted.long):
            print(_line(row), flush=True)
            found.append(row)
    if wanted.write is not None:
        write(wanted.write, found)
    return 1 if any(row.wrong for row in found) else 0


if __name__ == "__main__":
    sys.exit(main())
