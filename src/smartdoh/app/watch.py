"""Noticing that a file has changed: written in place, replaced by an editor, or behind a symlink that moved."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

SETTLE = 100  # milliseconds without a further event that end a burst of them
STEP = 20  # milliseconds between two looks for events
FALLBACK = 500  # milliseconds without events after which the file is looked at all the same

State = tuple[int, int, int] | None


async def changes(path: Path, since: State) -> AsyncIterator[None]:
    """Yield each time the content that `path` leads to may have changed from `since` on, until cancelled.

    The folders are watched and not the file: editors put a new file in its place, and Kubernetes moves a symlink
    two folders away. What is compared is the file at the end of the path, twice a second even where the system
    reports no events, as on a network's file system.
    """
    from watchfiles import awatch  # noqa: PLC0415 - 7 MB of memory that only a watched file is worth

    state = since
    while True:
        folders = _folders(path)
        events = awatch(
            *folders,
            debounce=SETTLE,
            step=STEP,
            rust_timeout=FALLBACK,
            yield_on_timeout=True,
            recursive=False,
        )
        async for _ in events:
            now = state_of(path)
            if now != state:
                state = now
                yield
            if _folders(path) != folders:
                break  # the symlinks lead elsewhere now


def state_of(path: Path) -> State:
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
