"""In which order and under which headings the commands are listed."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

HEADINGS = {
    "Run it": ("serve", "check", "reload", "service", "dashboard"),
    "Look at it": ("status", "top", "stats", "upstreams", "log", "leaks"),
    "Why, and what if": ("explain", "query", "whatif"),
    "What it keeps and goes by": ("overrides", "lists", "cache"),
    "Besides": ("convert", "completion", "version"),
}
_HEADING_OF = {name: heading for heading, names in HEADINGS.items() for name in names}


class Ordered(TyperGroup):
    """Lists the commands as HEADINGS has them, whatever the order they were added in; others come last.

    The types are click's, which typer brings along or imports, depending on its version.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        """Every command's name, in the order of the headings."""
        found = super().list_commands(ctx)
        return [name for name in _HEADING_OF if name in found] + [
            name for name in found if name not in _HEADING_OF
        ]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command with its heading, or None."""
        command: Any = super().get_command(ctx, cmd_name)
        if command is not None and cmd_name in _HEADING_OF:
            command.rich_help_panel = _HEADING_OF[cmd_name]
        return command
