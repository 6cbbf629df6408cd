"""From settings to a runtime. Nothing here waits, and nothing is asked of anybody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from functools import partial

from smartdoh.app import clock
from smartdoh.app.disk import no_disk
from smartdoh.app.lists.fetch import Way
from smartdoh.app.lists.keeper import ListKeeper
from smartdoh.app.lists.ways import ways
from smartdoh.app.overrides import OverridesFile, wall_clock
from smartdoh.app.runtime import Runtime
from smartdoh.app.timing import timing_of
from smartdoh.cache.disk import Disk
from smartdoh.cache.fingerprint import fingerprint
from smartdoh.cache.forget import forget
from smartdoh.cache.policy import Bounds
from smartdoh.cache.second import SecondLevel
from smartdoh.config import CacheSettings, GroupSettings, Network, Settings, UpstreamUrl
from smartdoh.errors import ConfigError
from smartdoh.fastpath import FastPath
from smartdoh.pipeline.order import stages
from smartdoh.pipeline.resolve import Resolver
from smartdoh.rules.decide import Decisions
from smartdoh.rules.lists import NameSet
from smartdoh.rules.router import Router
from smartdoh.rules.views import Views
from smartdoh.tasks import Tasks
from smartdoh.upstream.bootstrap import TIMEOUT as BOOTSTRAP_TIMEOUT
from smartdoh.upstream.bootstrap import Bootstrap
from smartdoh.upstream.doh import DohTransport, Origin
from smartdoh.upstream.group import STRATEGIES, Failover, Group, Hedged
from smartdoh.upstream.member import Member
from smartdoh.upstream.trust import TrustStore

OpenDisk = Callable[[CacheSettings], Disk | None]


def build(settings: Settings, tasks: Tasks, open_disk: OpenDisk = no_disk) -> Runtime:
    """The runtime of `settings`; a loop has to be running. Raises ConfigError where a file cannot be used.

    `open_disk` gives the second level; it is called once nothing can be refused any more.
    """
    cache = settings.cache
    views = Views(settings.listen.allow, settings.routing.rules)
    fast = FastPath(
        entries=cache.memory_entries,
        view_of=views.view_of,
        clock=clock.now,
        stale_at_once=not cache.stale_after,
        sets=views.sets,
    )
    system_trust = TrustStore()
    doh = _bootstrap_groups(settings, system_trust, tasks)
    plain = [(url.host, url.port) for url in settings.bootstrap.servers if not isinstance(url, UpstreamUrl)]
    bootstrap = Bootstrap([*plain, *doh], tasks, clock.now)
    trust = {name: _trust(name, group, system_trust) for name, group in settings.groups.items()}
    groups = {name: _group(group, bootstrap, trust[name], tasks) for name, group in settings.groups.items()}
    decisions = Decisions(Router(settings.routing.rules, settings.routing.default), wall_clock)
    overrides = _overrides(settings, decisions, views, fast)
    lists = _lists(settings, decisions, fast, ways(settings, groups, trust))
    timing = timing_of(settings, fast, bootstrap, trust, tasks)
    disk = open_disk(cache)
    resolver = Resolver(
        fast,
        decisions,
        groups,
        stages(settings),
        (),
        _bounds(cache),
        tasks.report,
        clock.now,
        cache.stale_after,
        _second_level(settings, disk),
        timing,
    )
    stores = (system_trust, *trust.values())
    return Runtime(
        settings,
        fast,
        resolver,
        decisions,
        views,
        overrides,
        lists,
        timing,
        groups,
        tuple(doh),
        stores,
        tasks,
        disk,
    )


def _overrides(
    settings: Settings, decisions: Decisions, views: Views, fast: FastPath
) -> OverridesFile | None:
    path = settings.routing.overrides
    if path is None:
        return None

    def tell_apart(sets: Collection[tuple[Network, ...]]) -> None:
        if views.tell_apart(sets):
            fast.next_generation()

    return OverridesFile(path, settings.groups, decisions, tell_apart, partial(forget, fast))


def _lists(
    settings: Settings, decisions: Decisions, fast: FastPath, ways_to: Mapping[str, Way]
) -> ListKeeper:
    routing = settings.routing
    closed = [name for name, wanted in settings.lists.items() if wanted.on_missing == "closed"]

    def put_in_force(lists: Mapping[str, NameSet | None]) -> None:
        decisions.router = Router(routing.rules, routing.default, lists, closed)
        fast.next_generation()

    return ListKeeper(settings.lists, ways_to, put_in_force)


def _bounds(cache: CacheSettings) -> Bounds:
    return Bounds(
        min_ttl=int(cache.min_ttl),
        max_ttl=int(cache.max_ttl),
        negative_max=int(cache.negative_max),
        failure_max=cache.failure,
        stale=cache.stale,
        prefetch=cache.prefetch,
    )


def _second_level(settings: Settings, disk: Disk | None) -> SecondLevel | None:
    if disk is None:
        return None
    fingerprints = {name: fingerprint(group, settings.cache) for name, group in settings.groups.items()}
    return SecondLevel(disk, fingerprints, _bounds(settings.cache), clock.now)


def _trust(name: str, group: GroupSettings, system: TrustStore) -> TrustStore:
    if group.ca_file is None:
        return system
    try:
        return TrustStore(group.ca_file)
    except OSError as error:
        raise ConfigError(f"groups.{name}.ca_file", f"{str(group.ca_file)!r}: {error.strerror}") from error


def _bootstrap_groups(settings: Settings, trust: TrustStore, tasks: Tasks) -> list[Group]:
    """The DoH servers among the bootstrap's, which are given by address, each by itself so that they are raced."""
    groups: list[Group] = []
    for url in settings.bootstrap.servers:
        if isinstance(url, UpstreamUrl):
            transport = DohTransport(Origin(url.url, url.host, url.port), trust, asyncio.get_running_loop())
            groups.append(Failover(url.host, [Member(transport, None, tasks)], BOOTSTRAP_TIMEOUT))
    return groups


def _group(settings: GroupSettings, bootstrap: Bootstrap, trust: TrustStore, tasks: Tasks) -> Group:
    members = [_member(url, settings, bootstrap, trust, tasks) for url in settings.upstreams]
    strategy = STRATEGIES[settings.strategy]
    if strategy is Hedged:
        return Hedged(settings.name, members, settings.timeout, hedge_percent=settings.hedge_percent)
    return strategy(settings.name, members, settings.timeout)


def _member(
    url: UpstreamUrl, settings: GroupSettings, bootstrap: Bootstrap, trust: TrustStore, tasks: Tasks
) -> Member:
    """One upstream. Behind a proxy that resolves names, the proxy's own name is the only one to find here."""
    via = settings.via
    origin = Origin(url.url, url.host, url.port, via.url if via else "", settings.idle, settings.timeout)
    transport = DohTransport(origin, trust, asyncio.get_running_loop())
    finder = None
    if via is not None and not via.is_address:
        finder = bootstrap.finder(via.host)
        transport.resolve_as = (via.host, via.port)
    elif not url.is_address and not (via and via.resolves_names):
        finder = bootstrap.finder(url.host)
    return Member(transport, finder, tasks, max_in_flight=settings.max_in_flight, trust_ad=settings.trust_ad)
