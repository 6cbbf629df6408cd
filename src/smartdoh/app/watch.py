"""Noticing that a file has changed: written in place, replaced by an editor, or behind a symlink that moved."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from watchfiles import awatch

SETTLE = 100  # milliseconds without a further event that end a burst of them
STEP = 20  # milliseconds between two looks for events

State = tuple[int, int, int] | None


async def changes(path: Path) -> AsyncIterator[None]:
    """Yield each time the content that `path` leads to may have changed, until cancelled.

    The folders are watched and not the file: editors put a new file in its place, and Kubernetes moves a symlink
    two folders away. What is compared is the file at the end of the path.
    """
    while True:
        folders = _folders(path)
        state = _state(path)
        async for _ in awatch(*folders, debounce=SETTLE, step=STEP, recursive=False, yield_on_timeout=True):
            now = _state(path)
            if now != state:
                state = now
                yield
            if _folders(path) != folders:
                break  # the symlinks lead elsewhere now


def _state(path: Path) -> State:
    """What tells two contents apart without reading them; None where there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def _folders(path: Path) -> tuple[Path, ...]:
    """The folder of the path and of every symlink that it goes through, those that exist."""
    folders: dict[Path, None] = {}
    link = path.absolute()
    for _ in range(len(link.parts) + 8):  # more links than that are a loop
        folders[link.parent.resolve()] = None
        if not link.is_symlink():
            break
        link = link.parent.resolve() / link.readlink()
        for parent in link.parents:
            if parent.is_symlink():
                folders[parent.parent.resolve()] = None
    return tuple(folder for folder in folders if folder.is_dir())
