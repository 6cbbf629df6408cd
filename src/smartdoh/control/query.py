"""`smartdoh query`: one look-up through the configured upstreams, with its timing."""

from __future__ import annotations

import asyncio
import sys
import time

import dns.exception
import dns.flags
import dns.message
import dns.rdatatype
from rich.console import Console

from smartdoh.app import loop
from smartdoh.app.build import build
from smartdoh.config import Settings
from smartdoh.errors import ConfigError, UpstreamError
from smartdoh.model import Answer, Query
from smartdoh.tasks import Tasks
from smartdoh.wire.question import parse_query


def parse_question(name: str, qtype: str) -> Query:
    """What the command line asks, as a client's question. Raises ConfigError where it is no name or no type."""
    try:
        message = dns.message.make_query(name, dns.rdatatype.from_text(qtype))
    except dns.exception.DNSException as error:
        raise ConfigError("query", f"{name!r} {qtype!r}: {error}") from error
    return parse_query(message.to_wire())


def ask(settings: Settings, query: Query, group: str) -> bool:
    """Ask and print; whether any upstream answered."""
    return loop.run(_ask(settings, query, group))


async def _ask(settings: Settings, query: Query, group: str) -> bool:
    runtime = build(settings, Tasks(_report))
    route = runtime.router.route(query)
    chosen = runtime.groups[group or route.group]
    console = Console(highlight=False, soft_wrap=True)
    why = "--group" if group else route.why
    console.print(f"group {chosen.name} ({why})", markup=False)
    started = time.perf_counter()
    try:
        answer = await chosen.exchange(query, asyncio.get_running_loop().time() + chosen.timeout)
    except UpstreamError as error:
        console.print(
            f"no answer after {_milliseconds(started)}: {error.kind}: {error}", style="red", markup=False
        )
        return False
    finally:
        await runtime.aclose()
    _show(console, answer, started)
    return True


def _show(console: Console, answer: Answer, started: float) -> None:
    message = dns.message.from_wire(answer.wire)
    console.print(f"answer from {answer.source} in {_milliseconds(started)}", markup=False)
    console.print(message.to_text(), markup=False)


def _milliseconds(since: float) -> str:
    return f"{(time.perf_counter() - since) * 1e3:.1f} ms"


def _report(name: str, error: BaseException) -> None:
    print(f"smartdoh: {name}: {error}", file=sys.stderr)
