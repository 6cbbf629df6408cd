"""The event loop: uvloop, or asyncio's own where uvloop is not to be had."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on the best loop there is."""
    with asyncio.Runner(loop_factory=_best()) as runner:
        return runner.run(main)


def _best() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        from uvloop import new_event_loop  # noqa: PLC0415 - there may be none
    except ImportError:
        return asyncio.new_event_loop
    return new_event_loop
