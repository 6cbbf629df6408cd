"""The picture of a run for the README."""

from collections.abc import Callable
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.peers import LIMIT, OURS, TWIN
from bench.results import Results

COLOURS = {OURS: "#2563eb", TWIN: "#93c5fd", LIMIT: "#f59e0b"}
PEER_COLOUR = "#94a3b8"
INK = "#334155"
NAMES = {"hit-7": "7", "hit": "1,000", "hit-zipf": "100,000\nZipf", "hit-million": "1,000,000"}
MARKS = "os^Dvp*X"

Panel = Callable[[Axes, Results], bool]
"""Draws into the axes; false where the run has nothing to draw."""


def _colour(contender: str) -> str:
    return COLOURS.get(contender, PEER_COLOUR)


def _label(contender: str) -> str:
    return "the limit" if contender == LIMIT else contender


def _medians(results: Results, scenario: str, key: str) -> dict[str, float]:
    found = results.scenarios.get(scenario)
    return {} if found is None else {name: figures[key].median for name, figures in found.figures.items()}


def _strip(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=10)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.set_xticks([])


def _rate(scenario: str, title: str) -> Panel:
    """Bars with the lowest and the highest round as whiskers."""

    def draw_rate(axes: Axes, results: Results) -> bool:
        found = results.scenarios.get(scenario)
        if found is None or not found.figures:
            return False
        names = list(reversed(found.figures))
        figures = [found.figures[name]["rate"] for name in names]
        whiskers = [
            [figure.median - figure.low for figure in figures],
            [figure.high - figure.median for figure in figures],
        ]
        medians = [figure.median for figure in figures]
        colours = [_colour(name) for name in names]
        bars = axes.barh([*map(_label, names)], medians, color=colours, xerr=whiskers, ecolor=INK, capsize=2)
        axes.bar_label(bars, labels=[f" {median:,.0f}" for median in medians])
        axes.set_xlim(0, 1.25 * max(figure.high for figure in figures))
        _strip(axes, title)
        return True

    return draw_rate


def _cpu(scenario: str, title: str) -> Panel:
    """Bars of user time, dark, and system time behind it."""

    def draw_cpu(axes: Axes, results: Results) -> bool:
        total, user = _medians(results, scenario, "cpu_us"), _medians(results, scenario, "user_us")
        if not total:
            return False
        names = list(reversed(total))
        labels, colours = [*map(_label, names)], [_colour(name) for name in names]
        bars = axes.barh(labels, [total[name] for name in names], color=colours, alpha=0.45)
        axes.barh(labels, [user[name] for name in names], color=colours)
        axes.bar_label(bars, labels=[f" {total[name]:.2f}" for name in names])
        axes.set_xlim(0, 1.25 * max(total.values()))
        _strip(axes, f"{title} (dark: user time)")
        return True

    return draw_cpu


def _sizes(axes: Axes, results: Results) -> bool:
    """CPU time of a hit by how many names there are: what a cache that no longer fits the processor's costs."""
    columns = {name: _medians(results, name, "cpu_us") for name in NAMES if name in results.scenarios}
    if len(columns) < 2:
        return False
    ticks = [NAMES[name] for name in columns]
    contenders = dict.fromkeys(name for found in columns.values() for name in found)
    for mark, contender in zip(MARKS, contenders, strict=False):
        points = [found.get(contender, float("nan")) for found in columns.values()]
        axes.plot(ticks, points, marker=mark, color=_colour(contender), label=_label(contender), markersize=5)
    axes.set_ylim(bottom=0)
    axes.set_title("CPU of a cached answer, µs, by the number of names", loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=7, frameon=False, ncols=2)
    return True


PANELS: tuple[Panel, ...] = (
    _rate("hit", "cached answers a second"),
    _cpu("hit", "CPU of a cached answer, µs"),
    _rate("miss", "forwarded over DoH, answers a second"),
    _cpu("miss", "CPU of a forwarded answer, µs"),
    _rate("hit-tcp", "cached answers a second over TCP, pipelined"),
    _sizes,
)


def draw(results: Results, path: Path) -> bool:
    """Writes the PNG; false where the run has none of its panels."""
    figure = Figure(figsize=(10, 7.8), layout="tight")
    grid = figure.subplots(3, 2, squeeze=False)
    drawn = 0
    for panel in PANELS:
        drawn += panel(grid.flat[drawn], results)
    if not drawn:
        return False
    for axes in grid.flat[drawn:]:
        axes.set_visible(False)
    figure.suptitle(f"{results.environment.machine}, {results.date}; each server on one core", fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    return True
