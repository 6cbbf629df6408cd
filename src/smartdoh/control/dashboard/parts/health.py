"""How upstreams do, in a word and a colour."""

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


def upstream_key(group: str, name: str) -> str:
    """One upstream in one group, as a row's key."""
    return f"{group} {name}"
