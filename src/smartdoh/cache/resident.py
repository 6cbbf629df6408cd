"""Memory that the mapped file takes: pages that were looked at are given back to the kernel now and then.

The kernel maps sixteen pages where one is touched, so that some thousands of look-ups make the whole file count as
memory of this process, against every limit that is set on it. The pages stay in the kernel's cache: to look at one
again costs a microsecond.
"""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

MAPS = Path("/proc/self/maps")
MADV_DONTNEED = 4  # madvise(2), for a shared mapping of a file: forget what is mapped, not what is in it


class MappedFile:
    """Where a file is mapped into this process. On other systems than Linux it is nowhere, and nothing happens."""

    def __init__(self, path: Path) -> None:
        self._ranges = list(_ranges(path)) if sys.platform == "linux" else []
        self._madvise = ctypes.CDLL(None).madvise if self._ranges else None
        if self._madvise is not None:
            self._madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)

    def give_back(self) -> None:
        """Have no page of it counted. Safe while others read: they find it again."""
        if self._madvise is not None:
            for start, length in self._ranges:
                self._madvise(start, length, MADV_DONTNEED)

    def forget(self) -> None:
        """The file is about to be unmapped."""
        self._ranges.clear()


def _ranges(path: Path) -> list[tuple[int, int]]:
    """The read-only shared mappings of the file: only those can be forgotten without loss."""
    found = []
    try:
        wanted = str(path.resolve())
        for line in MAPS.read_text("utf-8", "surrogateescape").splitlines():
            addresses, rights, *_, name = line.split(maxsplit=5)
            if name == wanted and rights.startswith("r--s"):
                start, end = (int(address, 16) for address in addresses.split("-"))
                found.append((start, end - start))
    except (OSError, ValueError):
        return []
    return found
