"""The command line: what it takes, and the exit codes it promises."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from smartdoh import __version__, config
from smartdoh.errors import ConfigError, ListenError

CANNOT_LISTEN = 1
NOT_ANSWERED = 1
BAD_CONFIG = 2

app = typer.Typer(
    name="smartdoh",
    help="A local DNS server that answers over plain DNS and asks DNS-over-HTTPS servers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="The config; by default ./smartdoh.toml, then the usual places.",
    ),
]


def main() -> NoReturn:
    """Run the command line; errors that the user can mend are a line each, never a traceback."""
    try:
        app()
    except ConfigError as error:
        _fail(str(error), BAD_CONFIG)
    except ListenError as error:
        _fail(str(error), CANNOT_LISTEN)
    sys.exit(0)


def _fail(message: str, code: int) -> NoReturn:
    for line in message.splitlines():
        print(f"smartdoh: {line}", file=sys.stderr)
    sys.exit(code)


@app.command()
def serve(file: ConfigFile = None) -> None:
    """Answer questions until SIGTERM or SIGINT; SIGHUP reads the config again.

    Example: smartdoh serve --config smartdoh.toml
    """
    from smartdoh.app import logs, server  # noqa: PLC0415 - the other commands need none of it

    load = partial(config.load, file, os.environ)
    settings = load()
    logs.configure(settings.log.level, settings.log.format)
    server.run(settings, load)


@app.command()
def check(file: ConfigFile = None) -> None:
    """Read the config, say what it means and what is doubtful in it.

    Example: smartdoh check --config smartdoh.toml
    """
    from smartdoh.control.check import report  # noqa: PLC0415 - serve needs none of it

    report(config.load(file, os.environ))


@app.command()
def query(
    name: Annotated[str, typer.Argument(help="The name to look up.")],
    qtype: Annotated[str, typer.Argument(metavar="[TYPE]", help="The record type.")] = "A",
    file: ConfigFile = None,
    group: Annotated[str, typer.Option(help="Ask this group instead of the one that the rules choose.")] = "",
) -> None:
    """Look a name up once through the configured upstreams, and show how long that took.

    Example: smartdoh query www.example.com AAAA
    """
    from smartdoh.control.query import ask, parse_question  # noqa: PLC0415 - serve needs none of it

    settings = config.load(file, os.environ)
    if group and group not in settings.groups:
        raise ConfigError("--group", f"{group!r} is no group; there are: {', '.join(settings.groups)}")
    if not ask(settings, parse_question(name, qtype), group):
        sys.exit(NOT_ANSWERED)


@app.command()
def version() -> None:
    """Print the version."""
    print(f"smartdoh {__version__}")
