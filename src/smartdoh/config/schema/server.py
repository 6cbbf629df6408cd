"""The table [server]."""

from typing import Annotated

from smartdoh.config.schema._fields import Schema, Whole, key
from smartdoh.config.settings import ServerSettings

MOST_WORKERS = 64


class ServerTable(Schema):
    """The process itself."""

    workers: Annotated[int, Whole(1, MOST_WORKERS)] = key(
        1, meaning="Processes that answer, a core each; see [workers](workers.md)."
    )

    def resolve(self) -> ServerSettings:
        """The settings of this table."""
        return ServerSettings(workers=self.workers)
