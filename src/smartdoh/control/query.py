"""`smartdoh query`: one look-up through the configured upstreams, with its timing."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import dns.message
import dns.rcode
from rich.console import Console

from smartdoh.app import loop
from smartdoh.app.build import build
from smartdoh.config import Settings
from smartdoh.errors import UpstreamError
from smartdoh.model import Answer, Query
from smartdoh.tasks import Tasks


@dataclass(slots=True)
class Asked:
    """What was asked of whom, and what came of it."""

    group: str
    why: str
    answer: Answer | None = None
    error: UpstreamError | None = None
    milliseconds: float = 0.0
    here: bytes = b""  # the answer that needed no upstream, as a client gets it


Show = Callable[[Asked], None]


def ask(settings: Settings, query: Query, group: str, *, as_json: bool = False) -> bool:
    """Ask and print; whether any upstream answered."""
    show = _show_json if as_json else _show
    return loop.run(_ask(settings, query, group, show))


async def _ask(settings: Settings, query: Query, group: str, show: Show) -> bool:
    runtime = build(settings, Tasks(_report))
    await runtime.prepare()
    route = runtime.decisions.route(query)
    chosen = runtime.groups[group or route.group]
    asked = Asked(chosen.name, "--group" if group else route.why)
    started = time.perf_counter()
    here = None if group else runtime.resolver.answer_here(query, route)
    if here is not None:
        await runtime.aclose()
        asked.here = runtime.fast.render(query, here, udp=False)
        asked.why = here.source
        show(asked)
        return True
    try:
        asked.answer = await chosen.exchange(query, asyncio.get_running_loop().time() + chosen.timeout)
    except UpstreamError as error:
        asked.error = error
    finally:
        asked.milliseconds = (time.perf_counter() - started) * 1e3
        await runtime.aclose()
    show(asked)
    return asked.answer is not None


def _show(asked: Asked) -> None:
    console = Console(highlight=False, soft_wrap=True)
    if asked.here:
        console.print(f"answered here, nobody was asked ({asked.why})", markup=False)
        console.print(dns.message.from_wire(asked.here).to_text(), markup=False)
        return
    console.print(f"group {asked.group} ({asked.why})", markup=False)
    took = f"{asked.milliseconds:.1f} ms"
    if asked.answer is None:
        console.print(f"no answer after {took}: {asked.error}", style="red", markup=False)
        return
    console.print(f"answer from {asked.answer.source} in {took}", markup=False)
    console.print(dns.message.from_wire(asked.answer.wire).to_text(), markup=False)


def _show_json(asked: Asked) -> None:
    found: dict[str, object] = {
        "group": asked.group,
        "why": asked.why,
        "took_ms": round(asked.milliseconds, 1),
        "error": f"{asked.error.kind}: {asked.error}" if asked.error else None,
    }
    wire = asked.answer.wire if asked.answer is not None else asked.here
    if wire:
        message = dns.message.from_wire(wire)
        found["source"] = asked.answer.source if asked.answer is not None else asked.why
        found["rcode"] = dns.rcode.to_text(message.rcode())
        for section in ("answer", "authority", "additional"):
            rrsets = getattr(message, section)
            found[section] = [line for rrset in rrsets for line in rrset.to_text().splitlines()]
    print(json.dumps(found, ensure_ascii=False))


def _report(name: str, error: BaseException) -> None:
    print(f"smartdoh: {name}: {error}", file=sys.stderr)
