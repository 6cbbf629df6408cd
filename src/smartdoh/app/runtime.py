"""What one config makes: everything between the listeners and the upstreams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from smartdoh.app.lists.keeper import ListKeeper
from smartdoh.app.overrides import OverridesFile
from smartdoh.app.parts import Parts
from smartdoh.app.timing import Measures
from smartdoh.app.upstreams import Upstreams
from smartdoh.cache.disk import Disk
from smartdoh.config import Settings
from smartdoh.fastpath import FastPath
from smartdoh.pipeline.resolve import Resolver
from smartdoh.pipeline.timing import Timing
from smartdoh.rules.decide import Decisions
from smartdoh.rules.views import Views
from smartdoh.tasks import Tasks
from smartdoh.upstream.group import Group


class InForce:
    """Whether a runtime is the one that answers: only then does the table hear that its policy has changed."""

    __slots__ = ("_fast", "is_so")

    def __init__(self, fast: FastPath) -> None:
        self._fast = fast
        self.is_so = False

    def changed(self) -> None:
        """What is kept was decided otherwise."""
        if self.is_so:
            self._fast.next_generation()


@dataclass(frozen=True, slots=True)
class Runtime:
    """The parts that work together. A reload makes another, which takes over what it can use, and lets this one end."""

    settings: Settings
    fast: FastPath
    resolver: Resolver
    decisions: Decisions
    views: Views
    in_force: InForce
    overrides: OverridesFile | None
    lists: ListKeeper
    timing: Timing
    measures: Measures
    upstreams: Upstreams
    parts: Parts
    tasks: Tasks
    disk: Disk | None = None  # not closed here: the next runtime may use it too

    @property
    def groups(self) -> Mapping[str, Group]:
        """The groups by their names."""
        return self.upstreams.groups

    async def prepare(self) -> None:
        """Open what has to be there before the first question."""
        await self.lists.prepare()

    def start(self) -> None:
        """Answer by this policy from now on, and begin what goes on in the background."""
        at_once = not self.settings.cache.stale_after
        self.fast.change_policy(self.views.view_of, stale_at_once=at_once, sets=self.views.sets)
        self.fast.limit(self.settings.listen.rate, self.settings.listen.burst)
        self.resolver.zones.limit(self.settings.limits.zone_failures)
        self.in_force.is_so = True
        self.upstreams.bootstrap.forget_all_but(self.upstreams.hosts)
        if self.overrides is not None:
            self.overrides.follow(self.tasks)
        self.lists.follow(self.tasks)

    def renew(self, new_connections: bool) -> None:
        """The network, or the date, is another: nothing that failed before counts, and all is tried again now."""
        self.upstreams.renew(new_connections=new_connections)
        self.resolver.outages.end()
        self.lists.hurry()

    async def stop(self) -> None:
        """Another answers from now on: follow nothing any more. What is under way ends here."""
        self.in_force.is_so = False
        await self.tasks.aclose()

    async def aclose(self, successor: Runtime | None = None) -> None:
        """End what is under way, and close every connection that the successor did not take over."""
        await self.resolver.flights.aclose()
        await self.stop()
        await (self.parts if successor is None else self.parts.without(successor.parts)).aclose()
