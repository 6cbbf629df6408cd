"""Why a question gets the answer that it gets: each step that decides is asked, and none acts."""

from __future__ import annotations

import asyncio
import ipaddress

import dns.rdatatype

from smartdoh.app.runtime import Runtime
from smartdoh.control.api import health, kept, ondisk
from smartdoh.control.api.shapes import Action, Decision, Explanation, LetThrough, RankedAddress
from smartdoh.control.questions import parse_question
from smartdoh.errors import ConfigError
from smartdoh.model import Query, Route
from smartdoh.pipeline.order import stages
from smartdoh.rules.lists import line_text
from smartdoh.speed.board import Row
from smartdoh.wire import names


async def explain(runtime: Runtime, name: str, qtype: str, client: str, *, running: bool) -> Explanation:
    """The explanation for a question by the client at an address. Raises ConfigError where the words make no sense."""
    host = _address(client)
    view = runtime.views.view_of(host)
    query = parse_question(name, qtype, view or 0, host)
    route = runtime.decisions.route(query)
    found = _explained(runtime, query, route, host, running=running)
    await asyncio.to_thread(_quote, runtime, found)
    return found


def _explained(runtime: Runtime, query: Query, route: Route, host: str, *, running: bool) -> Explanation:
    return Explanation(
        name=names.to_text(query.name),
        type=dns.rdatatype.to_text(dns.rdatatype.RdataType.make(query.qtype)),
        client=host,
        running=running,
        may_ask=runtime.views.view_of(host) is not None,
        decision=_decision(route),
        let_through=_let_through(runtime, query, route),
        lists_missing=[name for name, state in runtime.lists.states.items() if state.names is None],
        answered_here=_answered_here(runtime, query, route),
        group=health.group(runtime, route.group),
        cached=kept.of_question(runtime.fast, query) or ondisk.of_question(runtime, query, route.group),
        addresses=[_ranked(row) for row in runtime.timing.snapshot(query.name)],
    )


def _ranked(row: Row) -> RankedAddress:
    return RankedAddress(
        address=row.address,
        way=row.way,
        standing=row.standing,
        connect_ms=None if row.seconds is None else round(row.seconds * 1000, 1),
        port=row.port or None,
        age_s=None if row.measured_ago is None else round(row.measured_ago, 1),
        proof=row.proof,
    )


def _address(client: str) -> str:
    try:
        return str(ipaddress.ip_address(client))
    except ValueError:
        raise ConfigError("--client", f"{client!r} is no IP address") from None


def _decision(route: Route) -> Decision:
    return Decision(
        action=_action(route),
        why=route.why,
        group=route.group,
        list=route.list_name,
        file=route.file,
        line=route.line,
        text="",
        addresses=[str(ipaddress.ip_address(address)) for address in route.addresses],
    )


def _let_through(runtime: Runtime, query: Query, route: Route) -> list[LetThrough]:
    """The exceptions that the rules came past; none where an override decided instead of them."""
    router = runtime.decisions.router
    if router.route(query).why != route.why:
        return []
    return [
        LetThrough(why=passed.rule, list=passed.list_name, file=passed.file, line=passed.line, text="")
        for passed in router.exceptions(query)
    ]


def _quote(runtime: Runtime, found: Explanation) -> None:
    """Add what the lines say: a list in base64 cannot be looked up by hand. It takes as long as reading the lists."""
    for told in (found["decision"], *found["let_through"]):
        state = runtime.lists.states.get(told["list"])
        if state is not None:
            text = line_text(state.files.file, state.settings.format, told["line"])
            told["text"] = text or ""


def _action(route: Route) -> Action:
    if route.is_refused:
        return "refuse"
    if route.is_blocked:
        return "block"
    return "answer" if route.addresses or route.pointer else "ask"


def _answered_here(runtime: Runtime, query: Query, route: Route) -> str | None:
    for stage in stages(runtime.settings):
        answer = stage(query, route)
        if answer is not None:
            return answer.source or "smartdoh"
    return None
