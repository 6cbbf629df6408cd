"""What was measured through one fault, the bars it is held to, and the table of all."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.faults.asking import Heard

NOTHING = "–"
HEADINGS = (
    "fault",
    "hot",
    "p99",
    "p99 of an echo",
    "stale",
    "slowest",
    "new answered",
    "with data",
    "slowest",
    "back",
    "CPU",
    "memory",
    "descriptors",
)


@dataclass(slots=True)
class Kind:
    """The questions of one kind: how many, how many were good, and how long they took (seconds)."""

    asked: int = 0
    honest: int = 0
    good: int = 0
    p99: float = 0.0
    slowest: float = 0.0

    @classmethod
    def of(cls, heard: Sequence[Heard]) -> Kind:
        """The sum of these."""
        if not heard:
            return cls()
        times = sorted(one.seconds for one in heard)
        return cls(
            len(heard),
            sum(one.is_honest for one in heard),
            sum(one.is_good for one in heard),
            times[min(len(times) - 1, math.ceil(len(times) * 0.99) - 1)],
            times[-1],
        )


@dataclass(slots=True)
class Figures:
    """One row."""

    name: str
    echo: Kind = field(default_factory=Kind)
    hot: Kind = field(default_factory=Kind)
    stale: Kind = field(default_factory=Kind)
    new: Kind = field(default_factory=Kind)
    back: float = math.nan  # seconds
    cpu: float = math.nan  # of one core
    memory: float = math.nan  # MiB more than before
    descriptors: int = 0  # more than before
    wrong: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Figures:
        """What as_json gave."""
        kinds = {name: Kind(**values[name]) for name in ("echo", "hot", "stale", "new")}
        return cls(**(values | kinds))

    def cells(self) -> list[str]:
        """As the table shows it."""
        return [
            self.name,
            _share(self.hot.good, self.hot.asked),
            _seconds(self.hot.p99) if self.hot.asked else NOTHING,
            _seconds(self.echo.p99) if self.echo.asked else NOTHING,
            _share(self.stale.good, self.stale.asked),
            _seconds(self.stale.slowest) if self.stale.asked else NOTHING,
            _share(self.new.honest, self.new.asked),
            _share(self.new.good, self.new.asked),
            _seconds(self.new.slowest) if self.new.asked else NOTHING,
            _seconds(self.back),
            NOTHING if math.isnan(self.cpu) else f"{self.cpu * 100:.0f}%",
            NOTHING if math.isnan(self.memory) else f"{self.memory:+.1f} MiB",
            f"{self.descriptors:+d}",
        ]


def table(rows: Iterable[Figures]) -> str:
    """All rows in Markdown."""
    lines = ["| " + " | ".join(HEADINGS) + " |", "| --- " + "| --: " * (len(HEADINGS) - 1) + "|"]
    lines += ["| " + " | ".join(row.cells()) + " |" for row in rows]
    return "\n".join(lines)


def _share(part: int, whole: int) -> str:
    if not whole:
        return NOTHING
    return "100%" if part == whole else f"{math.floor(part / whole * 1000) / 10:.1f}%"


def _seconds(value: float) -> str:
    if math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "never"
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"
