"""`smartdoh check`: what a config means, in words and tables."""

from __future__ import annotations

from collections.abc import Iterator

from smartdoh.app.overrides_reading import read
from smartdoh.config import Rule, Settings, format_duration
from smartdoh.control import tables
from smartdoh.control.api.shapes import ListStatus
from smartdoh.control.lists import rows
from smartdoh.control.lists.local import opened
from smartdoh.fastpath import BUILD


def report(settings: Settings) -> None:
    """Read overrides and lists too, and print what was found. Raises ConfigError."""
    console = tables.console()
    overrides = settings.routing.overrides
    found = read(overrides, settings.groups) if overrides is not None and overrides.exists() else None
    lists = opened(settings)
    console.print(f"config: {settings.path or 'defaults'}", markup=False)
    console.print(f"listening on: {', '.join(map(str, settings.listen.dns))} (UDP and TCP)", markup=False)
    console.print(f"fast path: {BUILD}", markup=False)
    console.print(f"who may ask: {', '.join(map(str, settings.listen.allow))}", markup=False)
    if settings.server.workers > 1:
        console.print(f"workers: {settings.server.workers}", markup=False)
    if overrides is not None:
        said = f"{len(found)} names" if found is not None else "there is no such file"
        console.print(f"overrides: {overrides}, {said}", markup=False)
    for line in _besides(settings):
        console.print(line, markup=False)
    columns = ("group", "upstreams", "strategy", "timeout", "via")
    tables.show("Groups", columns, _groups(settings), to=console)
    columns = ("", "names", "types", "clients", "goes to")
    tables.show("Rules, the first match decides", columns, _rules(settings), to=console)
    if lists:
        columns = ("list", "file", "lines used", "not used, and why", "without it")
        tables.show("Lists", columns, map(_list, lists), to=console)
    for warning in settings.warnings:
        console.print(f"warning: {warning}", style="yellow", markup=False)
    console.print("the config is sound", style="green")


def _besides(settings: Settings) -> Iterator[str]:
    """Where what is asked can be seen, as far as the config wants that."""
    if settings.dashboard.listen is not None:
        yield f"dashboard: http://{settings.dashboard.listen}"
    if settings.metrics.listen is not None:
        yield f"metrics: http://{settings.metrics.listen}/metrics"
    if (kept := settings.query_log).enabled:
        days = f"for {kept.days} days" if kept.days else "for ever"
        yield f"query log: {kept.dir}, {days}, {kept.size >> 20:,} MiB at most, clients: {kept.privacy}"
    if settings.dnstap.socket is not None:
        yield f"dnstap: {settings.dnstap.socket}"


def _list(found: ListStatus) -> tuple[str, ...]:
    return found["name"], found["file"], rows.used(found), rows.skipped(found), f"fails {found['on_missing']}"


def _groups(settings: Settings) -> Iterator[tuple[str, ...]]:
    for name, group in settings.groups.items():
        upstreams = " ".join(upstream.url for upstream in group.upstreams)
        yield name, upstreams, group.strategy, format_duration(group.timeout), str(group.via or "")


def _rules(settings: Settings) -> Iterator[tuple[str, ...]]:
    for number, rule in enumerate(settings.routing.rules):
        clients = " ".join(map(str, rule.clients))
        yield str(number), _names(rule), " ".join(rule.types), clients, rule.group or str(rule.action)
    yield "", "everything else", "", "", settings.routing.default


def _names(rule: Rule) -> str:
    return f"list {rule.list}" if rule.list else " ".join(rule.names)
