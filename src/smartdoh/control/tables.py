"""Tables: drawn for a person at a terminal, plain lines in a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

PLAIN_WIDTH = 1000  # columns: in a pipe nothing is wrapped or cut


def console() -> Console:
    """Standard output, without colours or wrapping where nobody looks."""
    found = Console(highlight=False, soft_wrap=True)
    return found if found.is_terminal else Console(highlight=False, soft_wrap=True, width=PLAIN_WIDTH)


def show(title: str, columns: Sequence[str], rows: Iterable[Sequence[str | Text]], *, to: Console) -> None:
    """Print a table."""
    table = Table(title=title, title_justify="left", box=box.ROUNDED if to.is_terminal else None)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=not to.is_terminal)
    for row in rows:
        table.add_row(*row)
    to.print(table)


def span(seconds: float) -> str:
    """A length of time as people say it: 4.2 s, 7 min, 3 h, 2 d."""
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s"
