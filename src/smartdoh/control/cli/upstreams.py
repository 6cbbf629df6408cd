"""The commands below `smartdoh upstreams`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from smartdoh import config
from smartdoh.control.cli import names
from smartdoh.control.cli.common import AsJson, ConfigFile
from smartdoh.control.places import config_path
from smartdoh.errors import ConfigError

upstreams = typer.Typer(
    help="The servers that the running proxy asks: how they do, and sending one to rest.\n\n"
    "Example: smartdoh upstreams show",
    no_args_is_help=True,
)

Upstream = Annotated[
    str,
    typer.Argument(
        metavar="UPSTREAM", help="Its name, as `upstreams show` has it.", autocompletion=names.upstreams
    ),
]
Group = Annotated[
    str,
    typer.Option(help="In this group alone; by default in each that has it.", autocompletion=names.groups),
]


@upstreams.command()
def show(file: ConfigFile = None, as_json: AsJson = False) -> None:
    """Show every group with its upstreams: latency, health, requests under way.

    Example: smartdoh upstreams show
    """
    from smartdoh.control.upstreams import show as tell  # noqa: PLC0415 - serve needs none of it

    tell(config_path(file, os.environ), as_json=as_json)


@upstreams.command()
def rest(
    upstream: Upstream,
    group: Group = "",
    span: Annotated[str, typer.Option("--for", metavar="TIME", help="How long, as 90s, 10m or 2h.")] = "10m",
    file: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Send an upstream to rest: it is asked nothing as long as another of its group does well.

    Example: smartdoh upstreams rest dns.example --for 1h
    """
    from smartdoh.control.upstreams import rest as send  # noqa: PLC0415 - serve needs none of it

    try:
        seconds = config.parse_duration(span)
    except ValueError as error:
        raise ConfigError("--for", f"{span!r} {error}") from None
    send(config_path(file, os.environ), upstream, group, seconds, as_json=as_json)


@upstreams.command()
def wake(upstream: Upstream, group: Group = "", file: ConfigFile = None, as_json: AsJson = False) -> None:
    """End the rest of an upstream, also one that its failures have sent it to.

    Example: smartdoh upstreams wake dns.example
    """
    from smartdoh.control.upstreams import wake as end_rest  # noqa: PLC0415 - serve needs none of it

    end_rest(config_path(file, os.environ), upstream, group, as_json=as_json)
