"""The clock of a process under libfaketime: it goes on as ours does, and jumps when it is told to."""

import os
from pathlib import Path

LIBRARIES = (
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/faketime/libfaketime.so.1",
)


def library() -> str | None:
    """Where Debian's faketime keeps what a program is started with; None where it is not installed."""
    return next((path for path in LIBRARIES if Path(path).exists()), None)


class JumpingClock:
    """Wall clock and monotonic clocks of each process that is started with `environment`."""

    def __init__(self, directory: Path, preload: str) -> None:
        self._file = directory / "clock"
        self._preload = preload
        self._passed = 0.0
        self._write()

    @property
    def environment(self) -> dict[str, str]:
        """What the process is started with. The file is read at every look at the clock."""
        return {
            "LD_PRELOAD": self._preload,
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
        }

    def pass_time(self, seconds: float) -> None:
        """So many seconds have passed."""
        self._passed += seconds
        self._write()

    def _write(self) -> None:
        """In one step: the process may look at any moment."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"+{self._passed:.3f}\n")
        os.replace(fresh, self._file)
