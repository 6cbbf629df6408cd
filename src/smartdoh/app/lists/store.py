"""A list's files: itself, its compiled form, where it came from, and what was set aside. Whole or not at all."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from smartdoh import durable
from smartdoh.app.lists.fetch import Validators
from smartdoh.app.lists.progress import Progress, Tell
from smartdoh.config import ListSettings
from smartdoh.errors import SmartDohError
from smartdoh.rules.lists import compiled_path

NEVER_SEEN = Validators()
PATIENCE = 60.0  # seconds for another process to write and compile a list
LOOK_EVERY = 0.1  # seconds between two looks whether it has done so


@dataclass(frozen=True, slots=True)
class Origin:
    """Where and when a list was fetched, so that an unchanged one is not fetched again."""

    url: str = ""
    checked: float = 0.0  # seconds since 1970
    validators: Validators = NEVER_SEEN


@dataclass(frozen=True, slots=True)
class SetAside:
    """A list that was not let in."""

    fetched: float  # seconds since 1970
    reasons: tuple[str, ...]


class BusyError(SmartDohError):
    """Another process does not let go of a list's files."""


class ListFiles:
    """The paths of one list."""

    def __init__(self, settings: ListSettings) -> None:
        file = settings.file
        self.file = file
        self.compiled = _compiled(settings)
        self.new = file.with_name(f"{file.name}.new")
        self.new_compiled = compiled_path(self.new)
        self.rejected = file.with_name(f"{file.name}.rejected")
        self._why = file.with_name(f"{file.name}.rejected.why")
        self._lock = self.compiled.with_suffix(".lock")
        self._origin = file.with_name(f"{file.name}.origin.json")

    def origin(self, url: str) -> Origin:
        """What is known of the list at `url`; nothing if the file is gone or came from elsewhere."""
        try:
            raw = json.loads(self._origin.read_text())
            origin = Origin(str(raw["url"]), float(raw["checked"]), Validators(**raw["validators"]))
        except (OSError, ValueError, KeyError, TypeError):
            return Origin(url)
        return origin if origin.url == url and self.file.exists() else Origin(url)

    def remember(self, url: str, validators: Validators) -> None:
        """Note that the list at `url` was looked at just now. Raises OSError."""
        text = json.dumps(asdict(Origin(url, time.time(), validators)))
        _write(self._origin, text.encode())

    def confirm(self, url: str, validators: Validators) -> None:
        """Note that the list at `url` is the one in `file`, and none that was set aside. Raises OSError."""
        self._forget_rejected()
        self.remember(url, validators)

    def is_same(self, content: bytes) -> bool:
        """Whether the file has this content."""
        try:
            return self.file.stat().st_size == len(content) and self.file.read_bytes() == content
        except OSError:
            return False

    def write_new(self, content: bytes) -> None:
        """Put a list beside the one in force. Raises OSError."""
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(self.new, content)

    def accept(self) -> None:
        """Put the new list and its compiled form in place of the old ones. Raises OSError.

        A crash between the two leaves a compiled form of another list, which is noticed and made again. What was set
        aside before is news no more, and goes.
        """
        os.replace(self.new_compiled, self.compiled)
        os.replace(self.new, self.file)
        self._forget_rejected()
        durable.sync_folder(self.file.parent)

    def set_aside(self, why: list[str]) -> Path:
        """Keep the new list for a person to look at, with the reasons in a file beside it. Raises OSError."""
        os.replace(self.new, self.rejected)
        self.new_compiled.unlink(missing_ok=True)
        _write(self._why, "\n".join([*why, ""]).encode())
        return self.rejected

    def aside(self) -> SetAside | None:
        """The list that was set aside last, unless a good one has come since."""
        try:
            return SetAside(self.rejected.stat().st_mtime, tuple(self._why.read_text().splitlines()))
        except (OSError, ValueError):
            return None

    @asynccontextmanager
    async def alone(self, tell: Tell) -> AsyncIterator[None]:
        """While inside, nobody else who does the same writes these files: in this process, or in another.

        Raises BusyError where that takes too long, and OSError. The lock is the kernel's and ends with its holder.
        """
        self._lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            await _locked(descriptor, self._lock, tell)
            yield
        finally:
            os.close(descriptor)

    def _forget_rejected(self) -> None:
        self.rejected.unlink(missing_ok=True)
        self._why.unlink(missing_ok=True)


async def _locked(descriptor: int, path: Path, tell: Tell) -> None:
    """Wait for the lock without a thread, which could not be called back."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise BusyError(f"another process has held {path} for {PATIENCE:.0f} s") from None
        tell(Progress("waiting"))
        await asyncio.sleep(LOOK_EVERY)


def _compiled(settings: ListSettings) -> Path:
    """Beside the list; in the state directory where that is not to be written to, as /etc is not by a service."""
    beside = compiled_path(settings.file)
    folder = beside.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return beside if os.access(folder, os.W_OK) else settings.state_dir / f"{settings.name}.compiled"


def _write(path: Path, content: bytes) -> None:
    """One writer at a time, so the name beside it is always the same."""
    durable.write(path, path.with_name(f"{path.name}.tmp"), content)
