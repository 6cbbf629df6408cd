"""`smartdoh explain`: asked of the proxy that runs, else worked out from the config, and shown."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from rich.console import Console

from smartdoh.config import Settings
from smartdoh.control import client, groups, tables
from smartdoh.control.api.shapes import (
    Decision,
    Explanation,
    KeptAnswer,
    LetThrough,
    RankedAddress,
)
from smartdoh.control.failures import NotRunningError

Load = Callable[[], Settings]
"""Reads the config. Raises ConfigError."""


def explain(config: Path, load: Load, name: str, qtype: str, host: str, *, as_json: bool) -> None:
    """Print why. Raises ConfigError or RefusedError where the words make no sense."""
    found = _explanation(config, load, name, qtype, host)
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        show(found, tables.console())


def _explanation(config: Path, load: Load, name: str, qtype: str, host: str) -> Explanation:
    wanted = urlencode({"name": name, "type": qtype, "client": host})
    try:
        found: Explanation = client.find(config, os.environ).get(f"/explain?{wanted}")
    except NotRunningError as error:
        print(f"smartdoh: {error}; this is from the config alone", file=sys.stderr)
        return _from_config(load(), name, qtype, host)
    return found


def _from_config(settings: Settings, name: str, qtype: str, host: str) -> Explanation:
    from smartdoh.app import loop  # noqa: PLC0415 - only this way needs the whole program
    from smartdoh.app.build import build  # noqa: PLC0415
    from smartdoh.control.api.explaining import explain as explained  # noqa: PLC0415
    from smartdoh.tasks import Tasks  # noqa: PLC0415

    async def work_out() -> Explanation:
        runtime = build(settings, Tasks(_report))
        try:
            await runtime.prepare()
            return await explained(runtime, name, qtype, host, running=False)
        finally:
            await runtime.aclose()

    return loop.run(work_out())


def _report(name: str, error: BaseException) -> None:
    print(f"smartdoh: {name}: {error}", file=sys.stderr)


def show(found: Explanation, console: Console) -> None:
    """Print it."""

    def line(words: str, style: str = "") -> None:
        console.print(words, markup=False, style=style)

    line(f"{found['name']} {found['type']}, asked by {found['client']}", "bold")
    if not found["may_ask"]:
        line("refused: listen.allow does not have this client", "red")
    for words in _decision(found["decision"]):
        line(words)
    for passed in found["let_through"]:
        line(f"let through by: {passed['why']}: {_line_of(passed)}")
    if found["lists_missing"]:
        line(f"never loaded: {', '.join(found['lists_missing'])}", "yellow")
    if found["answered_here"]:
        line(f"answered here: {found['answered_here']}")
    else:
        groups.show(found["group"], console)
    if found["running"]:
        _show_cached(found["cached"], console)
        _show_addresses(found["addresses"], console)


def _decision(decision: Decision) -> list[str]:
    what = {
        "ask": f"group {decision['group']}",
        "answer": f"answered with {', '.join(decision['addresses']) or 'the name of an override'}",
        "block": "blocked",
        "refuse": "refused: a list that fails closed was never loaded",
    }[decision["action"]]
    lines = [f"decision: {what}", f"because of: {decision['why']}"]
    if decision["list"]:
        lines.append(f"list: {_line_of(decision)}")
    return lines


def _line_of(told: Decision | LetThrough) -> str:
    if not told["line"]:
        return told["list"]
    text = f": {told['text']}" if told["text"] else ""
    return f"{told['list']}, {told['file']} line {told['line']}{text}"


def _show_cached(answers: list[KeptAnswer], console: Console) -> None:
    if not answers:
        console.print("cache: nothing is kept")
    for kept in answers:
        bits = [
            word for word, is_set in (("DO", kept["dnssec_ok"]), ("CD", kept["checking_disabled"])) if is_set
        ]
        asked = f" for {' '.join(bits)}" if bits else ""
        console.print(
            f"cache ({kept['level']}){asked}: {kept['rcode']}, {_freshness(kept)}, {tables.span(kept['age_s'])} old, "
            f"from {kept['source']}",
            markup=False,
        )
        for record in kept["records"]:
            console.print(f"  {record}", markup=False)


def _show_addresses(addresses: list[RankedAddress], console: Console) -> None:
    if not addresses:
        return
    rows = [
        (
            ranked["address"],
            ranked["standing"],
            "" if ranked["connect_ms"] is None else f"{ranked['connect_ms']} ms to port {ranked['port']}",
            "" if ranked["age_s"] is None else f"{tables.span(ranked['age_s'])} ago",
            ranked["way"],
        )
        for ranked in addresses
    ]
    tables.show(
        "addresses, best first", ("address", "standing", "connects in", "measured", "way"), rows, to=console
    )


def _freshness(kept: KeptAnswer) -> str:
    if kept["state"] == "fresh":
        return f"fresh for {tables.span(kept['left_s'])}"
    if kept["state"] == "stale":
        return f"stale, may be given for {tables.span(kept['stale_left_s'])}"
    return "expired"
