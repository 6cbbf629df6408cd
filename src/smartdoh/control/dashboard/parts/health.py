"""How upstreams do, in a word and a colour; and which is the slowest."""

from __future__ import annotations

from typing import Any

from smartdoh.control.dashboard.frame import Page
from smartdoh.control.dashboard.parts import numbers
from smartdoh.control.dashboard.parts.rows import Cell

TONES = {"well": "good", "doubtful": "warn", "resting": "bad"}


def health_cell(page: Page, upstream: dict[str, Any]) -> Cell:
    """The health as a chip, and for how long it rests."""
    health = str(upstream["health"])
    cell = Cell(text=page.t(f"health.{health}"), chip=TONES.get(health, "calm"))
    if upstream.get("rests_s"):
        cell["note"] = page.t("health.rests", time=numbers.seconds(upstream["rests_s"]))
    return cell


def slowest(groups: list[dict[str, Any]]) -> tuple[str, str] | None:
    """Group and name of the upstream with the highest latency, where there is another to be faster."""
    known = [
        (each["latency_ms"], group["name"], each["name"])
        for group in groups
        for each in group["upstreams"]
        if each["latency_ms"] is not None
    ]
    if len(known) < 2:  # noqa: PLR2004 - one alone is neither slow nor fast
        return None
    _, group, name = max(known)
    return group, name


def upstream_key(group: str, name: str) -> str:
    """One upstream in one group, as a row's key."""
    return f"{group} {name}"
