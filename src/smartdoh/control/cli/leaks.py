"""The command `smartdoh leaks`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from smartdoh import config
from smartdoh.control.cli import names
from smartdoh.control.cli.common import AsJson, ConfigFile, log_to_stderr


def leaks(
    name: Annotated[
        str,
        typer.Option(
            "--list",
            metavar="NAME",
            help="Only this list; by default all that rules use.",
            autocompletion=names.lists,
        ),
    ] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many lines of each list to print.")] = 100,
    file: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Say of each list whether any name of it was ever sent outside the group that its rules name, and which.

    Reads the ledger beside the query log; needs no running proxy.

    Example: smartdoh leaks --list gfwlist
    """
    from smartdoh.control.leaks import show  # noqa: PLC0415 - serve needs none of it

    log_to_stderr("error")
    show(config.load(file, os.environ), name, limit, as_json=as_json)
