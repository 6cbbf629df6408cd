"""The documents: their links lead somewhere, their commands exist, their configs can be read."""

import re
from collections.abc import Iterator

import pytest
import typer

from smartdoh.config import parse
from smartdoh.control.cli import app
from tests.meta import tree
from tests.meta.tree import ROOT

FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
MAKE = re.compile(r"^ *make ([a-z]+)|`make ([a-z]+)", re.MULTILINE)
PROGRAM = re.compile(r"(?:^|/|`)smartdoh ([a-z]+)(?= --|`| *$| *#)", re.MULTILINE)
PLACE = re.compile(r"`((?:src|tests|docs(?!/img)|packaging|scripts|examples)/[\w./-]*)`")


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """(where, text) of each block in `language` in each document."""
    for path in tree.documents():
        text = path.read_text("utf-8")
        for found in FENCE.finditer(text):
            if found[1] == language:
                yield f"{tree.shown(path)}:{text.count(chr(10), 0, found.start()) + 1}", found[2]


def told(pattern: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """(document, word) for each word that `pattern` finds in a document, in whichever of its groups."""
    for path in tree.documents():
        for found in pattern.finditer(path.read_text("utf-8")):
            yield tree.shown(path), next(filter(None, found.groups()))


def test_links_lead_somewhere() -> None:
    """A link to another file of the project is relative to the document it stands in."""
    links = [(where, link) for where, link in told(LINK) if "://" not in link]
    assert links, "no links were found"
    broken = [
        f"{where}: {link}" for where, link in links if not (ROOT / where).parent.joinpath(link).exists()
    ]
    assert not broken, "\n".join(broken)


def test_files_that_are_named_exist() -> None:
    """A path in backquotes is one that a reader can open."""
    missing = [f"{where}: {name}" for where, name in told(PLACE) if not (ROOT / name).exists()]
    assert not missing, "\n".join(missing)


def test_make_verbs_in_documents_exist() -> None:
    """Each `make verb` is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    verbs = list(told(MAKE))
    assert {"run", "test"} <= {verb for _, verb in verbs}
    assert not [f"{where}: make {verb}" for where, verb in verbs if verb not in targets]


def test_commands_in_documents_exist() -> None:
    """Each `smartdoh command` is one that the program has."""
    commands = set(getattr(typer.main.get_command(app), "commands", ()))
    named = list(told(PROGRAM))
    assert {"serve", "check"} <= {command for _, command in named}
    assert not [f"{where}: smartdoh {command}" for where, command in named if command not in commands]


@pytest.mark.parametrize(("where", "text"), [pytest.param(*block, id=block[0]) for block in blocks("toml")])
def test_configs_in_documents_load(where: str, text: str) -> None:
    """Whoever copies a config has one that works. A block without groups is a part: its rules' groups are added."""
    if "[groups." not in text:
        names = dict.fromkeys(["direct", *re.findall(r'group = "(\w+)"', text)])
        text += "".join(f'[groups.{name}]\nupstreams = ["https://192.0.2.1"]\n' for name in names)
    assert parse(text).groups, where
