"""The tables of a run as rows of text, for the terminal and for Markdown alike."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.compare import Change
from bench.peers import LIMIT
from bench.results import Figure, ScenarioResults
from bench.scenarios.base import RATE, Metric
from bench.targets import Check

MARK = "*"
LIMITED = f"{MARK} limited by the load generator: its core was full, and CPU time an answer is what counts"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table: whose it is, and what stands in the columns."""

    name: str
    cells: list[str]


def amount(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}"


def cell(figure: Figure, digits: int) -> str:
    """The median, with the lowest and the highest round where they differ."""
    median = amount(figure.median, digits)
    if figure.low == figure.high:
        return median
    return f"{median} ({amount(figure.low, digits)}-{amount(figure.high, digits)})"


def base_title(base: str) -> str:
    return "of the limit's" if base == LIMIT else f"of {base}'s"


def heads(results: ScenarioResults) -> list[str]:
    """The titles of the columns after the first: a metric, then its ratios."""
    found = []
    for metric in results.metrics:
        found.append(f"{metric.title}, {metric.unit}" if metric.unit else metric.title)
        if metric.has_ratio:
            found += map(base_title, results.bases)
    return found


def rows(results: ScenarioResults) -> Iterator[Row]:
    """One for each contender, in the order in which they took turns."""
    for contender, figures in results.figures.items():
        cells: list[str] = []
        for metric in results.metrics:
            cells += _cells(results, contender, metric, figures[metric.key])
        yield Row(contender, cells)


def _cells(results: ScenarioResults, contender: str, metric: Metric, figure: Figure) -> Iterator[str]:
    mark = MARK if metric.key == RATE.key and results.is_limited(contender) else ""
    yield cell(figure, metric.digits) + mark
    if metric.has_ratio:
        ratios = results.ratios.get(contender, {}).get(metric.key, {})
        yield from (amount(ratios[base].median, 2) if base in ratios else "" for base in results.bases)


def has_limited(results: ScenarioResults) -> bool:
    return any(map(results.is_limited, results.figures))


CHECK_HEADS = ["measured", "wanted", ""]


def check_row(check: Check) -> Row:
    wanted = f"{'at least' if check.at_least else 'at most'} {amount(check.limit, 2)}"
    verdict = "reached" if check.is_reached else "missed"
    return Row(
        f"{check.scenario}: {check.what}",
        [amount(check.measured, 2), wanted, verdict + (MARK if check.is_limited else "")],
    )


CHANGE_HEADS = ["metric", "before", "now", "change"]


def change_row(change: Change) -> Row:
    title = change.metric.title
    digits = 2 if change.base else change.metric.digits
    return Row(
        f"{change.scenario}: {change.contender}",
        [
            f"{title}, {base_title(change.base)}" if change.base else title,
            amount(change.before, digits),
            amount(change.after, digits),
            f"{change.percent:+.0f}%" if change.before else "new",
        ],
    )
