"""What a proxy says of what is asked, followed as a program would."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any

from smartdoh.control.client import Proxy
from smartdoh.control.failures import RefusedError
from tests.e2e.commands import socket_of
from tests.servers.smartdoh import RunningProxy

SECONDS = 20.0  # that something may take to be seen


def api_of(proxy: RunningProxy) -> Proxy:
    return Proxy(socket_of(proxy))


def looks(proxy: RunningProxy) -> Generator[Any, None, None]:
    """What each event says."""
    opened: Any = api_of(proxy).lines("/live/follow")
    with closing(opened) as lines:
        for line in lines:
            assert line == b"event: live\n"
            data = next(lines)
            assert data.startswith(b"data: ")
            assert next(lines) == b"\n"
            yield json.loads(data.removeprefix(b"data: "))


def followed(proxy: RunningProxy) -> Generator[Any, None, None]:
    """What each event but the first says; those who followed before may have to be noticed to be gone."""
    end = time.monotonic() + SECONDS
    while True:
        found = looks(proxy)
        try:
            next(found)
        except RefusedError:
            assert time.monotonic() < end, "those who went are still counted"
        else:
            return found


def seen(proxy: RunningProxy, enough: Callable[[Any], bool]) -> Any:
    """What the live view shows when it shows `enough`."""
    end = time.monotonic() + SECONDS
    while not enough(look := api_of(proxy).get("/live")):
        assert time.monotonic() < end, look
        time.sleep(0.1)
    return look
