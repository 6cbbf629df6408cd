"""`smartdoh leaks`: for each list whether any name of it was sent outside of its group, worked out here."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console

from smartdoh.app.leaks.find import groups_of
from smartdoh.app.leaks.report import report
from smartdoh.config import Settings
from smartdoh.control import tables
from smartdoh.control.api.lists import known

COLUMNS = ("name", "group", "upstream", "times", "first", "last", "since the list changed")


def show(settings: Settings, name: str, limit: int, *, as_json: bool) -> None:
    """Print them. Raises ConfigError where there is no ledger or no such list."""
    names = [known(name, settings.lists)] if name else _used(settings)
    found = [report(settings, one, limit) for one in names]
    if as_json:
        print(json.dumps({"lists": found}, ensure_ascii=False))
        return
    console = tables.console()
    if not found:
        console.print("no rule uses a list")
    for one in found:
        _show(one, console)


def _used(settings: Settings) -> list[str]:
    return [name for name in settings.lists if groups_of(settings, name) is not None]


def _show(found: dict[str, Any], console: Console) -> None:
    where = f"whose names are for group {found['group']}" if found["group"] else "whose names are blocked"
    since = f"since {found['since']}" if found["since"] else "so far"
    head = (
        f"list {found['list']}, {where}: "
        f"{found['listed']} of {found['names']} names that were sent {since} are on it"
    )
    console.print(head, markup=False, style="bold")
    if not found["leaked"]:
        console.print("none of them was sent elsewhere", style="green")
        return
    title = f"sent elsewhere; the list last changed {found['changed']}"
    tables.show(title, COLUMNS, map(_row, found["leaked"]), to=console)
    if found["left_off"]:
        console.print(f"and {found['left_off']} more: --limit", markup=False)


def _row(leak: dict[str, Any]) -> tuple[str, ...]:
    return (
        leak["name"],
        leak["group"],
        leak["upstream"],
        str(leak["count"]),
        leak["first"],
        leak["last"],
        "yes" if leak["since_change"] else "no, before",
    )
