"""The cache on disk as the API shows it, read from its file: for those whose proxy does not run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import lmdb

from smartdoh.cache.disk import FILE_NAME
from smartdoh.cache.reader import OtherFormatError, OtherProcess
from smartdoh.cache.steady import SteadyClock, this_boot
from smartdoh.control.api.ondisk import File, show
from smartdoh.control.api.shapes import KeptAnswer
from smartdoh.errors import ConfigError

Clock = Callable[[], float]


def path_in(directory: Path) -> Path:
    """The file of the cache in a directory."""
    return directory / FILE_NAME


def export(directory: Path, stale: float, boot: Clock, wall: Clock) -> Iterator[KeptAnswer]:
    """Each answer in the cache on disk of `directory`, in the order of domains.

    `stale` is how long one may be given past its end (seconds), `boot` the cache's clock. Raises ConfigError where
    there is no cache that can be read.
    """
    path = path_in(directory)
    try:
        with OtherProcess(path) as reader:
            clock = SteadyClock(boot, wall, this_boot())
            clock.resume(reader.saved_clock())
            groups = reader.groups()
            for key, octets in reader.items():
                row = show(File(clock(), stale, groups), key, octets)
                if row is not None:
                    yield row
    except OtherFormatError as error:
        raise ConfigError("cache.dir", f"{str(path)!r} has another format: {error}") from error
    except (OSError, lmdb.Error) as error:
        raise ConfigError("cache.dir", f"{str(path)!r}: {error}") from error
