"""Lines and areas over time, drawn by ECharts in the browser, in colours that both themes can have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nicegui import ui

from smartdoh.control.dashboard.frame import named

TONES = {
    "hit": "#14a38b",
    "stale": "#e0a526",
    "miss": "#4c8dff",
    "blocked": "#e2607a",
    "local": "#8b93a7",
    "refused": "#b085f5",
    "failed": "#d9422f",
}
LINES = ("#14a38b", "#4c8dff", "#e0a526", "#e2607a", "#b085f5", "#5fb0c9", "#d98b4f", "#8b93a7")
_GREY = "#8a94a6"
_FAINT = "rgba(138, 148, 166, 0.2)"
_CLOCK = (
    "(v) => new Date(Number(v)).toLocaleTimeString(document.documentElement.lang, "
    "{hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false})"
)


class Chart:
    """One chart. What it shows changes as a whole."""

    def __init__(self, label: str, unit: str, *, stacked: bool = False, whole: bool = False) -> None:
        """`unit` stands behind each value in the tooltip; `whole`: it counts things."""
        self._stacked = stacked
        self._element = ui.echart(_options(unit, least=1 if whole else 0)).classes("chart")
        named(self._element, role="img", **{"aria-label": label})

    def show(
        self, times: Sequence[float], series: Mapping[str, Sequence[float | None]], tones: Mapping[str, str]
    ) -> None:
        """Values by the series' name, one for each time (seconds since the epoch)."""
        options = self._element.options
        options["xAxis"]["data"] = [int(1000 * at) for at in times]
        options["series"] = [
            self._series(name, values, tones.get(name, LINES[place % len(LINES)]))
            for place, (name, values) in enumerate(series.items())
        ]
        self._element.update()

    def _series(self, name: str, values: Sequence[float | None], tone: str) -> dict[str, Any]:
        shape: dict[str, Any] = {"stack": "all", "areaStyle": {"opacity": 0.75}} if self._stacked else {}
        width = 0.5 if self._stacked else 2
        return {
            "name": name,
            "type": "line",
            "data": list(values),
            "showSymbol": False,
            "lineStyle": {"width": width},
            "itemStyle": {"color": tone},
            "emphasis": {"disabled": True},
            **shape,
        }


def _options(unit: str, least: int) -> dict[str, Any]:
    return {
        "animation": False,
        "grid": {"left": 4, "right": 12, "top": 36, "bottom": 2, "containLabel": True},
        "legend": {
            "top": 0,
            "left": 0,
            "type": "scroll",
            "icon": "roundRect",
            "itemWidth": 10,
            "itemHeight": 10,
            "textStyle": {"color": _GREY},
            "pageTextStyle": {"color": _GREY},
        },
        "tooltip": {
            "trigger": "axis",
            "confine": True,
            "renderMode": "richText",  # drawn, not made of HTML
            "order": "valueDesc",
            "backgroundColor": "#1c2430",
            "borderWidth": 0,
            "textStyle": {"color": "#e6eaf0", "fontSize": 12},
            ":valueFormatter": f"(v) => v === null || v === undefined ? '–' : Number(v).toLocaleString() + ' {unit}'",
        },
        "xAxis": {
            "type": "category",
            "boundaryGap": False,
            "data": [],
            "axisLine": {"lineStyle": {"color": _FAINT}},
            "axisTick": {"show": False},
            "axisLabel": {
                "color": _GREY,
                "hideOverlap": True,
                "alignMinLabel": "left",
                "alignMaxLabel": "right",
                ":formatter": _CLOCK,
            },
            "axisPointer": {"label": {"show": False}},
        },
        "yAxis": {
            "type": "value",
            "min": 0,
            "minInterval": least,
            "splitNumber": 4,
            "axisLabel": {"color": _GREY},
            "splitLine": {"lineStyle": {"color": _FAINT}},
        },
        "series": [],
    }
