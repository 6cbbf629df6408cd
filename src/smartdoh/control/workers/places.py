"""Where the control sockets of single workers are: beside the one that speaks for all."""

from __future__ import annotations

from pathlib import Path


def worker_socket(main: Path, number: int) -> Path:
    """The socket of one worker, beside `main`."""
    return main.with_name(f"{main.stem.replace('control', 'worker', 1)}-{number}{main.suffix}")
