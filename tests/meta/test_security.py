"""SECURITY.md: each class of attacks names tests, and they are there."""

import ast
import re

import pytest

from tests.meta.tree import ROOT

PAGE = (ROOT / "SECURITY.md").read_text("utf-8")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
ROWS = [
    row.strip("| ").split(" | ")
    for row in PAGE.partition("| class |")[2].partition("\n\n")[0].splitlines()[2:]
]
CLASSES = 30  # that other DNS servers were hit by, and more


def test_every_class_has_a_row() -> None:
    assert len(ROWS) >= CLASSES
    assert all(len(row) == 3 for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_the_tests_of_a_class_exist(row: list[str]) -> None:
    named = TEST.findall(row[2])
    assert named, "nothing shows it"
    assert TEST.sub("", row[2]).replace(",", "").strip() == "", "something that is not read as a test"
    for file, name in named:
        tree = ast.parse((ROOT / file).read_text("utf-8"))
        assert name in {
            node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
