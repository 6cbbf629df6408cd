"""Questions as rows: who asked what, what became of it and why, and what can be done about it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from smartdoh.control.dashboard.frame import Page
from smartdoh.control.dashboard.parts import numbers
from smartdoh.control.dashboard.parts.rows import Action, Kind


def columns(page: Page) -> list[tuple[str, str, Kind]]:
    """Their headings."""
    t = page.t
    return [
        ("at", t("column.time"), "time"),
        ("name", t("column.name"), "name"),
        ("type", t("column.type"), "text"),
        ("client", t("column.client"), "text"),
        ("outcome", t("column.outcome"), "text"),
        ("why", t("column.why"), "text"),
        ("ms", t("column.took"), "number"),
        ("do", "", "actions"),
    ]


def actions(page: Page) -> list[Action]:
    """What can be done with a name."""
    t = page.t
    return [
        Action(act="block", label=t("act.block"), icon="block"),
        Action(act="allow", label=t("act.allow"), icon="check_circle"),
        Action(act="route", label=t("act.route"), icon="alt_route"),
        Action(act="explain", label=t("act.explain"), icon="help_outline"),
    ]


def row(page: Page, key: str, question: dict[str, Any], buttons: list[Action]) -> dict[str, Any]:
    """One."""
    outcome, name, client = question["outcome"], question["name"], question["client"]
    rcode = question["rcode"]
    took = question.get("ms")
    return {
        "key": key,
        "about": plain(name),
        "at": {"text": question["at"]},
        "name": {"text": plain(name), "href": "/queries?" + urlencode({"name": name})},
        "type": question["type"],
        "client": {"text": client, "href": "/queries?" + urlencode({"client": client})} if client else "",
        "outcome": {
            "text": page.t(f"outcome.{outcome}"),
            "chip": outcome,
            **({} if rcode == "NOERROR" else {"note": rcode}),
        },
        "why": why(page, question),
        "ms": None if took is None else numbers.ms(took),
        "actions": buttons,
    }


def plain(name: str) -> str:
    """A name as people write it."""
    return name.removesuffix(".") or name


def why(page: Page, question: dict[str, Any]) -> dict[str, Any] | str:
    """What decided, or who answered."""
    listed = question.get("list", "")
    if listed:
        return {
            "text": f"{listed}, {page.t('why.line', line=question['line'])}",
            "note": question.get("rule", ""),
        }
    if question.get("upstream"):
        return {"text": question["upstream"], "note": question.get("group", "")}
    return str(question.get("rule", "") or question.get("group", ""))
