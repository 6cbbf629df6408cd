"""The commands that say what the running proxy is and has done."""

from __future__ import annotations

import os

import typer

from smartdoh.control.cli.common import AsJson, ConfigFile
from smartdoh.control.places import config_path

running = typer.Typer()


@running.command()
def status(file: ConfigFile = None, as_json: AsJson = False) -> None:
    """Say what runs: version, process, config, addresses, workers, and which upstreams do not do well.

    Example: smartdoh status
    """
    from smartdoh.control.status import status as show  # noqa: PLC0415 - serve needs none of it

    show(config_path(file, os.environ), as_json=as_json)


@running.command()
def stats(file: ConfigFile = None, as_json: AsJson = False) -> None:
    """Show the counters of the running proxy: questions, answers from the cache, groups.

    Example: smartdoh stats --json
    """
    from smartdoh.control.status import stats as show  # noqa: PLC0415 - serve needs none of it

    show(config_path(file, os.environ), as_json=as_json)
