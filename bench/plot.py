"""The picture of a run for the README."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.results import Results
from bench.targets import OURS

OUR_COLOUR = "#2563eb"
PEER_COLOUR = "#94a3b8"
PANELS = (  # scenario, metric, title
    ("hit", "rate", "cached answers a second"),
    ("miss", "rate", "forwarded over DoH, answers a second"),
    ("hit", "cpu_us", "CPU of a cached answer, µs"),
    ("miss", "cpu_us", "CPU of a forwarded answer, µs"),
)


def _panel(axes: Axes, title: str, bars: dict[str, tuple[float, float, float]]) -> None:
    labels = list(reversed(bars))
    medians = [bars[label][0] for label in labels]
    below = [bars[label][0] - bars[label][1] for label in labels]
    above = [bars[label][2] - bars[label][0] for label in labels]
    colours = [OUR_COLOUR if label == OURS else PEER_COLOUR for label in labels]
    drawn = axes.barh(labels, medians, color=colours, xerr=[below, above], ecolor="#334155", capsize=2)
    axes.bar_label(drawn, labels=[f" {value:,.0f}" if value >= 100 else f" {value:.1f}" for value in medians])
    axes.set_title(title, loc="left", fontsize=10)
    axes.set_xlim(0, 1.25 * max(bars[label][2] for label in labels))
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.set_xticks([])


def draw(results: Results, path: Path) -> bool:
    """Writes the PNG; false where the run has none of its panels."""
    panels = [panel for panel in PANELS if _bars(results, *panel[:2])]
    if not panels:
        return False
    rows = (len(panels) + 1) // 2
    figure = Figure(figsize=(10, 2.3 * rows + 0.5), layout="tight")
    grid = figure.subplots(rows, 2, squeeze=False)
    for axes in grid.flat:
        axes.set_visible(False)
    for axes, (scenario, key, title) in zip(grid.flat, panels, strict=False):
        axes.set_visible(True)
        _panel(axes, title, _bars(results, scenario, key))
    environment = results.environment
    figure.suptitle(
        f"{environment.cpu}, {environment.cores} cores, {results.date}; each server on one core", fontsize=9
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    return True


def _bars(results: Results, scenario: str, key: str) -> dict[str, tuple[float, float, float]]:
    found = results.scenarios.get(scenario)
    if found is None:
        return {}
    return {
        contender: (figures[key].median, figures[key].low, figures[key].high)
        for contender, figures in found.figures.items()
    }
