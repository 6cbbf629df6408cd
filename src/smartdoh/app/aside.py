"""Seconds of computing, done by a process of our own: no answer waits for it, and it ends with who wants it."""

from __future__ import annotations

import asyncio
import sys

from smartdoh.errors import SmartDohError


class AsideError(SmartDohError):
    """It came to nothing; the words say why."""


async def run_aside(module: str, *arguments: str, longest: float) -> bytes:
    """What `python -m MODULE` prints. Raises AsideError, also after `longest` seconds; cancelling ends the process."""
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise AsideError(str(error)) from error
    try:
        async with asyncio.timeout(longest):
            said, complaint = await process.communicate()
    except TimeoutError:
        raise AsideError(f"it took longer than {longest:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        last = complaint.decode(errors="replace").strip().splitlines()[-1:]
        raise AsideError(last[0] if last else f"it ended with {process.returncode}")
    return said
