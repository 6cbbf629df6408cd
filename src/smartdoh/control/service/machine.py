"""The system that a service is put into: this one, or an image of one in a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from smartdoh.control.service.holders import PROC

UNITS = "etc/systemd/system"
RUNS = "run/systemd/system"  # is there where systemd is the init system, sd_booted(3)


@dataclass(frozen=True, slots=True)
class Machine:
    """Where its files are, and how systemctl is to be called for it."""

    root: Path = Path("/")
    is_image: bool = False  # nothing runs in it
    proc: Path = PROC

    def at(self, path: str) -> Path:
        """A path of it, given from its root without the leading slash."""
        return self.root / path

    @property
    def is_running(self) -> bool:
        """Whether systemd runs it, and can be told to start something."""
        return not self.is_image and self.at(RUNS).is_dir()

    def systemctl(self, *words: str) -> tuple[str, ...]:
        """A command for systemctl, which works on images too."""
        return ("systemctl", *([f"--root={self.root}"] if self.is_image else []), *words)
