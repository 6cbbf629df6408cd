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
    """Print a table. What is text is shown as it is: names and words of others are no markup, and steer no terminal."""
    table = Table(
        title=_text(title, "table.title"), title_justify="left", box=box.ROUNDED if to.is_terminal else None
    )
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=not to.is_terminal)
    for row in rows:
        table.add_row(*map(_text, row))
    to.print(table)


def _text(cell: str | Text, style: str = "") -> Text:
    if isinstance(cell, Text):
        return cell
    return Text(
        "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in cell), style
    )


def span(seconds: float) -> str:
    """A length of time as people say it: 4.2 s, 7 min, 3 h, 2 d."""
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s"
