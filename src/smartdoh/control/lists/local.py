"""Lists without a running proxy: from their files, fetched over the config's own upstreams."""

from __future__ import annotations

import sys
from collections.abc import Callable

from smartdoh.app import loop
from smartdoh.app.build import build
from smartdoh.app.lists.keeper import ListKeeper
from smartdoh.app.lists.progress import Progress
from smartdoh.config import Settings
from smartdoh.control.api.lists import Event, known, statuses, updating
from smartdoh.control.api.shapes import ListStatus
from smartdoh.control.lists.bars import Bars
from smartdoh.tasks import Tasks


def opened(settings: Settings) -> list[ListStatus]:
    """Every list, opened or compiled as `serve` would, with bars for a person while that takes time."""

    async def prepare(bars: Bars) -> list[ListStatus]:
        keeper = ListKeeper(settings.lists, {}, lambda _: None)

        def tell(name: str, progress: Progress) -> None:
            bars.show(name, progress.phase)

        await keeper.prepare(tell)
        return statuses(keeper)

    with Bars() as bars:
        return loop.run(prepare(bars))


def update(settings: Settings, name: str, take: Callable[[Event], None]) -> None:
    """Look at a list, or all of them where no name is given. Raises ConfigError where there is no such list."""
    names = [known(name, settings.lists)] if name else list(settings.lists)

    async def look() -> None:
        runtime = build(settings, Tasks(_report))
        try:
            async for event in updating(runtime, names):
                take(event)
        finally:
            await runtime.aclose()

    loop.run(look())


def _report(name: str, error: BaseException) -> None:
    print(f"smartdoh: {name}: {error}", file=sys.stderr)
