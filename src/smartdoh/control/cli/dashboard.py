"""The commands below `smartdoh dashboard`."""

from __future__ import annotations

import json
import os
import sys
from typing import Annotated

import typer

from smartdoh import config
from smartdoh.config.places import state_directory
from smartdoh.control.cli.common import BAD_CONFIG, AsJson, ConfigFile
from smartdoh.errors import ConfigError

dashboard = typer.Typer(
    help="The pages that show in a browser what is asked and answered.\n\nExample: smartdoh dashboard password",
    no_args_is_help=True,
)

MISSING = "the dashboard is not installed; pip install 'smartdoh[dashboard]' mends it"


@dashboard.command()
def run(
    file: ConfigFile = None,
    lifeline: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Serve the dashboard in the foreground, where `smartdoh serve` does not do it by itself.

    Example: smartdoh dashboard run --config smartdoh.toml
    """
    import socket  # noqa: PLC0415 - the other commands need none of it

    from smartdoh.control.dashboard.orders import orders_of, received  # noqa: PLC0415

    line = socket.socket(fileno=lifeline) if lifeline is not None else None
    orders = received(line) if line is not None else orders_of(config.load(file, os.environ), os.environ)
    if orders is None:
        raise ConfigError("dashboard.listen", 'says no address; allowed: one as "127.0.0.1:8053"')
    try:
        from smartdoh.control.dashboard.program import run as serve  # noqa: PLC0415
    except ModuleNotFoundError:
        raise ConfigError("dashboard", MISSING) from None
    sys.exit(serve(orders, line))


@dashboard.command()
def password(
    show: Annotated[
        bool,
        typer.Option("--print", help="Print the hash, for dashboard.password_hash, and keep it nowhere."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Set the password of the dashboard: asks for it twice at a terminal, else reads a line of standard input.

    Its argon2id hash is kept in the state directory, for its owner alone. It is in force at once, and whoever was
    logged in with another has to log in again.

    Example: smartdoh dashboard password
    """
    try:
        from smartdoh.control.dashboard.password import hashed, keep, refusal  # noqa: PLC0415
    except ModuleNotFoundError:
        raise ConfigError("dashboard", MISSING) from None
    wanted = _typed() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    problem = refusal(wanted)
    if problem:
        print(f"smartdoh: {problem}", file=sys.stderr)
        sys.exit(BAD_CONFIG)
    if show:
        print(json.dumps({"hash": hashed(wanted)}) if as_json else hashed(wanted))
        return
    try:
        path = keep(state_directory(os.environ), hashed(wanted))
    except OSError as error:
        raise ConfigError("dashboard", f"the password cannot be kept: {error}") from None
    print(json.dumps({"file": str(path)}) if as_json else f"the password is kept in {path}")


def _typed() -> str:
    """What a person types, twice the same."""
    wanted: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return wanted
