"""Progress of lists for a person who waits: a bar for each on stderr, and nothing where that is no terminal."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, TaskID, TextColumn

WIDTH = 30  # columns of a bar


class Bars:
    """Bars, shown inside a `with` block and gone after it."""

    def __init__(self) -> None:
        console = Console(stderr=True, highlight=False)
        self._tasks: dict[str, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(WIDTH),
            TextColumn("{task.fields[said]}", markup=False),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, name: str, phase: str, done: int = 0, total: int | None = None) -> None:
        """A list is being fetched, `done` octets of `total`; or in another phase, which nobody can measure."""
        said = phase
        if done:
            said += f" {decimal(done)}" + (f" of {decimal(total)}" if total else "")
        self._progress.update(self._task(name), completed=done, total=total, said=said)

    def finish(self, name: str, said: str) -> None:
        """A list is done with."""
        self._progress.update(self._task(name), completed=1, total=1, said=said)

    def _task(self, name: str) -> TaskID:
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=None, said="")
        return self._tasks[name]
