"""`smartdoh check`: what a config means, in words and tables."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from smartdoh.app.unused import unused
from smartdoh.config import GroupSettings, Rule, Settings, format_duration


def report(settings: Settings) -> None:
    """Print what was found; the config has been read already, so nothing here can be wrong with it."""
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"config: {settings.path or 'defaults'}", markup=False)
    console.print(f"listening on: {', '.join(map(str, settings.listen.dns))} (UDP and TCP)", markup=False)
    console.print(f"who may ask: {', '.join(map(str, settings.listen.allow))}", markup=False)
    console.print(_groups(settings))
    console.print(_rules(settings))
    for warning in (*settings.warnings, *unused(settings)):
        console.print(f"warning: {warning}", style="yellow", markup=False)
    console.print("the config is sound", style="green")


def _groups(settings: Settings) -> Table:
    table = Table("group", title="Groups", title_justify="left")
    table.add_column("upstreams", overflow="fold")
    for column in ("strategy", "timeout", "via"):
        table.add_column(column)
    for name, group in settings.groups.items():
        table.add_row(
            name, _upstreams(group), group.strategy, format_duration(group.timeout), str(group.via or "")
        )
    return table


def _upstreams(group: GroupSettings) -> str:
    return "\n".join(upstream.url for upstream in group.upstreams)


def _rules(settings: Settings) -> Table:
    table = Table("", "names", "types", "clients", "goes to", title="Rules, the first match decides")
    table.title_justify = "left"
    for number, rule in enumerate(settings.routing.rules):
        clients = " ".join(map(str, rule.clients))
        table.add_row(str(number), _names(rule), " ".join(rule.types), clients, rule.group or rule.action)
    table.add_row("", "everything else", "", "", settings.routing.default)
    return table


def _names(rule: Rule) -> str:
    return f"list {rule.list}" if rule.list else " ".join(rule.names)
