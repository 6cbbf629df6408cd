"""A server whose upstream says something new all the time: `python -m bench.disk_busy CONFIG RATE`.

It answers its clients as always. Beside that it keeps RATE answers a second the way a miss does once its answer is
there, so that what the cache on disk costs those who ask is seen by itself.
"""

import asyncio
import sys
import time
from pathlib import Path

from bench.disk_fill import answered
from smartdoh import config
from smartdoh.app.server import Server, run

TICK = 0.001  # seconds between two handfuls of answers
LONGEST_HANDFUL = 64  # answers; what was missed while the loop was held up is not made up for at once


async def _keep_on(server: Server, rate: int) -> None:
    resolver, decisions = server.runtime.resolver, server.runtime.decisions
    started = time.perf_counter()
    number = 0
    while True:
        await asyncio.sleep(TICK)
        due = int((time.perf_counter() - started) * rate) - number
        for _ in range(min(due, LONGEST_HANDFUL)):
            query, answer = answered(number)
            resolver.keep(query, decisions.route(query), answer)
            number += 1
        if due > LONGEST_HANDFUL:
            started += (due - LONGEST_HANDFUL) / rate


def main(arguments: list[str]) -> None:
    file, rate = Path(arguments[0]), int(arguments[1])

    def load() -> config.Settings:
        return config.load(file, {})

    run(load(), load, [lambda server: _keep_on(server, rate)])


if __name__ == "__main__":
    main(sys.argv[1:])
