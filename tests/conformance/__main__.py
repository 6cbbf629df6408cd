"""The rows against any server: smartdoh and its peers, or one that is running somewhere.

python -m tests.conformance                            smartdoh
python -m tests.conformance --peers --write            and its peers, into docs/conformance.md
python -m tests.conformance --host H --port P          a running server: the rows that need no upstream
... --host H --port P --forwards                       one that can be told whom to ask: says where the scripted
                                                       upstream is, waits for Enter, and asks the rows that need it
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from smartdoh import __version__
from tests.conformance import report
from tests.conformance.checks import Result, collect, run
from tests.conformance.peers import PEERS
from tests.conformance.results import Run, save
from tests.conformance.rows import Row, load
from tests.conformance.stage import OURS, Stage, stage
from tests.conformance.world import NotApplicable, World

PURE = "SMARTDOH_PURE_PYTHON"
PACKAGES = {"dnsmasq": "dnsmasq-base"}


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.conformance", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("rows", nargs="*", help="keys of rows; by default all")
    parser.add_argument("--peers", nargs="*", metavar="PEER", help=f"also {', '.join(PEERS)}, or those named")
    parser.add_argument("--host", help="a server that is running, by its address")
    parser.add_argument("--port", type=int, default=53)
    parser.add_argument(
        "--name", default="example.com.", help="one with an address, where there is no upstream"
    )
    parser.add_argument("--upstream", type=int, default=0, help="the port of the scripted upstream's DoH")
    parser.add_argument(
        "--forwards", action="store_true", help="the server at --host asks the scripted upstream"
    )
    parser.add_argument("--python", action="store_true", help="smartdoh's build in Python")
    parser.add_argument(
        "--write",
        action="store_true",
        help="keep the results, and make docs/conformance.md of all that is kept",
    )
    options = parser.parse_args()
    if options.host and options.write:
        parser.error("--write is for servers that are started here")
    return options


def held_to(rows: Sequence[Row], world: World) -> dict[str, Result]:
    """What came of each row."""
    checks = collect()
    results = {}
    for row in rows:
        found = (
            run(checks[row.key], world) if row.key in checks else Result("n.a.", ("no row for a forwarder",))
        )
        results[row.key] = found
        print(
            f"{world.kind:9} {found.verdict:5} {row.level:4} {row.key:24} {'; '.join(found.details)}",
            flush=True,
        )
    return results


def worlds(options: argparse.Namespace, on: Stage) -> list[World]:
    """The servers to be asked."""
    if options.host:
        print(f"upstream: {on.doh.url} and plain {on.plain.address}, certificate {on.authority.ca_file}")
        if options.forwards:
            input("press Enter when the server asks it ")
        return [on.remote(options.host, options.port, options.name, forwards_here=options.forwards)]
    names = [] if options.peers is None else options.peers or list(PEERS)
    found = [on.world(OURS)]
    for name in names:
        try:
            found.append(on.world(name))
        except NotApplicable as reason:
            print(f"{name}: {reason}")
    return found


def version(kind: str) -> str:
    """The version of a server, of its Debian package."""
    if kind == OURS:
        return __version__
    command = ["dpkg-query", "-W", "-f", "${Version}", PACKAGES.get(kind, kind)]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        return ""


def main() -> int:
    """Whether every row that binds smartdoh, or the server asked for, passed."""
    options = arguments()
    rows = [row for row in load() if not options.rows or row.key in options.rows]
    env = {PURE: str(int(options.python))}
    with tempfile.TemporaryDirectory() as made, stage(Path(made), options.upstream, env) as on:
        results = {world.kind: held_to(rows, world) for world in worlds(options, on)}
    if options.write:
        kept = save({kind: Run(version(kind), found) for kind, found in results.items()})
        report.DOCUMENT.write_text(report.render(load(), kept), "utf-8")
    first = next(iter(results.values()))
    return int(any(first[row.key].verdict == "fail" and not row.exception for row in rows))


if __name__ == "__main__":
    sys.exit(main())
