"""What the tests of probes share: both event loops, certificates, and leave to listen on low ports."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
import uvloop

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    """Runs a coroutine to its end, on each of the two event loops; afterwards no socket is left."""
    before = sockets()
    factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        yield runner.run
    assert sockets() <= before


def sockets() -> set[str]:
    """The sockets that this process has open."""
    found = set()
    for number in os.listdir("/proc/self/fd"):
        try:
            found.add(os.readlink(f"/proc/self/fd/{number}"))
        except FileNotFoundError:  # that of the listing itself
            continue
    return {target for target in found if target.startswith("socket:")}


@pytest.fixture(scope="session")
def low_ports() -> None:
    """Probes go to ports 443 and 80, on which not everybody may listen."""
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # others look at the same time
            probe.bind(("127.68.0.1", 443))
    except PermissionError:
        pytest.skip("listening on port 443 takes root")
