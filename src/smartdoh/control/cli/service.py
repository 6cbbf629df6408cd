"""The commands below `smartdoh service`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from smartdoh import config
from smartdoh.control.cli.common import AsJson, ConfigFile
from smartdoh.control.places import config_path

if TYPE_CHECKING:
    from smartdoh.control.service.install import Plan
    from smartdoh.control.service.machine import Machine

NOT_DONE = 1

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print what would be written and run, and change nothing.")
]
Root = Annotated[
    Path | None,
    typer.Option(
        "--root", metavar="DIR", help="Do it to the system below this folder, as for an image.", hidden=True
    ),
]

service = typer.Typer(
    help="smartdoh as a systemd service.\n\nExample: smartdoh service install --dry-run", no_args_is_help=True
)


@service.command()
def install(
    file: ConfigFile = None, dry_run: DryRun = False, as_json: AsJson = False, root: Root = None
) -> None:
    """Write, enable and start the units that run this program with this config, on the addresses of listen.dns.

    Where another server holds them, nothing is started, and what to do about it is said.

    Example: sudo smartdoh service install --config /etc/smartdoh/smartdoh.toml
    """
    from smartdoh.control.service import install as service_  # noqa: PLC0415 - serve needs none of it

    environ = {name: value for name, value in os.environ.items() if not name.startswith("SMARTDOH_")}
    settings = config.load(file, environ)  # as the service will read it
    path = config_path(file, environ).absolute()
    machine = _machine(root)
    why_not = service_.refusal(machine, path)
    if why_not and not dry_run:
        _fail(why_not)
    try:
        _show_or_do(service_.installation(machine, settings, path), dry_run=dry_run, as_json=as_json)
    except service_.ServiceError as error:
        _fail(str(error))
    if why_not:
        _say(why_not)


@service.command()
def uninstall(dry_run: DryRun = False, as_json: AsJson = False, root: Root = None) -> None:
    """Stop, disable and remove the units; config and state stay, and it is said where.

    Example: sudo smartdoh service uninstall
    """
    from smartdoh.control.service import install as service_  # noqa: PLC0415 - serve needs none of it

    machine = _machine(root)
    why_not = service_.refusal(machine)
    if why_not and not dry_run:
        _fail(why_not)
    try:
        _show_or_do(service_.removal(machine), dry_run=dry_run, as_json=as_json)
    except service_.ServiceError as error:
        _fail(str(error))
    if why_not:
        _say(why_not)


def _machine(root: Path | None) -> Machine:
    from smartdoh.control.service.machine import Machine  # noqa: PLC0415 - serve needs none of it

    return Machine() if root is None else Machine(root.absolute(), is_image=True)


def _show_or_do(plan: Plan, *, dry_run: bool, as_json: bool) -> None:
    """Raises ServiceError."""
    from smartdoh.control.service import install, show  # noqa: PLC0415 - serve needs none of it

    show.notes(plan)
    if not dry_run:
        install.carry_out(plan)
    if as_json:
        show.as_json(plan, done=not dry_run)
        return
    (show.wanted if dry_run else show.done)(plan)
    show.advice(plan)


def _say(words: str) -> None:
    for line in words.splitlines():
        print(f"smartdoh: {line}", file=sys.stderr)


def _fail(words: str) -> NoReturn:
    _say(words)
    sys.exit(NOT_DONE)
