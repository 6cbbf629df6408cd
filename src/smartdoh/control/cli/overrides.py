"""The commands below `smartdoh overrides`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from smartdoh.control.cli import names
from smartdoh.control.cli.common import AsJson, ConfigFile
from smartdoh.control.places import config_path

overrides = typer.Typer(
    help="The running proxy's overrides: names blocked, allowed, sent to a group or given addresses.\n\n"
    "Example: smartdoh overrides set ads.example.com block",
    no_args_is_help=True,
)

KEY_HELP = "The name with all below it; with a leading = for itself alone."


@overrides.command("list")
def show(file: ConfigFile = None, as_json: AsJson = False) -> None:
    """List the overrides in the order of their file.

    Example: smartdoh overrides list
    """
    from smartdoh.control.overrides import show as tell  # noqa: PLC0415 - serve needs none of it

    tell(config_path(file, os.environ), as_json=as_json)


@overrides.command("set")
def put(
    name: Annotated[str, typer.Argument(metavar="NAME", help=KEY_HELP, autocompletion=names.overrides)],
    values: Annotated[
        list[str],
        typer.Argument(metavar="VALUE", help="block, allow, the name of a group, or addresses."),
    ],
    until: Annotated[
        str, typer.Option(metavar="TIME", help="When it ends, as 2h from now or 2026-12-01T20:00:00Z.")
    ] = "",
    client: Annotated[
        list[str] | None, typer.Option(metavar="NETWORK", help="Only for clients there; may be said again.")
    ] = None,
    file: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Override a name: written to overrides.json, and in force when this ends.

    Example: smartdoh overrides set ads.example.com block --until 2h
    """
    from smartdoh.control.overrides import put as write  # noqa: PLC0415 - serve needs none of it

    write(config_path(file, os.environ), name, values, until, client or [], as_json=as_json)


@overrides.command("remove")
def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help=KEY_HELP, autocompletion=names.overrides)],
    file: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Remove the override of a name, from overrides.json and at once.

    Example: smartdoh overrides remove ads.example.com
    """
    from smartdoh.control.overrides import remove as take_out  # noqa: PLC0415 - serve needs none of it

    take_out(config_path(file, os.environ), name, as_json=as_json)
