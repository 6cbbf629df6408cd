"""From settings to a runtime. Nothing here waits, and nothing is asked of anybody."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from smartdoh.app import clock
from smartdoh.app.addressbook import AddressBook
from smartdoh.app.disk import no_disk
from smartdoh.app.lists.fetch import Way
from smartdoh.app.lists.keeper import ListKeeper
from smartdoh.app.lists.replay import replay_of
from smartdoh.app.lists.ways import ways
from smartdoh.app.overrides import OverridesFile, wall_clock
from smartdoh.app.parts import Parts
from smartdoh.app.runtime import InForce, Runtime
from smartdoh.app.timing import timing_of
from smartdoh.app.upstreams import Upstreams, trust_of, upstreams_of
from smartdoh.between import Between
from smartdoh.cache.disk import Disk
from smartdoh.cache.fingerprint import fingerprint
from smartdoh.cache.forget import forget
from smartdoh.cache.policy import Bounds
from smartdoh.cache.second import SecondLevel
from smartdoh.config import CacheSettings, Network, Settings
from smartdoh.fastpath import FastPath
from smartdoh.pipeline.asked import Asked
from smartdoh.pipeline.bogus import Bogus
from smartdoh.pipeline.explained import Explained
from smartdoh.pipeline.order import ipv4_first, shapers, stages
from smartdoh.pipeline.resolve import Resolver
from smartdoh.pipeline.selfprobe import SelfProbe
from smartdoh.pipeline.timing import Timing
from smartdoh.pipeline.zones import Zones
from smartdoh.rules.decide import Decisions
from smartdoh.rules.lists import NameSet
from smartdoh.rules.router import Router
from smartdoh.rules.views import Views
from smartdoh.tasks import Report, Tasks

OpenDisk = Callable[[CacheSettings], Disk | None]


def build(
    settings: Settings,
    tasks: Tasks,
    open_disk: OpenDisk = no_disk,
    present: Runtime | None = None,
    between: Between | None = None,
    book: AddressBook | None = None,
    probe: SelfProbe | None = None,
) -> Runtime:
    """The runtime of `settings`; a loop has to be running. Raises ConfigError where a file cannot be used.

    `open_disk` gives the second level; it is called once nothing can be refused any more. `book` has the addresses that
    bootstrap found in earlier runs, `probe` knows our own questions.

    What `present` has and the settings leave as it is, the table in memory, connections, and what was learned of
    upstreams and addresses, is taken over, and goes on undisturbed: `start` puts the new policy in force.
    """
    between = between or Between()
    views = Views(settings.listen.allow, settings.routing.rules)
    fast = _table(settings, views, present)
    in_force = InForce(fast)
    decisions = _decisions(settings)
    overrides = _overrides(settings, decisions, views, in_force, fast)
    parts = Parts(tasks.report, present.parts if present is not None else None)
    trust = trust_of(settings, parts)
    # Nothing is refused from here on.
    before = present.groups if present is not None else {}
    upstreams = upstreams_of(settings, trust, parts, between, before, book)
    bogus = Bogus({name: group.bogus_nxdomain for name, group in settings.groups.items()})
    lists = _lists(settings, decisions, bogus, in_force, ways(settings, upstreams.groups, trust))
    timing, measures = timing_of(settings, fast, upstreams, parts)
    parts.settle()
    disk = open_disk(settings.cache)
    zones = present.resolver.zones if present is not None else Zones()
    asked = present.resolver.asked if present is not None else Asked()
    resolver = _resolver(
        settings,
        fast,
        decisions,
        bogus,
        probe,
        upstreams,
        tasks.report,
        disk,
        timing,
        between,
        zones,
        asked,
    )
    return Runtime(
        settings,
        fast,
        resolver,
        decisions,
        views,
        in_force,
        overrides,
        lists,
        timing,
        measures,
        upstreams,
        parts,
        tasks,
        disk,
    )


def _table(settings: Settings, views: Views, present: Runtime | None) -> FastPath:
    """The present table, with all that is kept in it, unless it is to be of another size."""
    cache = settings.cache
    if present is not None and present.settings.cache.memory_entries == cache.memory_entries:
        return present.fast
    return FastPath(
        entries=cache.memory_entries,
        view_of=views.view_of,
        clock=clock.now,
        stale_at_once=not cache.stale_after,
        sets=views.sets,
    )


def _resolver(  # noqa: PLR0913, PLR0917 - one for each part that is put together here
    settings: Settings,
    fast: FastPath,
    decisions: Decisions,
    bogus: Bogus,
    probe: SelfProbe | None,
    upstreams: Upstreams,
    report: Report,
    disk: Disk | None,
    timing: Timing,
    between: Between,
    zones: Zones,
    asked: Asked,
) -> Resolver:
    cache, limits = settings.cache, settings.limits
    origins = {name: fingerprint(group, cache) for name, group in settings.groups.items()}
    bounds = _bounds(cache)
    second = SecondLevel(disk, origins, bounds, clock.now) if disk is not None else None
    look = Explained(
        decisions,
        upstreams.groups,
        stages(settings),
        fast.peek,
        second,
        lambda: bogus.lists,
        clock.now,
    )
    return Resolver(
        fast,
        decisions,
        upstreams.groups,
        stages(settings, probe, look if settings.local.explain else None),
        shapers(settings, decisions, bogus, fast.peek),
        bounds,
        report,
        clock.now,
        stale_after=cache.stale_after,
        second=second,
        timing=timing,
        origins=origins,
        between=between,
        zones=zones,
        asked=asked,
        questions=limits.questions,
        patience=limits.wait,
        ipv4_first=ipv4_first(settings),
    )


def _decisions(settings: Settings) -> Decisions:
    file = settings.routing.overrides
    router = Router(settings.routing.rules, settings.routing.default)
    return Decisions(router, wall_clock, *([file.name] if file is not None else []))


def _overrides(
    settings: Settings, decisions: Decisions, views: Views, in_force: InForce, fast: FastPath
) -> OverridesFile | None:
    path = settings.routing.overrides
    if path is None:
        return None

    def tell_apart(sets: Collection[tuple[Network, ...]]) -> None:
        if views.tell_apart(sets):
            in_force.changed()

    async def forget_names(names: Collection[bytes], zones: Collection[bytes]) -> None:
        in_force.changed()  # other names may lead to these by aliases; what still holds of them is found again
        await forget(fast, names, zones)

    return OverridesFile(path, settings.groups, decisions, tell_apart, forget_names)


def _lists(
    settings: Settings,
    decisions: Decisions,
    bogus: Bogus,
    in_force: InForce,
    ways_to: Mapping[str, Way],
) -> ListKeeper:
    routing = settings.routing
    closed = [name for name, wanted in settings.lists.items() if wanted.on_missing == "closed"]

    def put_in_force(lists: Mapping[str, NameSet | None]) -> None:
        decisions.router = Router(routing.rules, routing.default, lists, closed)
        bogus.lists = lists
        in_force.changed()

    return ListKeeper(settings.lists, ways_to, put_in_force, replay_of(settings))


def _bounds(cache: CacheSettings) -> Bounds:
    return Bounds(
        min_ttl=int(cache.min_ttl),
        max_ttl=int(cache.max_ttl),
        negative_max=int(cache.negative_max),
        failure_max=cache.failure,
        stale=cache.stale,
        prefetch=cache.prefetch,
    )
