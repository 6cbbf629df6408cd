"""What the shell completes: names that stand in the config or beside it, read as plainly as can be."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import typer

from smartdoh.control.places import config_path
from smartdoh.errors import SmartDohError


def groups(context: typer.Context, incomplete: str) -> list[str]:
    """Groups of the config."""
    return _that_begin(incomplete, _config(context).get("groups", {}))


def lists(context: typer.Context, incomplete: str) -> list[str]:
    """Lists of the config."""
    return _that_begin(incomplete, _config(context).get("lists", {}))


def upstreams(context: typer.Context, incomplete: str) -> list[str]:
    """Upstreams of the config, by the names that the running proxy has for them."""
    from smartdoh.config.urls import parse_upstream  # noqa: PLC0415 - only here
    from smartdoh.upstream.line import Origin  # noqa: PLC0415

    found: dict[str, None] = {}
    for group in _config(context).get("groups", {}).values():
        for text in group.get("upstreams", ()):
            try:
                url = parse_upstream(text)
            except ValueError:
                continue
            found[Origin(url.url, url.host, url.port).name] = None
    return _that_begin(incomplete, found)


def overrides(context: typer.Context, incomplete: str) -> list[str]:
    """Keys of overrides.json."""
    name = _config(context).get("routing", {}).get("overrides")
    if not name:
        return []
    try:
        found = json.loads((_path(context).parent / name).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return []
    return _that_begin(incomplete, found) if isinstance(found, dict) else []


def _that_begin(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def _config(context: typer.Context) -> dict[str, Any]:
    """The config as it is written; nothing where it cannot be read, for a shell wants no errors."""
    try:
        return tomllib.loads(_path(context).read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError, SmartDohError):
        return {}


def _path(context: typer.Context) -> Path:
    return config_path(context.params.get("file"), os.environ)
