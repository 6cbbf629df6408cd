"""Compiling a list in a process of its own, so that no answer waits for it."""

from __future__ import annotations

from pathlib import Path

from smartdoh.app.aside import AsideError, run_aside
from smartdoh.config.settings import ListFormat
from smartdoh.errors import SmartDohError

LONGEST = 300.0  # seconds for one list


class CompileError(SmartDohError):
    """A list could not be compiled; the words say why."""


async def compile_aside(path: Path, form: ListFormat, out: Path) -> None:
    """Compile the list at `path` into `out`. Raises CompileError; the process ends if this is cancelled."""
    try:
        await run_aside("smartdoh.rules.lists", str(path), form, str(out), longest=LONGEST)
    except AsideError as error:
        raise CompileError(str(error)) from error
