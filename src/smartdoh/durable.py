"""Small files that are whole or not there, whatever ends the process or the machine while they are written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def write_privately(path: Path, content: bytes) -> None:
    """Put `content` in place of what is at `path`, for its owner alone, in a folder that is made if there is none.

    Raises OSError, and changes nothing then.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    os.close(descriptor)
    write(path, Path(temporary), content)


def write(path: Path, temporary: Path, content: bytes, is_wanted: Callable[[], bool] = lambda: True) -> bool:
    """Put `content` in place of what is at `path`, by way of `temporary`, a file beside it.

    Whoever opens `path` finds all of it or what was there before. `is_wanted` is asked when all else is done; where it
    says no, False is returned. Raises OSError. Nothing has changed in either case.
    """
    try:
        with open(temporary, "wb", opener=_no_link) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if not is_wanted():
            temporary.unlink()
            return False
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
    return True


def _no_link(path: str, flags: int) -> int:
    """Open what somebody else cannot have put a link in the place of: we may be root in a folder of theirs."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o666)


def sync_folder(folder: Path) -> None:
    """Have the names in it on the disk too. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
