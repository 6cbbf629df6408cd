"""What every file of the project keeps to: it says what it is, and nothing in it belongs to one machine."""

import ast
import re
from pathlib import Path

import pytest

from tests.meta import tree

# Written so that this file does not match itself. A test may make up a home: that of "me".
ONE_MACHINES_PATH = re.compile(
    r"(?<![\w.])/(?:work|root|farm)/|/home/(?!me/)[a-z]\w*/|/Users/[a-z]\w*/|/\.pyenv/"
)
INDEX_ADDRESS = re.compile(r"pypi\.org|pythonhosted\.\w|npmjs\.\w|deb\.debian\.\w|//pyp[i]")


@pytest.mark.parametrize("path", tree.python_files(), ids=tree.shown)
def test_a_file_opens_by_saying_what_it_owns(path: Path) -> None:
    """The docstring is the first thing in it, and starts with a sentence."""
    opening = ast.get_docstring(ast.parse(path.read_text("utf-8"), str(path)))
    assert opening, "no docstring"
    assert re.match(r"[^\n]+(\n[^\n]+)?[.:]", opening), f"not a sentence: {opening[:80]!r}"


def test_no_file_names_one_machine_or_a_package_index() -> None:
    """A clone works anywhere: no path of the machine it was written on, no address of an index."""
    found = [
        f"{tree.shown(path)}:{number}: {line.strip()[:100]}"
        for path in tree.project_files()
        for number, line in enumerate(path.read_bytes().decode("utf-8", "replace").splitlines(), 1)
        if ONE_MACHINES_PATH.search(line) or INDEX_ADDRESS.search(line)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "line",
    ["cd /" + "root/x", "--find-links /" + "home/eve/wheels", "https://" + "pypi" + ".org/simple"],
)
def test_the_patterns_find_what_they_look_for(line: str) -> None:
    """A pattern that matches nothing would pass every tree."""
    assert ONE_MACHINES_PATH.search(line) or INDEX_ADDRESS.search(line)
