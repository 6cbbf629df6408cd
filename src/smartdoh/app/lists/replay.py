"""The guard on a new list: what was asked in the last days is replayed against it, in a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from smartdoh.app import logs
from smartdoh.app.lists.store import ListFiles
from smartdoh.config import ListSettings, Settings

LONGEST = 50.0  # seconds: less than another process waits for the list's files


class Replay:
    """Objections by what was asked. Where they cannot be found, or not in time, there are none, and a line says so."""

    def __init__(self, config: Path, longest: float = LONGEST) -> None:
        """`config` is read again by the process."""
        self._config, self._longest = config, longest
        self._log = logs.get()

    async def objections(self, settings: ListSettings, files: ListFiles) -> list[str]:
        """Why the new list among `files` shall not be used."""
        if not settings.guard:
            return []
        arguments = (str(self._config), settings.name, str(files.new), str(files.new_compiled))
        try:
            said = await self._run("-m", "smartdoh.app.whatif", *arguments)
            return [str(reason) for reason in json.loads(said)]
        except TimeoutError:
            problem = f"it took longer than {self._longest:g} s"
        except (OSError, ValueError) as error:
            problem = str(error)
        self._log.warning("list not held against the query log", list=settings.name, problem=problem)
        return []

    async def _run(self, *arguments: str) -> bytes:
        """What a process of ours says. Raises TimeoutError, OSError, or ValueError with its last words."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(self._longest):
                said, complaint = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            last = complaint.decode(errors="replace").strip().splitlines()[-1:]
            raise ValueError(last[0] if last else f"it ended with {process.returncode}")
        return said


def replay_of(settings: Settings) -> Replay | None:
    """The guard of these settings; none where no query log is kept, or where nobody can read the config again."""
    if not settings.query_log.enabled or settings.path is None:
        return None
    return Replay(settings.path)
