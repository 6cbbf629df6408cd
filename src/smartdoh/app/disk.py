"""The second level of the cache that a config wants: opened once, kept by reloads that leave it where it is."""

from __future__ import annotations

from smartdoh.app import clock
from smartdoh.cache.disk import Disk
from smartdoh.config import CacheSettings


def open_disk(cache: CacheSettings, present: Disk | None = None) -> Disk | None:
    """The disk in `cache.dir`, which is `present` if that lies there already; None where nothing is kept on disk."""
    if cache.dir is None:
        return None
    if present is not None and present.directory == cache.dir:
        present.limit(cache.entries, cache.stale)
        return present
    return Disk(cache.dir, cache.entries, stale=cache.stale, boot=clock.now)


def no_disk(_cache: CacheSettings) -> None:
    """For those who only look something up once."""
