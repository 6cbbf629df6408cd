"""Debian's collector of dnstap, and the tools that show what it collected."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.servers.process import ServerProcess
from tests.servers.required import require_server

CONTENT_TYPE = "protobuf:dnstap.Dnstap"


class Capture:
    """A running `fstrm_capture`, which writes what it gets into a file."""

    def __init__(self, process: ServerProcess, file: Path) -> None:
        self.process = process
        self.file = file

    def stop(self) -> None:
        """Have it write all it has, and end."""
        self.process.stop()

    def text(self) -> str:
        """What `dnstap-ldns` makes of the file, each message in full."""
        return _said(require_server("dnstap-ldns"), "-y", "-r", str(self.file))

    def frames(self) -> str:
        """What `fstrm_dump` makes of it."""
        return _said(require_server("fstrm_dump"), str(self.file))


@contextmanager
def fstrm_capture(directory: Path, socket: Path) -> Iterator[Capture]:
    """A collector that listens on `socket`."""
    file = directory / "captured.fstrm"
    argv: list[Any] = [
        require_server("fstrm_capture"),
        "-t",
        CONTENT_TYPE,
        "-u",
        str(socket),
        "-w",
        str(file),
    ]
    process = ServerProcess("fstrm_capture", [*argv, "-b", "1024", "-dddd"], directory)
    try:
        process.wait_until(socket.exists)
        yield Capture(process, file)
    finally:
        process.stop()


def _said(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30).stdout
