"""docs/lists.md is held to the parsers: every line that it shows is one, every reason that it names is given."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from smartdoh.config.settings import ListFormat
from smartdoh.rules.lists import MEANINGS
from smartdoh.rules.lists.dialects import DIALECTS
from smartdoh.rules.lists.dialects.adblock import find_disabled

TEXT = (Path(__file__).parents[3] / "docs" / "lists.md").read_text("utf-8")
CODE = re.compile(r"`([^`]+)`|<code>([^<]+)</code>")
FORMATS: list[ListFormat] = ["autoproxy", "adblock", "domains"]  # the others are told in sentences


def lines_of(list_format: str) -> list[str]:
    """The first column of the format's table of lines."""
    section = TEXT.partition(f"### {list_format}\n")[2].partition("\n##")[0]
    table = section.partition("| line | names |\n")[2].partition("\n\n")[0]
    cells = [row.split(" | ")[0] for row in table.splitlines()[1:]]
    return [html.unescape(found[0] or found[1]) for cell in cells for found in CODE.findall(cell)]


@pytest.mark.parametrize("list_format", FORMATS)
def test_every_line_that_is_shown_is_one(list_format: ListFormat) -> None:
    lines = lines_of(list_format)
    assert len(lines) > 5
    assert [line for line in lines if not isinstance(DIALECTS[list_format].parse(line), list)] == []


def test_every_modifier_that_is_shown_is_one() -> None:
    table = TEXT.partition("| modifier | does |\n")[2].partition("\n\n")[0]
    modifiers = [code.replace("\\|", "|") for code, _ in CODE.findall(table) if code.startswith("$")]
    assert len(modifiers) > 5
    rules = ["||example.com^" + modifier for modifier in modifiers]
    assert [rule for rule in rules if not isinstance(DIALECTS["adblock"].parse(rule), list)] == []
    assert len(find_disabled([rule.encode() for rule in rules])) == 1


def test_every_reason_is_told() -> None:
    table = TEXT.partition("<!-- reasons -->")[2].partition("<!-- end -->")[0]
    rows = [row.strip("| ").split(" | ") for row in table.strip().splitlines()[2:]]
    assert dict(rows) == {str(reason): meaning for reason, meaning in MEANINGS.items()}
