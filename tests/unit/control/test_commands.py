"""Every command: help with an example that can be typed, JSON where something is printed, words for the shell."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from smartdoh.control.cli import app
from smartdoh.control.cli.order import HEADINGS
from tests.servers.required import require_server

PRINTS_NO_JSON = {
    "serve": "it runs",
    "worker": "it runs",
    "dashboard run": "it runs",
    "cache export": "lines of JSON are all that it prints",
    "completion": "a script for a shell",
}
CONFIG = """
[groups.fast]
upstreams = ["https://dns.example/dns-query", "https://192.0.2.1:8443"]
[groups.far]
upstreams = ["https://192.0.2.2"]
[lists.ads]
file = "ads.txt"
[routing]
overrides = "overrides.json"
"""


def walk(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command below one, with the words that lead there."""
    yield " ".join(path), command
    for name, below in getattr(command, "commands", {}).items():
        yield from walk(below, (*path, name))


COMMANDS = dict(walk(typer.main.get_command(app)))


@pytest.mark.parametrize("path", [path for path in COMMANDS if path != "worker"])
def test_its_help_has_an_example_that_can_be_typed(path: str) -> None:
    _, found, example = (COMMANDS[path].help or "").partition("Example: ")
    assert found, "no example"
    program, *words = shlex.split(example.splitlines()[0].partition(" > ")[0].removeprefix("sudo "))
    assert program == "smartdoh"
    assert words[: len(path.split())] == path.split()
    command = COMMANDS[""]
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    command.make_context(path, words)


def test_every_command_stands_under_a_heading() -> None:
    """What a new user needs first comes first."""
    shown = [name for name, found in COMMANDS[""].commands.items() if not found.hidden]
    listed = [name for names in HEADINGS.values() for name in names]
    assert sorted(listed) == sorted(shown)
    context = COMMANDS[""].make_context("smartdoh", ["version"])
    assert [name for name in COMMANDS[""].list_commands(context) if name in shown] == listed
    assert COMMANDS[""].get_command(context, "log").rich_help_panel == "Look at it"


@pytest.mark.parametrize("path", [path for path, found in COMMANDS.items() if not hasattr(found, "commands")])
def test_what_it_prints_comes_as_json_too(path: str) -> None:
    options = {option for param in COMMANDS[path].params for option in param.opts}
    assert ("--json" in options) != (path in PRINTS_NO_JSON)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A config, overrides, and a `smartdoh` that the shell finds."""
    (tmp_path / "smartdoh.toml").write_text(CONFIG)
    (tmp_path / "overrides.json").write_text('{"nas.home.arpa": "block"}')
    program = tmp_path / "bin" / "smartdoh"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m smartdoh "$@"\n')
    program.chmod(0o755)
    return tmp_path


def shell(folder: Path, *words: str) -> str:
    environment = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "HOME": str(folder)}
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    return done.stdout


def test_bash_completes(folder: Path) -> None:
    script = """
        source <(smartdoh completion bash)
        complete -p smartdoh
        for line in "$@"; do
            COMP_WORDS=($line ""); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _smartdoh_completion smartdoh; echo "${COMPREPLY[@]}"
        done
    """
    asked = [
        "smartdoh overrides",
        "smartdoh upstreams rest",
        "smartdoh lists update",
        "smartdoh overrides set",
    ]
    said = shell(folder, require_server("bash"), "--norc", "-c", script, "bash", *asked).splitlines()
    assert said == [
        "complete -o default -F _smartdoh_completion smartdoh",
        "list set remove",
        "dns.example 192.0.2.1:8443 192.0.2.2",
        "ads",
        "nas.home.arpa",
    ]


def test_fish_completes(folder: Path) -> None:
    script = "smartdoh completion fish | source; complete -C 'smartdoh query a.example --group '"
    said = shell(folder, require_server("fish"), "--no-config", "-c", script)
    assert {line.split("\t")[0] for line in said.splitlines()} >= {"fast", "far"}


def test_zsh_takes_the_script(folder: Path) -> None:
    script = "autoload -U compinit; compinit -D; source <(smartdoh completion zsh); print $_comps[smartdoh]"
    assert shell(folder, require_server("zsh"), "-f", "-c", script).strip() == "_smartdoh_completion"
