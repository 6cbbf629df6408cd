"""What the commands have in common: their options, their exit codes, and where what the parts log goes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

CANNOT_LISTEN = 1
NOT_ANSWERED = 1
NOT_RUNNING = 1
NOT_UPDATED = 1
BAD_CONFIG = 2
REFUSED = 2

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="The config; by default ./smartdoh.toml, then the usual places.",
        readable=False,  # loading says it in the words of all other mistakes
    ),
]

Name = Annotated[str, typer.Argument(metavar="NAME", help="A domain name.")]
QType = Annotated[str, typer.Argument(metavar="TYPE", help="The record type.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def log_to_stderr(level: str = "warning") -> None:
    """Keep what the parts log out of what a command prints; structlog's own default is standard output."""
    from smartdoh.app import logs  # noqa: PLC0415 - not every command logs

    logs.configure(level, "text")
