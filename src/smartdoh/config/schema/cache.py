"""The table [cache]."""

from pathlib import Path
from typing import Annotated

from smartdoh.config.schema._fields import Between, Place, Schema, Whole, key
from smartdoh.config.settings import CacheSettings


class CacheTable(Schema):
    """How many answers are kept, and for how long."""

    entries: Annotated[int, Whole(1, 1_000_000_000)] = key(5_000_000, meaning="Answers on disk.")
    memory_entries: Annotated[int, Whole(1, 100_000_000)] = key(500_000, meaning="Answers in memory.")
    dir: Place = key("", meaning='By default the state directory; `"none"` keeps nothing on disk.')
    min_ttl: Annotated[float, Between("0s", "1d")] = key("0s", meaning="Shorter TTLs are raised to this.")
    max_ttl: Annotated[float, Between("1s", "7d")] = key(
        "1d", meaning="Longer TTLs are lowered to this (RFC 8767 section 4: 7 days at most)."
    )
    stale: Annotated[float, Between("0s", "30d")] = key(
        "1d",
        meaning='How long past its TTL an answer may still be given (RFC 8767); `"0s"` turns it off.',
    )
    stale_after: Annotated[float, Between("0s", "30s")] = key(
        "0s",
        meaning="How long to wait for a fresh answer before a stale one is given; RFC 8767 names 1.8s.",
    )
    prefetch: bool = key(True, meaning="Refresh names that are asked often before their TTL ends.")
    negative_max: Annotated[float, Between("0s", "1d")] = key(
        "3h", meaning="The longest that a name's absence is kept (RFC 2308 section 5)."
    )
    failure: Annotated[float, Between("1s", "5m")] = key(
        "5s", meaning="The longest that a failure is kept (RFC 9520 section 3.2)."
    )

    def resolve(self, folder: Path, state_dir: Path) -> CacheSettings:
        """The settings of this table; relative paths are relative to `folder`."""
        return CacheSettings(
            entries=self.entries,
            memory_entries=self.memory_entries,
            dir=self._directory(folder, state_dir),
            min_ttl=self.min_ttl,
            max_ttl=self.max_ttl,
            stale=self.stale,
            stale_after=self.stale_after,
            prefetch=self.prefetch,
            negative_max=self.negative_max,
            failure=self.failure,
        )

    def _directory(self, folder: Path, state_dir: Path) -> Path | None:
        if self.dir == "none":
            return None
        return folder / self.dir if self.dir else state_dir
