"""How each group has its addresses timed: on the way on which its upstreams are asked."""

from __future__ import annotations

from dataclasses import dataclass

from smartdoh.app import clock
from smartdoh.app.parts import Parts
from smartdoh.app.upstreams import Upstreams
from smartdoh.config import GroupSettings, Settings
from smartdoh.fastpath import FastPath
from smartdoh.pipeline.timing import Timed, Timing
from smartdoh.speed.board import Board
from smartdoh.speed.prober import Prober
from smartdoh.speed.way import Way
from smartdoh.upstream.bootstrap import Bootstrap
from smartdoh.upstream.trust import TrustStore


@dataclass(frozen=True, slots=True)
class Measures:
    """What is known of addresses, and the ways on which one runtime has them measured."""

    board: Board
    ways: frozenset[Way]


def timing_of(
    settings: Settings, fast: FastPath, upstreams: Upstreams, parts: Parts
) -> tuple[Timing, Measures]:
    """What orders the addresses in answers. The board outlives every reload, the prober those that change no way."""
    timed = {
        name: Timed(group.fastest_ip, _way(group, upstreams.bootstrap, upstreams.trust[name]))
        for name, group in settings.groups.items()
    }
    ways = frozenset(each.way for each in timed.values())
    board = parts.take(("board",), lambda _: Board(clock.now))
    key = ("prober", ways, upstreams.bootstrap)  # a way that leads by a proxy's name asks bootstrap for it
    prober = parts.take(key, lambda tasks: Prober(board, tasks, clock.now), Prober.aclose)
    return Timing(timed, fast, board, prober, clock.now), Measures(board, ways)


def _way(group: GroupSettings, bootstrap: Bootstrap, trust: TrustStore) -> Way:
    """A proxy is never gone around, since a probe shows the name that is asked for."""
    via = group.via
    if via is None:
        return Way(ca_file=trust.path)
    if via.is_address:
        return Way(via.url, trust.path, str(via))
    return Way(via.url, trust.path, str(via), (via.host, via.port), bootstrap.finder(via.host).known)
