"""Compiling a list in a process of its own, so that no answer waits for it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from smartdoh.config.settings import ListFormat
from smartdoh.errors import SmartDohError

LONGEST = 300.0  # seconds for one list


class CompileError(SmartDohError):
    """A list could not be compiled; the words say why."""


async def compile_aside(path: Path, form: ListFormat, out: Path) -> None:
    """Compile the list at `path` into `out`. Raises CompileError; the process ends if this is cancelled."""
    arguments = ("-m", "smartdoh.rules.lists", str(path), form, str(out))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(LONGEST):
            _, said = await process.communicate()
    except TimeoutError:
        raise CompileError(f"compiling took longer than {LONGEST:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        last = said.decode(errors="replace").strip().splitlines()[-1:]
        raise CompileError(last[0] if last else f"the compiler ended with {process.returncode}")
