"""Where the config file is looked for, and where the program keeps its state."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

FILE_NAME = "smartdoh.toml"
DEFAULT_PATHS = (  # in this order
    f"./{FILE_NAME}",
    f"$XDG_CONFIG_HOME/smartdoh/{FILE_NAME}",
    f"/etc/smartdoh/{FILE_NAME}",
)
SYSTEM_STATE = Path("/var/lib/smartdoh")
PASSWORD_FILE = "dashboard-password"  # noqa: S105 - where its hash is: `smartdoh dashboard password` writes it


def default_paths(environ: Mapping[str, str]) -> Iterator[Path]:
    """`DEFAULT_PATHS` as paths; $XDG_CONFIG_HOME is ~/.config by default, and left out without a home."""
    config_home = _xdg_home("XDG_CONFIG_HOME", ".config", environ)
    for path in DEFAULT_PATHS:
        if not path.startswith("$"):
            yield Path(path)
        elif config_home:
            yield config_home / "smartdoh" / FILE_NAME


def state_directory(environ: Mapping[str, str]) -> Path:
    """systemd's $STATE_DIRECTORY (the first of a list, systemd.exec(5)), else the user's or the system's."""
    given = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if given:
        return Path(given)
    state = "Library/Application Support" if sys.platform == "darwin" else ".local/state"
    home = _xdg_home("XDG_STATE_HOME", state, environ)
    return home / "smartdoh" if home else SYSTEM_STATE


def _xdg_home(variable: str, below_home: str, environ: Mapping[str, str]) -> Path | None:
    """XDG Base Directory Specification: a relative path in the variable counts as none."""
    given = Path(environ.get(variable, ""))
    if given.is_absolute():
        return given
    home = environ.get("HOME", "")
    return Path(home) / below_home if home else None
