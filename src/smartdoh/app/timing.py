"""How each group has its addresses timed: on the way on which its upstreams are asked."""

from __future__ import annotations

from collections.abc import Mapping

from smartdoh.app import clock
from smartdoh.config import GroupSettings, Settings
from smartdoh.fastpath import FastPath
from smartdoh.pipeline.timing import Timed, Timing
from smartdoh.speed.board import Board
from smartdoh.speed.prober import Prober
from smartdoh.speed.way import Way
from smartdoh.tasks import Tasks
from smartdoh.upstream.bootstrap import Bootstrap
from smartdoh.upstream.trust import TrustStore


def timing_of(
    settings: Settings, fast: FastPath, bootstrap: Bootstrap, trust: Mapping[str, TrustStore], tasks: Tasks
) -> Timing:
    """What orders the addresses in answers; `trust` is each group's, by its name."""
    board = Board(clock.now)
    groups = {
        name: Timed(group.fastest_ip, _way(group, bootstrap, trust[name]))
        for name, group in settings.groups.items()
    }
    return Timing(groups, fast, board, Prober(board, tasks, clock.now), clock.now)


def _way(group: GroupSettings, bootstrap: Bootstrap, trust: TrustStore) -> Way:
    """A proxy is never gone around, since a probe shows the name that is asked for."""
    via = group.via
    if via is None:
        return Way(ca_file=trust.path)
    if via.is_address:
        return Way(via.url, trust.path, str(via))
    return Way(via.url, trust.path, str(via), (via.host, via.port), bootstrap.finder(via.host).known)
