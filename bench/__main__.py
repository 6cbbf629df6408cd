"""The command line of the benchmarks: `python -m bench`."""

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.compare import compare
from bench.configs import SEARCH_PATH
from bench.errors import BenchError
from bench.history import LOCAL, comparable, newest
from bench.markdown import render
from bench.peers import Peer, from_command, installed
from bench.plot import draw
from bench.report import make_console, print_changes, print_targets
from bench.results import FOLDER, Results, default_name, load_results
from bench.run import run
from bench.scenarios.base import Scenario
from bench.scenarios.order import FULL, SCENARIOS
from bench.workspace import NORMAL, QUICK, Lengths, own_workspace

PLOT = Path(__file__).parent.parent / "docs" / "img" / "benchmarks.png"
NEEDED = {"dnsperf": "dnsperf", "dnsdist": "dnsdist", "taskset": "util-linux"}


def _check_programs() -> None:
    for program, package in NEEDED.items():
        if shutil.which(program, path=SEARCH_PATH) is None:
            raise BenchError(f"{program} is missing: install Debian's package {package}")


def _chosen(names: list[str], *, full: bool) -> list[Scenario]:
    known = {scenario.name: scenario for scenario in (*SCENARIOS, *FULL)}
    for name in names:
        if name not in known:
            raise BenchError(f"no scenario is called {name!r}; there are {', '.join(known)}")
    if names:
        return [scenario for scenario in known.values() if scenario.name in names]
    return [*known.values()] if full else [*SCENARIOS]


def _measure(scenarios: list[Scenario], peers: list[Peer], rounds: int, lengths: Lengths) -> Results:
    console = make_console()
    with own_workspace(lengths) as workspace:
        return run(console, workspace, scenarios, peers, rounds)


Scenarios = Annotated[list[str] | None, typer.Argument(help="Only these scenarios.")]
Rounds = Annotated[int, typer.Option(min=1, help="Rounds; the contenders take turns in each.")]
Quick = Annotated[bool, typer.Option("--quick", help="One short round: a look, not a measurement.")]
Full = Annotated[
    bool, typer.Option("--full", help=f"Also {', '.join(scenario.name for scenario in FULL)}: minutes each.")
]
Servers = Annotated[list[str] | None, typer.Option("--server", help="Only this server (repeatable).")]
Others = Annotated[
    list[str] | None,
    typer.Option(
        "--peer",
        help="One more: name='start command' with {port} {upstream_port} {plain_port} {dir} {ca_file}.",
    ),
]
Compare = Annotated[
    bool,
    typer.Option("--compare", help="Measure nothing: compare the newest results with the committed ones."),
]
Against = Annotated[
    Path | None, typer.Option(help="Compare with this file of results, not with the last committed one.")
]
Output = Annotated[Path | None, typer.Option(help="Where the JSON goes; Markdown goes beside it.")]
Plot = Annotated[
    bool | None, typer.Option(help="Draw the README's picture; of itself only a whole run does.")
]


def _bench(
    scenarios: Scenarios = None,
    *,
    rounds: Rounds = 5,
    quick: Quick = False,
    full: Full = False,
    servers: Servers = None,
    others: Others = None,
    compare: Compare = False,
    against: Against = None,
    output: Output = None,
    plot: Plot = None,
) -> None:
    """Measures smartdoh beside the DNS servers that are installed, all on loopback."""
    before = comparable(against)
    if compare:
        _compare_newest(before)
        return
    _check_programs()
    peers = installed(servers or []) + [from_command(text) for text in others or []]
    lengths, rounds = (QUICK, 1) if quick else (NORMAL, rounds)
    results = _measure(_chosen(scenarios or [], full=full), peers, rounds, lengths)
    print_targets(make_console(), results)
    is_whole = not (quick or scenarios or servers)
    _keep(results, before, output or FOLDER / f"{'' if is_whole else LOCAL}{default_name(results)}")
    if plot or (plot is None and is_whole):
        _draw(results)


def _compare_newest(before: Results | None) -> None:
    if before is None:
        raise BenchError("no results are committed: name a file with --against")
    path = newest()
    results = load_results(path)
    print(f"results: {path}")
    print_changes(make_console(), before, compare(before, results))


def _keep(results: Results, before: Results | None, path: Path) -> None:
    """Short runs and those of a part go to a name that git ignores."""
    comparison = None if before is None else compare(before, results)
    if before is not None and comparison is not None:
        print_changes(make_console(), before, comparison)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(results.to_json())
    path.with_suffix(".md").write_text(render(results, before, comparison))
    print(f"results: {path} and {path.with_suffix('.md').name}")


def _draw(results: Results) -> None:
    if draw(results, PLOT):
        print(f"plot: {PLOT}")


def main() -> None:
    app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    app.command()(_bench)
    try:
        app()
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
