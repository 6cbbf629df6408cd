"""`smartdoh log`: its options."""

from __future__ import annotations

import os
from functools import partial
from typing import Annotated

import typer

from smartdoh import config
from smartdoh.control.cli.common import AsJson, ConfigFile
from smartdoh.control.places import config_path


def log(  # noqa: PLR0913, PLR0917 - one for each option
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Questions for this name alone.")] = "",
    below: Annotated[bool, typer.Option("--below", help="And for all names below it.")] = False,
    client: Annotated[str, typer.Option(metavar="ADDRESS", help="Who asked.")] = "",
    outcome: Annotated[
        str,
        typer.Option(metavar="WORD", help="hit, stale, miss, blocked, local, refused or failed."),
    ] = "",
    qtype: Annotated[str, typer.Option("--type", metavar="TYPE", help="The type asked for.")] = "",
    group: Annotated[str, typer.Option(metavar="GROUP", help="The group that was asked.")] = "",
    rcode: Annotated[str, typer.Option(metavar="CODE", help="The code of the answer, as NXDOMAIN.")] = "",
    list_: Annotated[str, typer.Option("--list", metavar="LIST", help="The list that decided.")] = "",
    since: Annotated[
        str, typer.Option(metavar="TIME", help="From then on: 2h (ago), or 2026-11-23T07:00:00Z.")
    ] = "",
    until: Annotated[str, typer.Option(metavar="TIME", help="Until then.")] = "",
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="At most so many, the newest.")] = 50,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Show what is asked from now on, log or no log.")
    ] = False,
    file: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Show what was asked, by whom, and what became of it: the newest last.

    Searches the query log ([query_log] in the config) of the proxy that runs with this config; without one, its file.

    Example: smartdoh log example.com --below --since 2h
    """
    from smartdoh.control.querylog import show  # noqa: PLC0415 - serve needs none of it

    said = {
        "name": name,
        "below": "1" if below else "",
        "client": client,
        "outcome": outcome,
        "type": qtype,
        "group": group,
        "rcode": rcode,
        "list": list_,
        "since": since,
        "until": until,
    }
    filters = {key: value for key, value in said.items() if value}
    path = config_path(file, os.environ)
    show(path, partial(config.load, file, os.environ), filters, limit, is_followed=follow, as_json=as_json)
