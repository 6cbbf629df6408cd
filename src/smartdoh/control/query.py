"""`smartdoh query`: one look-up through the configured upstreams, shown."""

from __future__ import annotations

import json
import sys

import dns.message
from rich.console import Console

from smartdoh.app import loop
from smartdoh.app.build import build
from smartdoh.config import Settings
from smartdoh.control.lookup import LookUp, look_up
from smartdoh.model import Query
from smartdoh.tasks import Tasks


def ask(settings: Settings, query: Query, group: str, *, as_json: bool = False) -> bool:
    """Ask and print; whether there was an answer."""
    found = loop.run(_ask(settings, query, group))
    if as_json:
        print(json.dumps(found.told(), ensure_ascii=False))
    else:
        _show(found)
    return found.error is None


async def _ask(settings: Settings, query: Query, group: str) -> LookUp:
    runtime = build(settings, Tasks(_report))
    await runtime.prepare()
    try:
        return await look_up(runtime, query, group)
    finally:
        await runtime.aclose()


def _show(found: LookUp) -> None:
    console = Console(highlight=False, soft_wrap=True)
    if found.here:
        console.print(f"answered here, nobody was asked ({found.why})", markup=False)
        console.print(dns.message.from_wire(found.here).to_text(), markup=False)
        return
    console.print(f"group {found.group} ({found.why})", markup=False)
    took = f"{found.milliseconds:.1f} ms"
    if found.answer is None:
        console.print(f"no answer after {took}: {found.error}", style="red", markup=False)
        return
    console.print(f"answer from {found.answer.source} in {took}", markup=False)
    console.print(dns.message.from_wire(found.answer.wire).to_text(), markup=False)


def _report(name: str, error: BaseException) -> None:
    print(f"smartdoh: {name}: {error}", file=sys.stderr)
