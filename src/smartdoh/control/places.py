"""Where the control socket of a proxy is: one for each config, so that more than one proxy fits on a machine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from smartdoh.config.places import default_paths, state_directory
from smartdoh.errors import ConfigError

SYSTEM_RUNTIME = Path(
    "/run/smartdoh"
)  # systemd's RuntimeDirectory=smartdoh, for those who are not of the unit


def config_path(given: Path | None, environ: Mapping[str, str]) -> Path:
    """The config that a proxy started alike has read; it may be broken by now. Raises ConfigError."""
    if given is not None:
        return given
    for path in default_paths(environ):
        if path.exists():
            return path
    raise ConfigError("config", "there is no config file; name the proxy's with --config FILE")


def socket_path(config: Path, environ: Mapping[str, str]) -> Path:
    """The socket of the proxy with this config: in systemd's folder, else the user's, else the state directory's."""
    return candidates(config, environ)[0]


def candidates(config: Path, environ: Mapping[str, str]) -> list[Path]:
    """Every place that the socket may have, also where systemd or another login started the proxy."""
    digest = hashlib.blake2b(str(config.resolve()).encode(), digest_size=6).hexdigest()
    return [folder / f"control-{digest}.sock" for folder in _folders(environ)]


def _folders(environ: Mapping[str, str]) -> list[Path]:
    given = environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    of_user = Path(environ.get("XDG_RUNTIME_DIR", ""))
    found = [Path(given)] if given else []
    if of_user.is_absolute():
        found.append(of_user / "smartdoh")
    return list(dict.fromkeys([*found, state_directory(environ) / "run", SYSTEM_RUNTIME]))
