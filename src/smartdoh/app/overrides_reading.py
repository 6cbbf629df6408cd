"""Reading overrides.json from the disk."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from smartdoh.errors import ConfigError
from smartdoh.rules.overrides import Overrides
from smartdoh.rules.overrides_file import LARGEST, parse_overrides


def read(path: Path, groups: Collection[str]) -> Overrides:
    """The overrides in `path`. Raises ConfigError, also where there is no such file."""
    return parse_overrides(read_text(path), groups, str(path))


def read_text(path: Path) -> str:
    """What `path` holds, which need not be overrides. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            octets = file.read(LARGEST + 1)
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read: {error.strerror}") from error
    if len(octets) > LARGEST:
        raise ConfigError(str(path), f"is longer than {LARGEST} octets")
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigError(str(path), "is not UTF-8") from None
