"""The table [query_log]."""

from pathlib import Path
from typing import Annotated

from smartdoh.config.schema._fields import Domain, FilePath, Octets, Schema, Whole, key
from smartdoh.config.settings import Privacy, QueryLogSettings


class QueryLogTable(Schema):
    """What is asked, kept in a database to be searched."""

    enabled: bool = key(False, meaning="Keep what every client asks; see [the query log](query-log.md).")
    dir: FilePath = key("", meaning="Where; by default the state directory.")
    days: Annotated[int, Whole(0, 36_500)] = key(7, meaning="For how long; `0` is for ever.")
    size: Annotated[int, Octets("1MiB", "64TiB")] = key(
        "1GiB", meaning="How large the database may be; past that the oldest lines go."
    )
    privacy: Privacy = key(
        "whole",
        meaning="The clients' addresses: `whole`, `short` (IPv4 /24, IPv6 /56), or `none` at all.",
    )
    exclude: list[Domain] = key([], meaning="Names of which nothing is kept.")

    ledger: bool = key(
        True,
        meaning="Count which names are sent to which group and upstream, without clients; see [leaks](leaks.md).",
    )

    def resolve(self, folder: Path, state_dir: Path) -> QueryLogSettings:
        """The settings of this table; relative paths are relative to `folder`."""
        return QueryLogSettings(
            enabled=self.enabled,
            dir=folder / self.dir if self.dir else state_dir,
            days=self.days,
            size=self.size,
            privacy=self.privacy,
            exclude=tuple(self.exclude),
            ledger=self.ledger,
        )
