"""`smartdoh whatif`: the query log replayed against a list or a config, with a bar meanwhile and a table at the end."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from smartdoh.app import loop
from smartdoh.app.lists.keeper import ListKeeper
from smartdoh.app.questions.log.schema import FILE
from smartdoh.app.whatif import replay
from smartdoh.app.whatif.asked import asked_since
from smartdoh.app.whatif.compare import Change, Outcome, Rows
from smartdoh.config import ListSettings, Settings
from smartdoh.control import tables
from smartdoh.control.api.lists import known
from smartdoh.errors import ConfigError
from smartdoh.rules.lists import NameSet, compile_list, open_list

COLUMNS = ("asked", "clients", "name", "types", "now", "then", "because of")
KINDS = {"blocked": "newly blocked", "unblocked": "no longer blocked", "moved": "sent elsewhere"}

Replay = Callable[[Rows, replay.Tell], Outcome]


def with_list(settings: Settings, file: Path, name: str, days: float) -> Outcome:
    """As if a list had the content of `file`. Raises ConfigError."""
    wanted = _list_of(settings, file, name)
    lists = _lists(settings)
    new = _compiled(file, wanted)
    return _with_bar(
        settings, days, lambda asked, tell: replay.with_list(asked, settings, lists, wanted.name, new, tell)
    )


def with_config(settings: Settings, other: Settings, days: float) -> Outcome:
    """As if `other` were the config. Raises ConfigError."""
    lists, others = _lists(settings), _lists(other)
    return _with_bar(
        settings, days, lambda asked, tell: replay.with_config(asked, settings, lists, other, others, tell)
    )


def show(outcome: Outcome, days: float, limit: int, *, as_json: bool) -> None:
    """Print it."""
    shown = outcome.changes[:limit] if limit else outcome.changes
    if as_json:
        print(json.dumps(_as_json(outcome, days, shown), ensure_ascii=False))
        return
    console = tables.console()
    console.print(
        f"{outcome.questions} questions of the last {days:g} days, for {outcome.names} names", markup=False
    )
    for kind, words in KINDS.items():
        if count := outcome.kinds[kind]:
            console.print(f"{words}: {count} names, {outcome.questions_of(kind)} questions", markup=False)
    if not outcome.changes:
        console.print("nothing would change")
        return
    tables.show("What would change, the busiest first", COLUMNS, map(_row, shown), to=console)
    if len(shown) < len(outcome.changes):
        console.print(
            f"and {len(outcome.changes) - len(shown)} names more: --limit 0 prints all", markup=False
        )


def _list_of(settings: Settings, file: Path, name: str) -> ListSettings:
    """The list that is meant. Raises ConfigError where that cannot be told."""
    if name:
        return settings.lists[known(name, settings.lists)]
    found = [wanted for wanted in settings.lists.values() if wanted.file.name == file.name]
    if len(found) == 1:
        return found[0]
    there_are = ", ".join(settings.lists) or "none"
    problem = "several lists have" if found else "no list has"
    raise ConfigError("--name", f"{problem} a file called {file.name}; say which list is meant: {there_are}")


def _lists(settings: Settings) -> dict[str, NameSet | None]:
    """Every list, opened or compiled as `serve` would."""

    async def prepare() -> dict[str, NameSet | None]:
        keeper = ListKeeper(settings.lists, {}, lambda _: None)
        await keeper.prepare()
        return {name: state.names for name, state in keeper.states.items()}

    return loop.run(prepare())


def _compiled(file: Path, wanted: ListSettings) -> NameSet:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "compiled")
        try:
            compile_list(file, wanted.format, out)
        except (OSError, ValueError) as error:
            raise ConfigError("--list", f"{file} cannot be used: {error}") from error
        return open_list(file, wanted.format, out)


def _with_bar(settings: Settings, days: float, run: Replay) -> Outcome:
    """Replay, with a bar on a terminal."""
    console = Console(stderr=True, highlight=False)
    with (
        asked_since(settings.query_log.dir / FILE, time.time() - days * 86_400) as log,
        Progress(console=console, transient=True, disable=not console.is_terminal) as progress,
    ):
        task = progress.add_task("replaying", total=log.names)
        return run(log.rows, lambda done: progress.update(task, completed=done))


def _row(change: Change) -> tuple[str, ...]:
    return (
        str(change.count),
        str(change.clients),
        change.name,
        " ".join(change.type_names),
        str(change.before),
        str(change.after),
        change.why,
    )


def _as_json(outcome: Outcome, days: float, shown: list[Change]) -> dict[str, Any]:
    return {
        "days": days,
        "questions": outcome.questions,
        "names": outcome.names,
        "changed": {
            kind: {"names": outcome.kinds[kind], "questions": outcome.questions_of(kind)} for kind in KINDS
        },
        "changes": [_change(change) for change in shown],
        "left_off": len(outcome.changes) - len(shown),
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "name": change.name,
        "change": change.kind,
        "count": change.count,
        "clients": change.clients,
        "types": change.type_names,
        "before": str(change.before),
        "after": str(change.after),
        "why": change.why,
        "list": change.list_name,
        "line": change.line,
    }
