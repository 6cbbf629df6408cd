"""The tables that a run prints."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.compare import changes
from bench.results import Figure, Results, ScenarioResults
from bench.scenarios.base import Metric
from bench.targets import OURS, checks

PIPE_WIDTH = 160  # columns, where the output is no terminal


def make_console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPE_WIDTH)


def _amount(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}"


def _cell(metric: Metric, figure: Figure) -> str:
    median = _amount(figure.median, metric.digits)
    if figure.low == figure.high:
        return median
    return f"{median} ({_amount(figure.low, metric.digits)}-{_amount(figure.high, metric.digits)})"


def _table(*columns: str, title: str = "") -> Table:
    table = Table(title=title or None, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    table.min_width = len(title)  # or a long title over a narrow table is broken
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    return table


def scenario_table(name: str, results: ScenarioResults) -> Table:
    """One line for each contender; medians, with lowest and highest round in brackets."""
    heads = [f"{metric.title}, {metric.unit}" if metric.unit else metric.title for metric in results.metrics]
    table = _table("", *heads, title=f"{name}: {results.title}")
    for contender, figures in results.figures.items():
        cells = [_cell(metric, figures[metric.key]) for metric in results.metrics]
        table.add_row(contender, *cells, style="bold" if contender == OURS else None)
    return table


def print_scenario(console: Console, name: str, results: ScenarioResults) -> None:
    console.print(scenario_table(name, results))
    for contender, why in results.failures.items():
        console.print(Text(f"  {contender} has no figures: {why}", style="red"))


def print_targets(console: Console, results: Results) -> None:
    """Figures to reach, where this run measured them."""
    table = _table("", "measured", "wanted", "", title="figures to reach")
    found = list(checks(results))
    for check in found:
        sign = "at least" if check.at_least else "at most"
        verdict = Text("reached", style="green") if check.is_reached else Text("missed", style="red")
        table.add_row(
            f"{check.scenario}: {check.what}",
            _amount(check.measured, 2),
            f"{sign} {check.limit:,.2f}",
            verdict,
        )
    if found:
        console.print(table)


def print_changes(console: Console, before: Results, after: Results) -> None:
    """What got slower, then what got faster; one line where nothing did."""
    found = sorted(changes(before, after), key=lambda change: not change.is_worse)
    if not found:
        console.print(f"no figure differs from those of {before.date} by more than noise")
        return
    table = _table("", "metric", "before", "now", "change", title=f"against {before.date}")
    for change in found:
        metric = change.metric
        table.add_row(
            f"{change.scenario}: {change.contender}",
            metric.title,
            _amount(change.before, metric.digits),
            _amount(change.after, metric.digits),
            Text(f"{change.percent:+.0f}%", style="red" if change.is_worse else "green"),
        )
    console.print(table)
