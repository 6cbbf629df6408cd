"""Changing overrides.json for somebody who asked the proxy to: what a person wrote there stays, and is never lost."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Collection
from pathlib import Path

from smartdoh import durable
from smartdoh.app.overrides_reading import read_text
from smartdoh.app.watch import State, state_of
from smartdoh.errors import ConfigError
from smartdoh.rules.overrides import Overrides
from smartdoh.rules.overrides_file import parse_overrides

TRIES = 5  # of a file that is changed again and again under our hands

Change = Callable[[str], str]
"""From the text of the file, empty where there is none, to the one that is wanted. What it raises is passed on."""


class UnwritableError(ConfigError):
    """The file cannot be changed as it is: it is broken, busy, or not ours to write."""


def rewrite(path: Path, groups: Collection[str], change: Change) -> tuple[Overrides, State]:
    """Change what the file holds now; what is then in it, and the file's state.

    Raises UnwritableError, or ConfigError where `change` makes what no overrides are; the file stays as it was then.
    """
    for _ in range(TRIES):
        seen = state_of(path)
        text = _text(path, groups) if seen is not None else ""
        new = change(text)
        overrides = parse_overrides(new, groups, str(path))
        if new == text or _put(path.resolve(), new, lambda: state_of(path) == seen):  # noqa: B023
            return overrides, state_of(path)
    raise UnwritableError(str(path), "is being changed by somebody else all the time")


def _text(path: Path, groups: Collection[str]) -> str:
    """What a person may have changed a moment ago, unless that is broken: then it is theirs to mend."""
    try:
        text = read_text(path)
        parse_overrides(text, groups, str(path))
    except ConfigError as error:
        raise UnwritableError(error.key, f"{error.message}; mend that first") from None
    return text


def _put(path: Path, text: str, is_untouched: Callable[[], bool]) -> bool:
    """Put the text in the place of the file, with its owner and mode; False where somebody else was quicker."""
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        if path.exists():
            _make_alike(temporary, path)
        return durable.write(path, temporary, text.encode(), is_untouched)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UnwritableError(str(path), f"cannot be written: {error.strerror}") from error


def _make_alike(temporary: Path, path: Path) -> None:
    """An empty file that those may read and write who may `path`, as far as that is ours to give."""
    found = path.stat()
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with contextlib.suppress(PermissionError):
            os.fchown(descriptor, found.st_uid, found.st_gid)
        os.fchmod(descriptor, found.st_mode & 0o777)
    finally:
        os.close(descriptor)
