"""The command `smartdoh top`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from smartdoh.control.cli.common import AsJson, ConfigFile
from smartdoh.control.places import config_path

top = typer.Typer()


@top.command("top")
def show(
    file: ConfigFile = None,
    interval: Annotated[
        str,
        typer.Option(
            metavar="DURATION", help="How often the screen changes; with --once, how long to watch."
        ),
    ] = "1s",
    once: Annotated[bool, typer.Option("--once", help="Print one look as text, and end.")] = False,
    as_json: AsJson = False,
) -> None:
    """Watch what is asked, by whom, what became of it and how each upstream does; block, allow and forget names.

    Example: smartdoh top --interval 2s
    """
    from smartdoh.control.top.run import run  # noqa: PLC0415 - serve needs none of it

    run(config_path(file, os.environ), interval, once=once, as_json=as_json)
