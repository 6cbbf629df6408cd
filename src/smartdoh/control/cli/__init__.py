"""The command line: what it takes, and the exit codes it promises."""

from __future__ import annotations

from smartdoh.control.cli.program import app, main

__all__ = ["app", "main"]
