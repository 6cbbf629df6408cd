"""Searches of the query log: few at a time, so that nothing else waits for a thread."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from smartdoh.app.questions.search import Found, Wanted
from smartdoh.control.api.endpoints import queries

MANY = 64  # more than asyncio has threads


def test_many_searches_leave_threads_for_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, began = threading.Event(), threading.Semaphore(0)

    def slow(*_: object, **__: object) -> Found:
        began.release()
        go_on.wait()
        return Found([], None)

    async def run() -> None:
        settings = SimpleNamespace(query_log=SimpleNamespace(dir=tmp_path))
        runtime: Any = SimpleNamespace(settings=settings)
        try:
            searches = [asyncio.create_task(queries._found(runtime, Wanted())) for _ in range(MANY)]
            await asyncio.sleep(0)
            async with asyncio.timeout(30):
                for _ in range(queries.AT_ONCE):
                    await asyncio.to_thread(began.acquire)
            assert not began.acquire(blocking=False)
        finally:
            go_on.set()
        assert await asyncio.gather(*searches) == [Found([], None)] * MANY

    monkeypatch.setattr(queries, "look_for", slow)
    asyncio.run(run())
