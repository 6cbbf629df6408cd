"""The command line of the benchmarks: `python -m bench`."""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from bench.errors import BenchError
from bench.peers import Peer, from_command, installed
from bench.plot import draw
from bench.report import make_console, print_changes, print_targets
from bench.results import FOLDER, Results, default_name, load_results
from bench.run import run
from bench.scenarios import SCENARIOS
from bench.scenarios.base import Scenario
from bench.workspace import QUICK, Lengths, Workspace, choose_cores, issue_certificates

PLOT = Path(__file__).parent.parent / "docs" / "img" / "benchmarks.png"
NEEDED = {"dnsperf": "dnsperf", "dnsdist": "dnsdist", "taskset": "util-linux"}


def _check_programs() -> None:
    for program, package in NEEDED.items():
        if shutil.which(program, path="/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin") is None:
            raise BenchError(f"{program} is missing: install Debian's package {package}")


def _chosen(names: list[str]) -> list[Scenario]:
    known = {scenario.name: scenario for scenario in SCENARIOS}
    for name in names:
        if name not in known:
            raise BenchError(f"no scenario is called {name!r}; there are {', '.join(known)}")
    return [scenario for scenario in SCENARIOS if not names or scenario.name in names]


def _measure(scenarios: list[Scenario], peers: list[Peer], rounds: int, lengths: Lengths) -> Results:
    console = make_console()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder)
        workspace = Workspace(path, choose_cores(), issue_certificates(path), lengths)
        return run(console, workspace, scenarios, peers, rounds)


Scenarios = Annotated[list[str] | None, typer.Argument(help="Only these scenarios.")]
Rounds = Annotated[int, typer.Option(min=1, help="Rounds; the contenders take turns in each.")]
Quick = Annotated[bool, typer.Option("--quick", help="One short round: a look, not a measurement.")]
Servers = Annotated[list[str] | None, typer.Option("--server", help="Only this server (repeatable).")]
Others = Annotated[
    list[str] | None,
    typer.Option(
        "--peer",
        help="One more: name='start command' with {port} {upstream_port} {plain_port} {dir} {ca_file}.",
    ),
]
Before = Annotated[Path | None, typer.Option(help="Say what got slower since this file of results.")]
Output = Annotated[Path | None, typer.Option(help="Where the JSON goes.")]
Plot = Annotated[
    bool | None, typer.Option(help="Draw the README's picture; of itself only a whole run does.")
]


def _bench(
    scenarios: Scenarios = None,
    *,
    rounds: Rounds = 3,
    quick: Quick = False,
    servers: Servers = None,
    others: Others = None,
    compare: Before = None,
    output: Output = None,
    plot: Plot = None,
) -> None:
    """Measures smartdoh beside the DNS servers that are installed, all on loopback."""
    before = load_results(compare) if compare else None
    _check_programs()
    peers = installed(servers or []) + [from_command(text) for text in others or []]
    lengths, rounds = (QUICK, 1) if quick else (Lengths(), rounds)
    results = _measure(_chosen(scenarios or []), peers, rounds, lengths)
    console = make_console()
    print_targets(console, results)
    if before is not None:
        print_changes(console, before, results)
    is_whole = not (quick or scenarios or servers)
    _keep(results, output, is_whole=is_whole)
    if plot or (plot is None and is_whole):
        _draw(results)


def _keep(results: Results, output: Path | None, *, is_whole: bool) -> None:
    """Short runs and those of a part go to a name that git ignores."""
    path = output or FOLDER / f"{'' if is_whole else 'local-'}{default_name(results)}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(results.to_json())
    print(f"results: {path}")


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
