"""The command: every fault in a process and a network of its own, several at a time, and a table of what was measured.

    python -m tests.faults                 # all rows; ends with 1 where one is not as promised
    python -m tests.faults tls "disk full" # those whose names hold one of these words
    python -m tests.faults --write         # all rows, and docs/faults.md anew

A row that failed beside others is played once more by itself, and that counts: what a busy machine does is no fault.
Network namespaces need root; without it nothing can be played.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from tests.faults.fault import Fault
from tests.faults.figures import Figures, table
from tests.faults.play import Play
from tests.faults.rows import FAULTS
from tests.faults.stage import Stage
from tests.servers.internet import Internet
from tests.servers.namespaces import Namespace

AT_ONCE = 6  # rows side by side
URGENT = (
    -5
)  # nice; rows mostly wait, and are to be held up by what they are about and not by their neighbours
LONGEST_ROW = 120.0  # seconds
DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"
MARK = "<!-- measured -->\n"


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("words", nargs="*", help="only the faults whose names hold one of these words")
    parser.add_argument("--write", action="store_true", help="put the table into docs/faults.md")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help="rows side by side")
    parser.add_argument("--keep", action="store_true", help="show the log of the proxy where a row failed")
    parser.add_argument("--row", help=argparse.SUPPRESS)
    return parser.parse_args()


def play(fault: Fault, keep: bool) -> Figures:
    """One fault, here and now, in a network of its own."""
    network = Internet() if fault.needs_internet else Namespace()
    with tempfile.TemporaryDirectory(prefix="smartdoh-fault-") as made, network:
        return network.run(lambda: _on_stage(fault, Path(made), network, keep))


def _on_stage(fault: Fault, directory: Path, network: Internet | Namespace, keep: bool) -> Figures:
    stage = Stage(directory, network if isinstance(network, Internet) else None)
    with ExitStack() as stack:
        stack.enter_context(stage.open)
        try:
            figures = asyncio.run(Play(fault, stage).run())
            stage.finish()
        except AssertionError as error:
            figures = Figures(fault.name, wrong=[str(error)])
        if figures.wrong and keep:
            print(stage.log, file=sys.stderr)
    return figures


def play_apart(fault: Fault, keep: bool) -> Figures:
    """One fault, in a process of its own."""
    command = [sys.executable, "-m", "tests.faults", "--row", fault.name, *(["--keep"] if keep else [])]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=LONGEST_ROW, check=False)
    except subprocess.TimeoutExpired:
        return Figures(fault.name, wrong=[f"not done in {LONGEST_ROW} s"])
    try:
        return Figures.from_json(json.loads(done.stdout.splitlines()[-1]))
    except (IndexError, json.JSONDecodeError):
        return Figures(fault.name, wrong=[f"the row itself ended with {done.returncode}"])


def play_all(faults: Sequence[Fault], at_once: int, keep: bool) -> list[Figures]:
    """The rows in their order."""

    def one(fault: Fault) -> Figures:
        figures = play_apart(fault, keep)
        tell(figures)
        return figures

    with ThreadPoolExecutor(at_once) as pool:
        found = list(pool.map(one, faults))
    for number, fault in enumerate(faults):
        if found[number].wrong and at_once > 1:
            found[number] = one(fault)
    return found


def tell(figures: Figures) -> None:
    """A line for a row that is done, and what was wrong with it."""
    print(" | ".join(figures.cells()), flush=True)
    for wrong in figures.wrong:
        print(f"    {wrong}", flush=True)


def write(rows: Sequence[Figures]) -> None:
    """The table into the document, in place of the one that is there."""
    before, _, _ = DOCUMENT.read_text("utf-8").partition(MARK)
    DOCUMENT.write_text(f"{before}{MARK}\n{table(rows)}\n", "utf-8")


def main() -> int:
    """Play what was asked for."""
    options = arguments()
    if os.geteuid() != 0:
        print("nothing played: network namespaces need root", file=sys.stderr)
        return int(os.environ.get("CI") == "true")
    if options.row is not None:
        [fault] = [fault for fault in FAULTS if fault.name == options.row]
        print(json.dumps(play(fault, options.keep).as_json()))
        return 0
    os.nice(URGENT)
    words = [word.lower() for word in options.words]
    faults = [fault for fault in FAULTS if not words or any(word in fault.name.lower() for word in words)]
    began = time.monotonic()
    rows = play_all(faults, options.at_once, options.keep)
    if options.write:
        write(rows)
    failed = [row.name for row in rows if row.wrong]
    print(
        f"{len(rows)} faults in {time.monotonic() - began:.0f} s; not as promised: {', '.join(failed) or 'none'}"
    )
    return int(bool(failed) or not rows)


if __name__ == "__main__":
    sys.exit(main())
