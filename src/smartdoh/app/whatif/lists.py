"""The lists of a config as their compiled forms have them, opened for a look at names."""

from __future__ import annotations

from contextlib import suppress

from smartdoh.app.lists.store import ListFiles
from smartdoh.config import Settings
from smartdoh.rules.lists import NameSet, NotUsable, open_list


def compiled(settings: Settings) -> dict[str, NameSet | None]:
    """Every list that has been compiled; None for others."""
    found: dict[str, NameSet | None] = {}
    for name, wanted in settings.lists.items():
        files = ListFiles(wanted)
        found[name] = None
        with suppress(NotUsable, OSError):
            found[name] = open_list(files.file, wanted.format, files.compiled)
    return found
