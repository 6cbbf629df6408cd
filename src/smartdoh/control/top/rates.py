"""The rates by outcome, each with what it was in the last minutes."""

from __future__ import annotations

from collections import deque
from itertools import islice

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Sparkline, Static

from smartdoh.control.api.shapes_live import Live
from smartdoh.control.top import words

OUTCOMES = ("hit", "stale", "miss", "blocked", "local", "refused", "failed")
KEPT = 300  # seconds


class Rates(Vertical):
    """A line for each outcome."""

    def __init__(self) -> None:
        super().__init__(id="rates")
        self._past: dict[str, deque[float]] = {outcome: deque(maxlen=KEPT) for outcome in OUTCOMES}

    def compose(self) -> ComposeResult:
        """Label, rate and line."""
        for outcome in OUTCOMES:
            with Horizontal(classes="rate"):
                yield Static(f"{outcome:8}", id=f"rate-{outcome}", markup=False)
                yield Sparkline([], id=f"line-{outcome}")

    def show(self, look: Live) -> None:
        """What came now, after what came before."""
        points = [point["rate"] for point in look["history"]] or [look["rate"]]
        for outcome, past in self._past.items():
            if look["history"]:
                past.clear()
            past.extend(point.get(outcome, 0.0) for point in points)
            self.query_one(f"#rate-{outcome}", Static).update(
                f"{outcome:8}{words.rate(look['rate'].get(outcome, 0.0)):>10}"
            )
        self._draw()

    def on_resize(self) -> None:
        """The lines are as long as there is room."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        for outcome, past in self._past.items():
            line = self.query_one(f"#line-{outcome}", Sparkline)
            line.data = _seen(past, max(1, line.size.width))


def _seen(past: deque[float], width: int) -> list[float]:
    """The last of them, with nothing before the first: a column for each."""
    last = list(islice(past, max(0, len(past) - width), None))
    return [0.0] * (width - len(last)) + last
