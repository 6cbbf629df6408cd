"""The worlds that faults happen in: one upstream, or several, and a proxy in front of them."""

from __future__ import annotations

from tests.faults.fault import World
from tests.faults.stage import Stage
from tests.servers.scripted import replies


def one_upstream(stage: Stage) -> None:
    """Everything depends on one server."""
    stage.add_upstream()
    stage.serve()


def two_upstreams(stage: Stage) -> None:
    """The first one is what the fault is about."""
    stage.add_upstream()
    stage.add_upstream()
    stage.serve()


def on_disk(stage: Stage) -> None:
    """One upstream, and a cache on disk."""
    stage.add_upstream()
    stage.serve(sections={"cache": {"dir": stage.cache}})


def at_distance(seconds: float, servers: int = 1) -> World:
    """So many upstreams that take so long for each answer."""

    def world(stage: Stage) -> None:
        for _ in range(servers):
            stage.add_upstream().behave(replies.delayed(seconds))
        stage.serve()

    return world
