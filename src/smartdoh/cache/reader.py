"""Reading the LMDB file of answers: look-ups, and walks for an export, also from another process."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Self

import lmdb

FORMAT = b"smartdoh answers 1"
"""Changes whenever keys or records do; a file of another format is not read."""

ANSWERS, ABOUT = b"answers", b"about"
"""The two databases in the file."""

FORMAT_KEY = b"format"
CLOCK_KEY = b"clock"
GROUP_KEY = b"group:"
SLICE = 1000  # records that one read transaction of a walk sees: a longer one would keep pages from being used again


class OtherFormatError(Exception):
    """The file is sound, but what is in it is not what this version keeps."""


def refuse_other_formats(found: bytes | None) -> None:
    """Raises OtherFormatError unless what lies under FORMAT_KEY is this version's."""
    if found != FORMAT:
        raise OtherFormatError((found or b"unknown").decode("utf-8", "replace"))


class Reader:
    """An open file; `close` ends it, and leaving a `with` block does."""

    _env: lmdb.Environment
    _answers: Any  # py-lmdb's type of a database has no public name
    _about: Any

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, key: bytes) -> bytes | None:
        """The octets under `key`. Raises lmdb.Error."""
        with self._env.begin(self._answers) as txn:
            return txn.get(key)

    def saved_clock(self) -> bytes | None:
        """What `write` was last given as `clock`."""
        with self._env.begin(self._about) as txn:
            return txn.get(CLOCK_KEY)

    def groups(self) -> dict[bytes, str]:
        """Fingerprints to the names that `name_groups` was given."""
        with self._env.begin(self._about) as txn, txn.cursor(self._about) as cursor:
            if not cursor.set_range(GROUP_KEY):
                return {}
            return {
                key[len(GROUP_KEY) :]: name.decode("utf-8", "replace")
                for key, name in cursor.iternext()
                if key.startswith(GROUP_KEY)
            }

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """All keys and records, in the order of domains; what is written meanwhile may or may not be among them."""
        after = b""
        while True:
            with self._env.begin(self._answers) as txn, txn.cursor(self._answers) as cursor:
                found = list(islice(cursor.iternext(), SLICE)) if cursor.set_range(after) else []
            yield from found
            if len(found) < SLICE:
                return
            after = found[-1][0] + b"\0"

    def size(self) -> tuple[int, int]:
        """Records in the file, and octets that they take. Raises lmdb.Error."""
        with self._env.begin(self._answers) as txn:
            return self._size(txn)

    def close(self) -> None:
        """Close the file; no other call may be under way."""
        self._env.close()

    def _size(self, txn: lmdb.Transaction[bytes]) -> tuple[int, int]:
        stat = txn.stat(self._answers)
        pages = stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]
        return stat["entries"], pages * stat["psize"]


class OtherProcess(Reader):
    """The file of a proxy that may be running, opened beside it."""

    def __init__(self, path: Path) -> None:
        """Raises OtherFormatError, lmdb.Error or OSError."""
        self._env = lmdb.open(
            str(path), subdir=False, readonly=True, create=False, readahead=False, max_dbs=2
        )
        try:
            self._about = self._env.open_db(ABOUT, create=False)
            self._answers = self._env.open_db(ANSWERS, create=False)
            with self._env.begin(self._about) as txn:
                refuse_other_formats(txn.get(FORMAT_KEY))
        except BaseException:
            self._env.close()
            raise
