"""What a run prints on the terminal."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.compare import Comparison
from bench.peers import OURS
from bench.results import Results, ScenarioResults
from bench.rows import (
    CHANGE_HEADS,
    CHECK_HEADS,
    LIMITED,
    change_row,
    check_row,
    has_limited,
    heads,
    rows,
)
from bench.targets import checks

PIPE_WIDTH = 220  # columns, where the output is no terminal


def make_console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPE_WIDTH)


def _table(*columns: str, title: str = "") -> Table:
    table = Table(title=title or None, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    table.min_width = len(title)  # or a long title over a narrow table is broken
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", overflow="fold")
    return table


def scenario_table(name: str, results: ScenarioResults) -> Table:
    """Medians for each contender; below them, in brackets, the lowest and the highest round."""
    table = _table("", *heads(results), title=f"{name}: {results.title}")
    for row in rows(results):
        cells = [cell.replace(" (", "\n(") for cell in row.cells]
        table.add_row(row.name, *cells, style="bold" if row.name == OURS else None)
    return table


def print_scenario(console: Console, name: str, results: ScenarioResults) -> None:
    console.print(scenario_table(name, results))
    if has_limited(results):
        console.print(Text(f"  {LIMITED}", style="yellow"))
    for contender, why in results.failures.items():
        console.print(Text(f"  {contender} has no figures: {why}", style="red"))


def print_targets(console: Console, results: Results) -> None:
    """Figures to reach, where this run measured them."""
    table = _table("", *CHECK_HEADS, title="figures to reach")
    found = list(checks(results))
    for check in found:
        row = check_row(check)
        *cells, verdict = row.cells
        table.add_row(row.name, *cells, Text(verdict, style="green" if check.is_reached else "red"))
    if found:
        console.print(table)
    if any(check.is_limited for check in found):
        console.print(Text(f"  {LIMITED}", style="yellow"))


def summary(before: Results, comparison: Comparison) -> str:
    """One line: how much was compared, and how much of it is worse."""
    return (
        f"against the results of {before.date}: {comparison.compared} figures compared, "
        f"{len(comparison.worse)} worse and {len(comparison.changes) - len(comparison.worse)} better by more "
        "than the noise of both runs"
    )


def print_changes(console: Console, before: Results, comparison: Comparison) -> None:
    """What got slower, then what got faster."""
    console.print(summary(before, comparison))
    if not comparison.changes:
        return
    table = _table("", *CHANGE_HEADS)
    for change in sorted(comparison.changes, key=lambda change: not change.is_worse):
        row = change_row(change)
        *cells, percent = row.cells
        table.add_row(row.name, *cells, Text(percent, style="red" if change.is_worse else "green"))
    console.print(table)
