"""The upstream side of a runtime: whom its groups trust, how their hosts are found, their connections and health.

All of it is taken from the runtime before where the settings behind it are the same.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from smartdoh.app import clock
from smartdoh.app.addressbook import AddressBook
from smartdoh.app.parts import Parts
from smartdoh.between import Between
from smartdoh.config import GroupSettings, Settings, UpstreamUrl
from smartdoh.errors import ConfigError
from smartdoh.tasks import Tasks
from smartdoh.upstream.bootstrap import TIMEOUT as BOOTSTRAP_TIMEOUT
from smartdoh.upstream.bootstrap import Bootstrap
from smartdoh.upstream.doh import DohTransport
from smartdoh.upstream.group import STRATEGIES, Failover, Group, Hedged
from smartdoh.upstream.line import Origin
from smartdoh.upstream.member import Member
from smartdoh.upstream.plain import PlainServer
from smartdoh.upstream.trust import TrustStore, system_bundle

_NO_GROUPS: Mapping[str, Group] = {}
_OF_ANSWERS: dict[str, Any] = {  # what is done to answers is nothing to those who fetch them
    "fastest_ip": "off",
    "is_private": False,
    "bogus_nxdomain": "",
    "ipv6": "keep",
}


@dataclass(frozen=True, slots=True)
class Upstreams:
    """What questions leave by."""

    bootstrap: Bootstrap
    servers: tuple[Group, ...]  # bootstrap's own that speak DoH
    hosts: frozenset[str]  # those that bootstrap finds for these groups
    trust: Mapping[str, TrustStore]  # each group's, by its name
    groups: Mapping[str, Group]
    fixed: frozenset[str]  # all addresses that the config names to connect to

    @property
    def addresses(self) -> frozenset[str]:
        """All addresses that may be connected to, as far as they are known."""
        return self.fixed.union(*self.bootstrap.learned().values())

    @property
    def asked(self) -> list[Member | PlainServer]:
        """Every server that is asked anything."""
        groups = (*self.servers, *self.groups.values())
        return [*self.bootstrap.plain, *(member for group in groups for member in group.members)]

    def renew(self, *, new_connections: bool) -> None:
        """The network, or the date, is another: failures so far say nothing, and addresses are looked up again."""
        for group in (*self.servers, *self.groups.values()):
            for member in group.members:
                member.renew(new_connections=new_connections)
        self.bootstrap.renew()


def trust_of(settings: Settings, parts: Parts) -> dict[str, TrustStore]:
    """Whom each group trusts, by its name; "" is the system's alone. Raises ConfigError, and leaves nothing open."""
    stores = {"": _trust(None, parts)}
    for name, group in settings.groups.items():
        try:
            stores[name] = _trust(group.ca_file, parts)
        except OSError as error:
            parts.abandon()
            words = f"{str(group.ca_file)!r}: {error.strerror}"
            raise ConfigError(f"groups.{name}.ca_file", words) from error
    return stores


def upstreams_of(
    settings: Settings,
    trust: Mapping[str, TrustStore],
    parts: Parts,
    between: Between,
    before: Mapping[str, Group] = _NO_GROUPS,
    book: AddressBook | None = None,
) -> Upstreams:
    """The groups of `settings`; the counters of those in `before` go on. Without a `book` no address is remembered."""
    servers = _bootstrap_groups(settings, trust[""], parts)
    bootstrap = _bootstrap(settings, servers, parts, book)
    groups = {}
    for name, group in settings.groups.items():
        groups[name] = made = _group(group, bootstrap, trust[name], parts, between)
        if name in before:
            made.questions, made.hedges = before[name].questions, before[name].hedges
    hosts = (_host_to_find(url, group) for group in settings.groups.values() for url in group.upstreams)
    wanted = frozenset(host for host in hosts if host)
    return Upstreams(bootstrap, tuple(servers), wanted, trust, groups, frozenset(_fixed(settings)))


def _fixed(settings: Settings) -> Iterator[str]:
    yield from (server.host for server in settings.bootstrap.servers)
    for group in settings.groups.values():
        if group.via is not None:
            yield from (group.via.host,) if group.via.is_address else ()
        else:
            yield from (url.host for url in group.upstreams if url.is_address)


def _trust(ca_file: Path | None, parts: Parts) -> TrustStore:
    """One store for each file, and another one when what is in it, or the system's, is another."""
    key = ("trust", ca_file, _state(system_bundle()), _state(ca_file))
    return parts.take(key, lambda _: TrustStore(ca_file), TrustStore.close)


def _state(path: Path | None) -> Hashable:
    """What tells two contents of a file apart without reading them. Raises OSError."""
    if path is None:
        return None
    found = os.stat(path)
    return str(path), found.st_mtime_ns, found.st_ino, found.st_dev, found.st_size


def _bootstrap_groups(settings: Settings, trust: TrustStore, parts: Parts) -> list[Group]:
    servers = settings.bootstrap.servers
    return [_bootstrap_group(url, trust, parts) for url in servers if isinstance(url, UpstreamUrl)]


def _bootstrap(settings: Settings, doh: list[Group], parts: Parts, book: AddressBook | None) -> Bootstrap:
    servers = settings.bootstrap.servers
    plain = [(url.host, url.port) for url in servers if not isinstance(url, UpstreamUrl)]
    if not settings.bootstrap.remember:
        book = None

    def make(tasks: Tasks) -> Bootstrap:
        if book is None:
            return Bootstrap([*plain, *doh], tasks, clock.now)
        return Bootstrap([*plain, *doh], tasks, clock.now, remembered=book.known(), tell=book.note)

    return parts.take(("bootstrap", settings.bootstrap, *doh), make)


def _bootstrap_group(url: UpstreamUrl, trust: TrustStore, parts: Parts) -> Group:
    """A DoH server among the bootstrap's, which is given by address; each by itself, so that they are raced."""

    def make(tasks: Tasks) -> Group:
        transport = DohTransport(Origin(url.url, url.host, url.port), trust, asyncio.get_running_loop())
        member = Member(transport, None, tasks, group="bootstrap")
        return Failover(url.host, [member], BOOTSTRAP_TIMEOUT)

    return parts.take(("bootstrap server", url, trust), make, Group.aclose)


def _group(
    settings: GroupSettings, bootstrap: Bootstrap, trust: TrustStore, parts: Parts, between: Between
) -> Group:
    """One group; its members have the connections, and go on where it is asked in another way."""
    members = [_member(url, settings, bootstrap, trust, parts, between) for url in settings.upstreams]
    key = ("group", replace(settings, **_OF_ANSWERS), *members)
    return parts.take(key, lambda _: _group_of(settings, members))


def _group_of(settings: GroupSettings, members: list[Member]) -> Group:
    strategy = STRATEGIES[settings.strategy]
    if strategy is Hedged:
        return Hedged(settings.name, members, settings.timeout, hedge_percent=settings.hedge_percent)
    return strategy(settings.name, members, settings.timeout)


def _member(
    url: UpstreamUrl,
    settings: GroupSettings,
    bootstrap: Bootstrap,
    trust: TrustStore,
    parts: Parts,
    between: Between,
) -> Member:
    """One upstream, for this group alone."""
    via, host = settings.via, _host_to_find(url, settings)
    origin = Origin(url.url, url.host, url.port, via.url if via else "", settings.idle, settings.timeout)

    def make(tasks: Tasks) -> Member:
        transport = DohTransport(origin, trust, asyncio.get_running_loop(), between)
        if via is not None and not via.is_address:
            transport.resolve_as = (via.host, via.port)
        finder = bootstrap.finder(host) if host else None
        return Member(
            transport,
            finder,
            tasks,
            max_in_flight=settings.max_in_flight,
            trust_ad=settings.trust_ad,
            group=settings.name,
        )

    found_by = bootstrap if host else None
    key = ("member", settings.name, origin, trust, found_by, settings.max_in_flight, settings.trust_ad)
    return parts.take(key, make, Member.aclose)


def _host_to_find(url: UpstreamUrl, settings: GroupSettings) -> str:
    """The name that has to be resolved here; empty if there is none.

    Behind a proxy that is given by name that is the proxy's, and the only one.
    """
    via = settings.via
    if via is not None and not via.is_address:
        return via.host
    if url.is_address or (via is not None and via.resolves_names):
        return ""
    return url.host
