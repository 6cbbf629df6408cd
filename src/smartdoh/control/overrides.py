"""`smartdoh overrides`: the running proxy's overrides listed, set and removed."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from smartdoh.config import parse_duration
from smartdoh.control import client, tables
from smartdoh.control.api.shapes import OverrideChange


def show(config: Path, *, as_json: bool) -> None:
    """Print them. Raises NotRunningError, and RefusedError where no file is configured, as all of these do."""
    found = client.find(config, os.environ).get("/overrides")
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    if found["problem"]:
        print(f"smartdoh: {found['problem']}; these are in force", file=sys.stderr)
    rows = [(str(entry.get("line", "")), entry["key"], _shown(entry["value"])) for entry in found["entries"]]
    if rows:
        tables.show(found["file"], ("line", "name", "override"), rows, to=tables.console())
    else:
        print(f"{found['file']}: nothing is overridden")


def put(
    config: Path, name: str, values: Sequence[str], until: str, clients: Sequence[str], *, as_json: bool
) -> None:
    """Override a name. Raises RefusedError, too, with what is wrong with the value."""
    value: Any = values[0] if len(values) == 1 else list(values)
    if until or clients:
        value = {"is": value}
    if until:
        value["until"] = _time(until)
    if clients:
        value["clients"] = list(clients)
    _tell(client.find(config, os.environ).put(_target(name), {"value": value}), as_json=as_json)


def remove(config: Path, name: str, *, as_json: bool) -> None:
    """Remove one. Raises RefusedError, too, where it is not there."""
    _tell(client.find(config, os.environ).delete(_target(name)), as_json=as_json)


def _tell(done: OverrideChange, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(done, ensure_ascii=False))
        return
    before = f", it was {_shown(done['before'])}" if done["before"] is not None else ""
    now = _shown(done["value"]) if done["value"] is not None else "overridden no more"
    print(f"{done['key']}: {now}{before}")


def _target(name: str) -> str:
    return f"/overrides/{quote(name, safe='')}"


def _time(text: str) -> str:
    """A span from now, else what was said: the parser judges it."""
    try:
        seconds = parse_duration(text)
    except ValueError:
        return text
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="seconds")


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)
