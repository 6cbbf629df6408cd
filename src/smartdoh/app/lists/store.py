"""A list's files: itself, its compiled form, where it came from, and what was set aside. Whole or not at all."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from smartdoh.app.lists.fetch import Validators
from smartdoh.config import ListSettings
from smartdoh.rules.lists import compiled_path

NEVER_SEEN = Validators()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where and when a list was fetched, so that an unchanged one is not fetched again."""

    url: str = ""
    checked: float = 0.0  # seconds since 1970
    validators: Validators = NEVER_SEEN


class ListFiles:
    """The paths of one list."""

    def __init__(self, settings: ListSettings) -> None:
        file = settings.file
        self.file = file
        self.compiled = compiled_path(file)
        self.new = file.with_name(f"{file.name}.new")
        self.new_compiled = compiled_path(self.new)
        self.rejected = file.with_name(f"{file.name}.rejected")
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

    def write_new(self, content: bytes) -> None:
        """Put a list beside the one in force. Raises OSError."""
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(self.new, content)

    def accept(self) -> None:
        """Put the new list and its compiled form in place of the old ones. Raises OSError.

        A crash between the two leaves a compiled form of another list, which is noticed and made again.
        """
        os.replace(self.new_compiled, self.compiled)
        os.replace(self.new, self.file)
        _sync_folder(self.file.parent)

    def set_aside(self, why: list[str]) -> Path:
        """Keep the new list for a person to look at, with the reasons in a file beside it. Raises OSError."""
        os.replace(self.new, self.rejected)
        self.new_compiled.unlink(missing_ok=True)
        _write(self.rejected.with_name(f"{self.rejected.name}.why"), "\n".join([*why, ""]).encode())
        return self.rejected


def _write(path: Path, content: bytes) -> None:
    """Write a file so that whoever opens it finds all of it or what was there before, even after a crash."""
    temporary = path.with_name(f"{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
