"""What one config makes: everything between the listeners and the upstreams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from smartdoh.app.lists.keeper import ListKeeper
from smartdoh.app.overrides import OverridesFile
from smartdoh.cache.disk import Disk
from smartdoh.config import Settings
from smartdoh.fastpath import FastPath
from smartdoh.pipeline.resolve import Resolver
from smartdoh.pipeline.timing import Timing
from smartdoh.rules.decide import Decisions
from smartdoh.rules.views import Views
from smartdoh.tasks import Tasks
from smartdoh.upstream.group import Group
from smartdoh.upstream.trust import TrustStore


@dataclass(frozen=True, slots=True)
class Runtime:
    """The parts that live and end together. A reload makes another and lets this one end."""

    settings: Settings
    fast: FastPath
    resolver: Resolver
    decisions: Decisions
    views: Views
    overrides: OverridesFile | None
    lists: ListKeeper
    timing: Timing
    groups: Mapping[str, Group]
    bootstrap: tuple[Group, ...]
    trust: tuple[TrustStore, ...]
    tasks: Tasks
    disk: Disk | None = None  # not closed here: the next runtime may use it too

    async def prepare(self) -> None:
        """Open what has to be there before the first question."""
        await self.lists.prepare()

    def start(self) -> None:
        """Begin what goes on in the background."""
        if self.overrides is not None:
            self.tasks.start(self.overrides.follow(), "overrides")
        if self.lists.states:
            self.tasks.start(self.lists.follow(), "lists")

    async def aclose(self) -> None:
        """End what is under way, close every connection."""
        await self.resolver.flights.aclose()
        await self.tasks.aclose()
        await self.timing.aclose()
        for group in (*self.groups.values(), *self.bootstrap):
            await group.aclose()
        for store in self.trust:
            store.close()
