"""The commands below `smartdoh lists`."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import Annotated

import typer

from smartdoh import config
from smartdoh.control.cli import names
from smartdoh.control.cli.common import NOT_UPDATED, AsJson, ConfigFile, log_to_stderr
from smartdoh.control.places import config_path

lists = typer.Typer(
    help="The lists of names that rules look things up in.\n\nExample: smartdoh lists show",
    no_args_is_help=True,
)


@lists.command()
def show(file: ConfigFile = None, as_json: AsJson = False) -> None:
    """Show every list: what is used of it, how old it is, when it is looked at again, and what is wrong with it.

    Asks the proxy that runs with this config; without one, the files alone.

    Example: smartdoh lists show
    """
    from smartdoh.control.lists.show import show as tell  # noqa: PLC0415 - serve needs none of it

    log_to_stderr("error")  # what is logged is in the table
    tell(config_path(file, os.environ), partial(config.load, file, os.environ), as_json=as_json)


@lists.command()
def update(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Only this list.", autocompletion=names.lists)
    ] = "",
    file: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Fetch the lists now, and put in force what is new; those without a URL are read again from their files.

    The proxy that runs with this config does it; without one, its files are updated for the next start.

    Example: smartdoh lists update gfwlist
    """
    from smartdoh.control.lists.update import update as fetch  # noqa: PLC0415 - serve needs none of it

    log_to_stderr("error")  # what is logged is in the table
    path = config_path(file, os.environ)
    if not fetch(path, partial(config.load, file, os.environ), name, as_json=as_json):
        sys.exit(NOT_UPDATED)
