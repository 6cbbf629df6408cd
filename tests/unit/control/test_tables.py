"""Tables of what others wrote: shown as it is, and no markup or escape of theirs does anything."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.text import Text

from smartdoh.control import tables


@pytest.mark.parametrize(
    "name", ["[/x].example.", "[bold]a[/bold].example.", "[link=http://192.0.2.1]a[/link]."]
)
def test_a_name_is_no_markup(name: str) -> None:
    assert name in shown(name)


def test_no_terminal_is_steered() -> None:
    found = shown("a\x1b]0;b\x07\x9bc\rd")
    assert "a\\x1b]0;b\\x07\\x9bc\\rd" in found


def test_colours_of_our_own_stay() -> None:
    assert "\x1b[31ma" in shown(Text("a", "red"))


def shown(cell: str | Text) -> str:
    to = Console(file=io.StringIO(), width=100, force_terminal=True, color_system="standard")
    tables.show("[/t]", ("name",), [(cell,)], to=to)
    return str(to.file.getvalue())  # type: ignore[attr-defined]
