"""The guard on a new list: what was asked in the last days is replayed against it, in a process of its own."""

from __future__ import annotations

import json
from pathlib import Path

from smartdoh.app import logs
from smartdoh.app.aside import AsideError, run_aside
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
            said = await run_aside("smartdoh.app.whatif", *arguments, longest=self._longest)
        except AsideError as error:
            event = "list not held against the query log"
            self._log.warning(event, list=settings.name, problem=str(error))
            return []
        return [str(reason) for reason in json.loads(said)]


def replay_of(settings: Settings) -> Replay | None:
    """The guard of these settings; none where no query log is kept, or where nobody can read the config again."""
    if not settings.query_log.enabled or settings.path is None:
        return None
    return Replay(settings.path)
