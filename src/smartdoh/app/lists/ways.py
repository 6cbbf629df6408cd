"""How each list is fetched: through which group, found by its servers and reached by its proxy."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial

from smartdoh.app.lists.fetch import Way
from smartdoh.config import ListSettings, Settings
from smartdoh.errors import NetworkDown, UpstreamError
from smartdoh.model import Query
from smartdoh.upstream.addresses import addresses_in
from smartdoh.upstream.group import Group
from smartdoh.upstream.trust import TrustStore
from smartdoh.wire.codes import AAAA, IN, RD, A
from smartdoh.wire.names import from_text
from smartdoh.wire.question import parse_query

SECONDS = 10.0  # for finding a host


def ways(settings: Settings, groups: Mapping[str, Group], trust: Mapping[str, TrustStore]) -> dict[str, Way]:
    """The way to each list that has a URL."""
    return {
        name: _way(settings, group_of(settings, wanted), groups, trust)
        for name, wanted in settings.lists.items()
        if wanted.url
    }


def group_of(settings: Settings, wanted: ListSettings) -> str:
    """The group that fetches a list: its own, else that of the first rule or group which uses it, else the default."""
    users = [rule.group for rule in settings.routing.rules if rule.list == wanted.name and rule.group]
    users += [group.name for group in settings.groups.values() if group.bogus_nxdomain == wanted.name]
    return wanted.group or next(iter(users), settings.routing.default)


def _way(settings: Settings, name: str, groups: Mapping[str, Group], trust: Mapping[str, TrustStore]) -> Way:
    via = settings.groups[name].via
    find = partial(find_addresses, groups[name])
    if via is None:
        return Way(find, trust[name])
    host = "" if via.is_address else via.host
    return Way(find, trust[name], via.url, host, via.port, via.resolves_names)


async def find_addresses(group: Group, host: str) -> tuple[str, ...]:
    """The addresses of `host` as the group's servers give them. Raises UpstreamError."""
    deadline = asyncio.get_running_loop().time() + SECONDS
    results = await asyncio.gather(
        *(_ask(group, _question(host, qtype), deadline) for qtype in (A, AAAA)), return_exceptions=True
    )
    found = [address for result in results if isinstance(result, tuple) for address in result]
    if found:
        return tuple(found)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    raise NetworkDown(f"{host} has no address", group.name)


async def _ask(group: Group, query: Query, deadline: float) -> tuple[str, ...]:
    try:
        return addresses_in(await group.exchange(query, deadline), query).addresses
    except ValueError as error:
        raise UpstreamError(str(error), group.name) from error


def _question(host: str, qtype: int) -> Query:
    head = bytes(2) + RD.to_bytes(2) + b"\0\1" + bytes(6)
    return parse_query(head + from_text(host) + qtype.to_bytes(2) + IN.to_bytes(2))
