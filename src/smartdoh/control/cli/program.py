"""The program: its commands, and how each of their failures ends."""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from smartdoh import __version__, config
from smartdoh.control.cli import names
from smartdoh.control.cli.cache import cache
from smartdoh.control.cli.common import (
    BAD_CONFIG,
    CANNOT_LISTEN,
    NOT_ANSWERED,
    NOT_RUNNING,
    REFUSED,
    AsJson,
    ConfigFile,
    Name,
    QType,
    log_to_stderr,
)
from smartdoh.control.cli.completion import PROGRAM, completion
from smartdoh.control.cli.completion import prepare as prepare_completion
from smartdoh.control.cli.dashboard import dashboard
from smartdoh.control.cli.leaks import leaks
from smartdoh.control.cli.lists import lists
from smartdoh.control.cli.log import log
from smartdoh.control.cli.order import Ordered
from smartdoh.control.cli.overrides import overrides
from smartdoh.control.cli.running import running
from smartdoh.control.cli.service import service
from smartdoh.control.cli.top import top
from smartdoh.control.cli.upstreams import upstreams
from smartdoh.control.cli.whatif import whatif
from smartdoh.control.failures import NotRunningError, RefusedError
from smartdoh.control.places import config_path
from smartdoh.errors import ConfigError, ListenError

app = typer.Typer(
    name="smartdoh",
    cls=Ordered,
    help="A local DNS server that answers over plain DNS and asks DNS-over-HTTPS servers.\n\n"
    "Example: smartdoh serve --config smartdoh.toml",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(cache, name="cache")
app.add_typer(lists, name="lists")
app.add_typer(overrides, name="overrides")
app.add_typer(upstreams, name="upstreams")
app.add_typer(running)
app.add_typer(completion)
app.add_typer(service, name="service")
app.command()(log)
app.command()(leaks)
app.command()(whatif)
app.add_typer(top)
app.add_typer(dashboard, name="dashboard")


def main() -> NoReturn:
    """Run the command line; errors that the user can mend are a line each, never a traceback."""
    prepare_completion()
    try:
        app(prog_name=PROGRAM)
    except ConfigError as error:
        _fail(str(error), BAD_CONFIG)
    except ListenError as error:
        _fail(str(error), CANNOT_LISTEN)
    except NotRunningError as error:
        _fail(str(error), NOT_RUNNING)
    except RefusedError as error:
        _fail(str(error), REFUSED)
    sys.exit(0)


def _fail(message: str, code: int) -> NoReturn:
    from smartdoh.app.journal import is_read_by_journal, marked  # noqa: PLC0415 - most commands do not fail

    to_journal = is_read_by_journal(os.environ)
    for line in message.splitlines():
        said = f"smartdoh: {line}"
        print(marked(said, "error") if to_journal else said, file=sys.stderr)
    sys.exit(code)


@app.command()
def serve(file: ConfigFile = None) -> None:
    """Answer questions until SIGTERM or SIGINT; SIGHUP reads the config again.

    Example: smartdoh serve --config smartdoh.toml
    """
    from smartdoh.app.lean import import_structlog  # noqa: PLC0415 - the other commands need none of it

    import_structlog()
    from smartdoh.app import logs  # noqa: PLC0415

    load = partial(config.load, file, os.environ)
    settings = load()
    logs.configure(settings.log.level, settings.log.format)
    if settings.server.workers > 1:
        from smartdoh.control.workers.becoming import become_supervisor  # noqa: PLC0415

        become_supervisor(settings, file)
    from smartdoh.app import server  # noqa: PLC0415
    from smartdoh.control.api.beside import control_socket  # noqa: PLC0415
    from smartdoh.control.dashboard.keeper import dashboard as pages  # noqa: PLC0415
    from smartdoh.control.metrics.beside import metrics, open_metrics  # noqa: PLC0415

    server.run(settings, load, [control_socket, partial(metrics, sock=open_metrics(settings)), pages])


@app.command(hidden=True)
def worker(seat: str, file: ConfigFile = None) -> None:
    """One of several processes that answer, as their supervisor starts it."""
    from smartdoh.app.lean import import_structlog  # noqa: PLC0415 - as for serve

    import_structlog()
    from smartdoh.app.workers.seat import Seat  # noqa: PLC0415
    from smartdoh.control.workers.serving import serve as answer  # noqa: PLC0415

    answer(Seat.from_json(seat), partial(config.load, file, os.environ))


@app.command()
def check(file: ConfigFile = None, as_json: AsJson = False) -> None:
    """Read the config, say what it means and what is doubtful in it.

    Example: smartdoh check --config smartdoh.toml
    """
    from smartdoh.control import check, check_json  # noqa: PLC0415 - serve needs none of it

    log_to_stderr()
    if as_json:
        check_json.report(partial(config.load, file, os.environ))
    else:
        check.report(config.load(file, os.environ))


@app.command()
def explain(
    name: Name,
    qtype: QType = "A",
    file: ConfigFile = None,
    client: Annotated[
        str, typer.Option(metavar="ADDRESS", help="As if the machine with this address asked.")
    ] = "127.0.0.1",
    as_json: AsJson = False,
) -> None:
    """Say why a question gets its answer: override, rule or list line, group, upstreams, and what is cached.

    Asks the proxy that runs with this config; without one, the config alone.

    Example: smartdoh explain www.example.com AAAA --client 192.168.1.20
    """
    from smartdoh.control.explain import explain as show  # noqa: PLC0415 - serve needs none of it

    log_to_stderr()
    path = config_path(file, os.environ)
    show(path, partial(config.load, file, os.environ), name, qtype, client, as_json=as_json)


@app.command()
def query(
    name: Name,
    qtype: QType = "A",
    file: ConfigFile = None,
    group: Annotated[
        str,
        typer.Option(
            help="Ask this group instead of the one that the rules choose.", autocompletion=names.groups
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Look a name up once through the configured upstreams, and show how long that took.

    Example: smartdoh query www.example.com AAAA
    """
    from smartdoh.control.query import ask  # noqa: PLC0415 - serve needs none of it
    from smartdoh.control.questions import parse_question  # noqa: PLC0415

    log_to_stderr()
    settings = config.load(file, os.environ)
    if group and group not in settings.groups:
        raise ConfigError("--group", f"{group!r} is no group; there are: {', '.join(settings.groups)}")
    if not ask(settings, parse_question(name, qtype), group, as_json=as_json):
        sys.exit(NOT_ANSWERED)


@app.command()
def reload(file: ConfigFile = None, as_json: AsJson = False) -> None:
    """Have the running proxy read its config and lists again; what is refused leaves the old one running.

    Example: smartdoh reload --config smartdoh.toml
    """
    from smartdoh.control.reload import reload as ask  # noqa: PLC0415 - serve needs none of it

    ask(config_path(file, os.environ), as_json=as_json)


@app.command()
def convert(
    old: Annotated[Path, typer.Argument(metavar="OLD.toml", help="The config.toml of a SmartDoHProxy.")],
    as_json: AsJson = False,
) -> None:
    """Print the config that means what a SmartDoHProxy's config.toml meant; what cannot be carried over is told.

    Example: smartdoh convert config.toml > smartdoh.toml
    """
    from smartdoh.control.convert import convert as write  # noqa: PLC0415 - serve needs none of it

    write(old, as_json=as_json)


@app.command()
def version(as_json: AsJson = False) -> None:
    """Print the version.

    Example: smartdoh version
    """
    print(json.dumps({"version": __version__}) if as_json else f"smartdoh {__version__}")
