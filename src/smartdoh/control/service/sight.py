"""Whether the service can reach what it is to run: its unit hides homes and temporary folders from it."""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import smartdoh

HIDDEN = tuple(map(Path, ("/home", "/root", "/run/user", "/tmp", "/var/tmp")))  # noqa: S108 - ProtectHome=, PrivateTmp=


def command(config: Path) -> tuple[str, ...]:
    """What runs the proxy with this config: the program and the interpreter that run now, and no others."""
    called = Path(sys.argv[0])
    program = (
        [str(called.absolute())] if called.name == "smartdoh" else [sys.executable, "-P", "-m", "smartdoh"]
    )
    return (*program, "serve", "--config", str(config.absolute()))


def out_of_sight(command: Sequence[str], config: Path) -> list[str]:
    """What of the program, its interpreter and the config the service could not see, in words."""
    needed = {
        "the program": Path(command[0]),
        "Python": Path(sys.base_prefix),
        "the environment": Path(sys.prefix),
        "smartdoh's package": Path(smartdoh.__file__).parent,
        "the config": config,
    }
    return [
        f"{what} lies in {hidden}, which is hidden from the service: {path}"
        for what, path in needed.items()
        for hidden in _hidden(path)
    ]


def _hidden(path: Path) -> Iterator[Path]:
    """The hidden folder that it lies in, by its name or by where that leads."""
    places = (path.absolute(), path.resolve())
    return (folder for folder in HIDDEN if any(place.is_relative_to(folder) for place in places))


def is_for_all(path: Path) -> bool:
    """Whether any user may read the file, as the service's own one has to."""
    try:
        return all(folder.stat().st_mode & stat.S_IXOTH for folder in path.absolute().parents) and bool(
            path.stat().st_mode & stat.S_IROTH
        )
    except OSError:
        return False
