"""The tables of a run as Markdown, kept beside its JSON."""

from collections.abc import Iterable, Iterator

from bench.compare import Comparison
from bench.report import summary
from bench.results import Results, ScenarioResults
from bench.rows import (
    CHANGE_HEADS,
    CHECK_HEADS,
    LIMITED,
    Row,
    change_row,
    check_row,
    has_limited,
    heads,
    rows,
)
from bench.targets import checks


def render(results: Results, before: Results | None, comparison: Comparison | None) -> str:
    """The whole document; what it was compared with may be missing."""
    parts = [f"# Benchmarks of {results.date}", *_environment(results)]
    for name, scenario in results.scenarios.items():
        parts += _scenario(name, scenario)
    found = list(checks(results))
    if found:
        parts += ["## Figures to reach", _table(CHECK_HEADS, map(check_row, found))]
    if before is not None and comparison is not None:
        parts += ["## Changes", f"{summary(before, comparison)}."]
        if comparison.changes:
            parts.append(_table(CHANGE_HEADS, map(change_row, comparison.changes)))
    return "\n\n".join(parts) + "\n"


def _environment(results: Results) -> Iterator[str]:
    environment = results.environment
    yield (
        f"{environment.machine}, Linux {environment.kernel}, Python {environment.python}; smartdoh on its "
        f"{environment.fastpath} fast path; the load before the run was {environment.load:g}. "
        f"{results.rounds} rounds, in which the servers take turns: medians, with the lowest and the highest "
        "round in brackets; ratios are medians of the rounds' ratios."
    )
    yield ", ".join(f"{name} {version}" for name, version in environment.versions.items()) + "."


def _scenario(name: str, results: ScenarioResults) -> Iterator[str]:
    yield f"## {name}: {results.title}"
    if results.figures:
        yield _table(heads(results), rows(results))
    if has_limited(results):
        yield LIMITED.replace("*", "\\*") + "."
    if results.failures:
        yield "\n".join(
            f"- {contender} has no figures: {' '.join(why.split())}"
            for contender, why in results.failures.items()
        )


def _table(titles: list[str], found: Iterable[Row]) -> str:
    lines = [f"| | {' | '.join(titles)} |", f"| --- |{' --: |' * len(titles)}"]
    lines += [f"| {row.name} | {' | '.join(row.cells)} |".replace("*", "\\*") for row in found]
    return "\n".join(lines)
