"""The commands below `smartdoh cache`."""

from __future__ import annotations

import os
from functools import partial
from typing import Annotated

import typer

from smartdoh import config
from smartdoh.control.cli.common import AsJson, ConfigFile
from smartdoh.control.places import config_path
from smartdoh.errors import ConfigError

cache = typer.Typer(
    help="The cache of the running proxy.\n\nExample: smartdoh cache stats", no_args_is_help=True
)


@cache.command()
def stats(file: ConfigFile = None, as_json: AsJson = False) -> None:
    """Show how much is kept, and how much was answered from it.

    Example: smartdoh cache stats --json
    """
    from smartdoh.control.cache import stats as show  # noqa: PLC0415 - serve needs none of it

    show(config_path(file, os.environ), as_json=as_json)


@cache.command()
def flush(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Forget this name alone.")] = "",
    below: Annotated[bool, typer.Option("--below", help="Forget all names below it too.")] = False,
    qtype: Annotated[str, typer.Option("--type", metavar="TYPE", help="Of that name, this type alone.")] = "",
    file: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Forget every kept answer, or those of a name.

    Example: smartdoh cache flush example.com --below
    """
    from smartdoh.control.cache import flush as forget  # noqa: PLC0415 - serve needs none of it

    if below and not name:
        raise ConfigError("--below", "needs a NAME")
    if qtype and (below or not name):
        raise ConfigError("--type", "needs a NAME, and no --below")
    forget(config_path(file, os.environ), name, below=below, qtype=qtype, as_json=as_json)


@cache.command()
def export(file: ConfigFile = None) -> None:
    """Print every kept answer as a line of JSON; without a running proxy, those on disk.

    Example: smartdoh cache export > cache.jsonl
    """
    from smartdoh.control.cache import export as write  # noqa: PLC0415 - serve needs none of it

    write(config_path(file, os.environ), partial(config.load, file, os.environ))
