"""`smartdoh top`: the screen at a terminal, one look elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from smartdoh.config.durations import parse_duration
from smartdoh.control import client
from smartdoh.errors import ConfigError

LEAST = 1.0  # seconds; the proxy closes its counts each second
LIGHT = ("7", "15")  # backgrounds in COLORFGBG, as terminals set it, that are light


def run(config: Path, interval: str, *, once: bool, as_json: bool) -> None:
    """Show what is asked until somebody quits. Raises NotRunningError where no proxy runs, and ConfigError."""
    seconds = _seconds(interval)
    find = partial(client.find, config, os.environ)
    proxy = find()
    if once or as_json or not (sys.stdout.isatty() and sys.stdin.isatty()):
        from smartdoh.control.top.snapshot import snapshot  # noqa: PLC0415 - without a screen

        snapshot(proxy, seconds, as_json=as_json)
        return
    from smartdoh.control.top.app import Top  # noqa: PLC0415 - textual takes a while to load

    Top(find, seconds, is_light=is_light(os.environ)).run()


def _seconds(interval: str) -> float:
    try:
        seconds = parse_duration(interval)
    except ValueError as error:
        raise ConfigError("--interval", f"{interval!r} {error}; write it as 1s, 5s, 1m") from None
    if seconds < LEAST:
        raise ConfigError(
            "--interval", f"{interval!r} is less than 1s, which is how often there is something new"
        )
    return seconds


def is_light(environ: Mapping[str, str]) -> bool:
    """Whether the terminal says that its background is light."""
    return environ.get("COLORFGBG", "").rpartition(";")[2] in LIGHT
