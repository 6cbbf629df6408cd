"""The table [server]."""

from typing import Annotated

from smartdoh.config.schema._fields import Schema, Whole, key
from smartdoh.config.settings import LoopGuarding, ServerSettings

MOST_WORKERS = 64


class ServerTable(Schema):
    """The process itself."""

    workers: Annotated[int, Whole(1, MOST_WORKERS)] = key(
        1, meaning="Processes that answer, a core each; see [workers](workers.md)."
    )

    loop_guard: LoopGuarding = key(
        "local",
        meaning="Which servers are asked for a name of our own, to see whether it comes back, when they had no answer: "
        "those of local networks, `all`, or none; see [network](network.md#loops).",
    )

    def resolve(self) -> ServerSettings:
        """The settings of this table."""
        return ServerSettings(workers=self.workers, loop_guard=self.loop_guard)
