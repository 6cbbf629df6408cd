"""The command `smartdoh whatif`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from smartdoh import config
from smartdoh.control.cli import names
from smartdoh.control.cli.common import AsJson, log_to_stderr
from smartdoh.errors import ConfigError

Days = Annotated[float, typer.Option(min=0.001, help="How many of the last days to replay.")]
Limit = Annotated[int, typer.Option(min=0, help="How many names to print, the busiest; 0: all.")]


def whatif(
    list_file: Annotated[
        Path | None, typer.Option("--list", metavar="FILE", help="As if a list had this content.")
    ] = None,
    name: Annotated[
        str,
        typer.Option(
            "--name",
            metavar="LIST",
            help="Which list; by default the one whose file is called so.",
            autocompletion=names.lists,
        ),
    ] = "",
    other: Annotated[
        Path | None,
        typer.Option("--config", "-c", metavar="FILE", help="As if this were the config.", readable=False),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--present",
            metavar="FILE",
            help="The config in force, whose query log is replayed; by default ./smartdoh.toml, then the usual places.",
            readable=False,
        ),
    ] = None,
    days: Days = 7.0,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Say what a list or a config would change, by replaying the last days of the query log.

    Names that would be blocked, no longer blocked or sent to another group, those first that are asked most.
    Needs no running proxy.

    Example: smartdoh whatif --list new/ads.txt --name ads
    """
    from smartdoh.control.whatif import show, with_config, with_list  # noqa: PLC0415 - serve needs none of it

    log_to_stderr("error")
    if (list_file is None) == (other is None):
        raise ConfigError("whatif", "needs either --list FILE or --config FILE")
    settings = config.load(file, os.environ)
    if list_file is not None:
        outcome = with_list(settings, list_file, name, days)
    else:
        outcome = with_config(settings, config.load(other, os.environ), days)
    show(outcome, days, limit, as_json=as_json)
