"""What README.md shows of the split-routing example is what the program prints there."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from pathlib import Path

import pytest

from tests.e2e.commands import config_of
from tests.e2e.shipped import Shipped, shipped, soon
from tests.meta.tree import ROOT
from tests.servers.certificates import Authority
from tests.servers.internet import Site
from tests.servers.proxies import tinyproxy
from tests.servers.smartdoh import COMMAND, environment

SHOWN = re.compile(
    r"^```console\n\$ sudo /opt/smartdoh/bin/smartdoh explain (\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL
)
LISTED, BEHIND, NAMED, AD = "www.youtube.com", "youtube-ui.l.google.com", "www.example.com", "doubleclick.net"
NEAR = {NAMED: ["A 45.10.0.1", "A 45.10.0.2", "A 45.10.0.3"]}
FAR = {LISTED: [f"86400 CNAME {BEHIND}."], BEHIND: ["A 203.0.113.10", "A 203.0.113.11"]}
WIDTH = 100  # columns
NUMBER = re.compile(r"\d+(?:\.\d+)?")
PATH = re.compile(r"/\S*/")
WINNER = re.compile(
    r"old, from (?:doh\.pub|dns\.alidns\.com|dns\.google|#\.#)$"
)  # whichever of the group was quicker
BORDER = re.compile(r"[╭╮╰╯├┤┬┴┼─]+")


def shown_in_readme() -> dict[str, str]:
    """What is said to be printed, by the name that is explained."""
    return {found[1]: found[2] for found in SHOWN.finditer((ROOT / "README.md").read_text("utf-8"))}


def shape(printed: str) -> list[str]:
    """The labels in their order: lines without their numbers and folders; of tables the head and the first column."""
    found: list[str] = []
    for line in printed.splitlines():
        if "│" in line:
            cells = [cell.strip() for cell in line.strip(" │").split("│")]
            is_head = bool(found) and found[-1] == "table"
            found.append(" | ".join(cells) if is_head else cells[0])
        elif BORDER.sub("", line):
            found.append(WINNER.sub("old, from …", NUMBER.sub("#", PATH.sub("…/", line.rstrip()))))
        elif line.startswith("╭"):
            found.append("table")
    return found


def at_a_terminal(made: Shipped, arguments: list[str]) -> str:
    """What a command prints to a person."""
    config = config_of(made.proxy)
    ours, theirs = pty.openpty()
    looks = {"TERM": "dumb", "COLUMNS": str(WIDTH)}
    command = [*COMMAND, *arguments, "--config", str(config)]
    process = subprocess.Popen(
        command, env=environment(config.parent) | looks, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    printed = bytearray()
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        while part := _read(terminal.fileno()):
            printed += part
    assert process.wait(30) == 0
    return printed.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    """The next of what is printed; nothing once nobody is there to print, which Linux calls an error (EIO)."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


def test_explain_in_the_readme_is_as_it_prints(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_RUNTIME_DIR", "RUNTIME_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    good = authority.issue("named", NAMED)
    with shipped(tinyproxy, authority, tmp_path, NEAR, FAR) as made:
        made.sides.home.sites |= {
            "45.10.0.1": Site(delay=0.01, certificate=authority.issue("forged", "blocked.example")),
            "45.10.0.2": Site(delay=0.3, certificate=good),
            "45.10.0.3": Site(delay=0.1, certificate=good),
        }
        made.serve_lists(["[AutoProxy 0.2.9]", f"||{LISTED.removeprefix('www.')}"], [f"0.0.0.0 {AD}"])
        made.sides.plug()
        made.start()
        soon(lambda: made.proxy.log.count('"list updated"'), 2)
        for name in (LISTED, NAMED, AD):
            made.ask(name)
        soon(lambda: made.told(NAMED), ["45.10.0.3"])
        shown = shown_in_readme()
        assert set(shown) == {LISTED, NAMED, AD}
        for name, printed in shown.items():
            assert shape(at_a_terminal(made, ["explain", name])) == shape(printed)
