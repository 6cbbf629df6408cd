"""One list as it is now: what is in force, of which files, and how its last look ended."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from smartdoh.app.lists.compile import compile_aside
from smartdoh.app.lists.judge import Candidate
from smartdoh.app.lists.progress import Progress, Tell
from smartdoh.app.lists.replay import Replay
from smartdoh.app.lists.store import ListFiles
from smartdoh.app.watch import State, state_of
from smartdoh.config import ListSettings
from smartdoh.rules.lists import NameSet, NotUsable, open_list


@dataclass(slots=True)
class ListState:
    """One list; `problem` is why its last look came to nothing."""

    settings: ListSettings
    files: ListFiles
    replay: Replay | None = None  # holds a new version against what was asked
    names: NameSet | None = None
    opened: State = None  # of the compiled file that `names` is of
    problem: str = ""
    failures: int = 0  # in a row
    due: float | None = None  # when it is looked at again, by the loop's clock; None: when its file changes
    rescheduled: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def candidate(self) -> Candidate | None:
        """The list in force with the account of its lines."""
        return Candidate(self.names.report, self.names) if self.names is not None else None

    def open(self) -> None:
        """Take up the compiled form, if it is another. Raises NotUsable where it has to be made anew."""
        opened = state_of(self.files.compiled)  # before it is read: a later one is noticed
        names = open_list(self.files.file, self.settings.format, self.files.compiled)
        if self.names is None or opened != self.opened:
            self.names, self.opened = names, opened

    async def open_or_compile(self, tell: Tell) -> bool:
        """Open the list, compiled first if need be; False where there is no file.

        Raises CompileError, NotUsable or OSError, and leaves the list as it was.
        """
        try:
            await asyncio.to_thread(self.open)
        except NotUsable:
            if not self.files.file.is_file():
                return False
            async with self.files.alone(tell):
                await self._compile(tell)
        return True

    async def _compile(self, tell: Tell) -> None:
        try:
            await asyncio.to_thread(self.open)  # whoever was waited for has compiled it
        except NotUsable:
            tell(Progress("compiling"))
            await compile_aside(self.files.file, self.settings.format, self.files.compiled)
            await asyncio.to_thread(self.open)
