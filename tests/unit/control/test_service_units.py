"""The units as they are written: the packaged ones are the same, and systemd reads back what was meant."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartdoh.config import Endpoint
from smartdoh.config.addresses import parse_endpoint
from smartdoh.control.service import unitfile
from tests.meta.tree import ROOT

COMMAND = ("/opt/smartdoh/bin/smartdoh", "serve", "--config", "/etc/smartdoh/smartdoh.toml")
PACKAGED = ROOT / "packaging" / "systemd"
NASTY = 'it\'s 100% "my own" $HOME\\x ü;\t'
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"|([^"\\\s%]+)')
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|([\\\"]))|(%%)|([^\\%]+)", re.DOTALL)


def read_back(line: str) -> list[str]:
    """The words of a command line, by systemd's rules: quotes, escapes, then specifiers, of which there is only %%."""
    found, at = [], 0
    while at < len(line):
        match = _QUOTED.match(line, at)
        assert match is not None, line[at:]
        found.append(match[2] if match[1] is None else _unescaped(match[1]))
        at = match.end()
        assert line[at : at + 1] in ("", " ")
        at += 1
    return found


def _unescaped(text: str) -> str:
    out, at = b"", 0
    while at < len(text):
        match = _ESCAPE.match(text, at)
        assert match is not None, text[at:]
        if match[1]:
            out += bytes.fromhex(match[1])
        else:
            out += (match[2] or ("%" if match[3] else match[4])).encode()
        at = match.end()
    return out.decode()


def test_the_packaged_units_are_the_same() -> None:
    """For those who copy them by hand; what `install` writes comes with the package."""
    assert unitfile.service(COMMAND) == (PACKAGED / unitfile.SERVICE).read_text("utf-8")
    endpoints = [parse_endpoint("127.0.0.1:53"), parse_endpoint("[::1]:53")]
    assert unitfile.socket(endpoints) == (PACKAGED / unitfile.SOCKET).read_text("utf-8")


@given(st.lists(WORDS, min_size=1, max_size=4))
def test_each_word_is_read_back_as_it_was(words: list[str]) -> None:
    words.insert(0, "/usr/bin/python3")  # the path of a program, which no prefix of systemd's looks like
    line = unitfile.command_line(words)
    assert "\n" not in line
    assert line.isprintable() or not line.isascii()
    assert line.startswith(":") == (any("$" in word for word in words))
    assert read_back(line[1:] if any("$" in word for word in words) else line) == words


def test_what_is_no_text_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="not UTF-8"):
        unitfile.quoted("/etc/\udcff")


def test_addresses_are_written_as_systemd_has_them() -> None:
    """The percent sign of a zone is doubled, for it stands for something else there."""
    unit = unitfile.socket([Endpoint("192.0.2.1", 5353), Endpoint("fe80::1%eth0", 53)])
    assert re.findall(r"^Listen\w+=.*$", unit, re.MULTILINE) == [
        "ListenDatagram=192.0.2.1:5353",
        "ListenStream=192.0.2.1:5353",
        "ListenDatagram=[fe80::1]:53%%eth0",
        "ListenStream=[fe80::1]:53%%eth0",
    ]


@pytest.mark.parametrize(
    "folder", ["plain", "with spaces", "100%", "%h", "$HOME", "üß;", 'a "b"', "it's", "a\\b"]
)
def test_systemd_finds_the_program_wherever_it_lies(tmp_path: Path, folder: str) -> None:
    """Asked of systemd itself: it says so where the file that a unit runs is not there, and where it never would be."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    program = tmp_path / folder / "smartdoh"
    program.parent.mkdir()
    command = [str(program), "serve", "--config", str(tmp_path / NASTY)]
    may_run = not set("\\\"'") & set(folder)

    def verdict() -> str:
        unit, other = tmp_path / unitfile.SERVICE, tmp_path / unitfile.SOCKET
        start = f"ExecStart={unitfile.command_line(command)}"
        unit.write_text(
            re.sub("^ExecStart=.*$", lambda _: start, unitfile.service(["/x"]), flags=re.MULTILINE)
        )
        other.write_text(unitfile.socket([Endpoint("127.0.0.1", 53), Endpoint("fe80::1%lo", 53)]))
        argv = [analyze, "verify", "--man=no", str(unit), str(other)]
        said = subprocess.run(argv, capture_output=True, text=True, check=False)
        return "\n".join(line for line in said.stderr.splitlines() if "smartdoh" in line)

    assert ("is not executable" if may_run else "special characters") in verdict()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    if may_run:
        assert verdict() == ""
        assert unitfile.service(command)
    else:
        with pytest.raises(ValueError, match="systemd runs no program"):
            unitfile.service(command)


@pytest.mark.parametrize("zone", ["a\nExecStartPre=/bin/false", "a b", "x" * 16])
def test_a_zone_that_is_no_interface_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="zone"):
        unitfile.socket([Endpoint(f"fe80::1%{zone}", 53)])
