"""The compiled form of a list: whole or not at all, believed only while it is true, and made anew otherwise."""

from __future__ import annotations

import os
import pickle
import random
import subprocess
import sys
from multiprocessing import get_context
from pathlib import Path

import pytest

from smartdoh.rules.lists import (
    Match,
    NameSet,
    NotUsable,
    Reason,
    Report,
    compile_list,
    compiled_path,
    line_text,
    open_list,
)
from smartdoh.rules.lists import file as compiled_file
from tests.lists import DATA, is_listed, lookup, name_set

LIST = "example.com\nfull:www.example.net\nkeyword:tracker\n192.0.2.1\n# comment\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A list that has been compiled."""
    path = tmp_path / "names.txt"
    path.write_text(LIST)
    compile_list(path, "domains", compiled_path(path))
    return path


def opened(path: Path) -> NameSet:
    return open_list(path, "domains", compiled_path(path))


def test_it_says_what_the_list_says(path: Path) -> None:
    names = opened(path)
    assert lookup(names, "a.example.com") == Match(1)
    assert lookup(names, "www.example.net") == Match(2)
    assert lookup(names, "mytracker.test") == Match(3)
    assert lookup(names, "example.net") is None
    assert lookup(names, ".") is None
    assert names.file == path


def test_the_report_is_kept_with_it(path: Path) -> None:
    report = compile_list(path, "domains", compiled_path(path))
    kept = opened(path).report
    assert kept.as_json() == report.as_json()
    assert (kept.lines, kept.used, kept.comments, kept.skipped) == (5, 3, 1, {Reason.ADDRESS: 1})
    assert (kept.names, kept.patterns, kept.exceptions) == (2, 1, 0)
    assert [(example.line, example.text) for example in kept.examples] == [(4, "192.0.2.1")]
    assert Report.from_json(report.as_json()) == report


def test_a_line_can_be_shown(path: Path) -> None:
    assert line_text(path, "domains", 2) == "full:www.example.net"
    assert line_text(path, "domains", 0) is None
    assert line_text(path, "domains", 99) is None
    assert line_text(path.with_name("gone"), "domains", 1) is None


def test_a_changed_list_is_not_believed(path: Path) -> None:
    path.write_text("other.example\n")
    with pytest.raises(NotUsable, match="changed"):
        opened(path)


def test_a_list_that_was_only_touched_is_believed(path: Path) -> None:
    os.utime(path, (1, 1))
    assert is_listed(opened(path), "example.com")


def test_a_list_that_is_gone_is_not_believed(path: Path) -> None:
    path.unlink()
    with pytest.raises(NotUsable):
        opened(path)


def test_another_format_is_another_list(path: Path) -> None:
    with pytest.raises(NotUsable, match="format"):
        open_list(path, "hosts", compiled_path(path))


def test_a_missing_or_empty_file(path: Path) -> None:
    compiled_path(path).unlink()
    with pytest.raises(NotUsable):
        opened(path)
    compiled_path(path).write_bytes(b"")
    with pytest.raises(NotUsable):
        opened(path)


def test_another_version_is_made_anew(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_file, "VERSION", compiled_file.VERSION + 1)
    with pytest.raises(NotUsable, match="version"):
        opened(path)


def test_a_file_of_another_kind_of_machine_is_made_anew(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_file, "_MACHINE", "big 32")
    with pytest.raises(NotUsable, match="machine"):
        opened(path)


def test_damage_anywhere_is_found(path: Path) -> None:
    """The trie's library believes what it maps: a damaged one could take the process down with it."""
    whole = compiled_path(path).read_bytes()
    chance = random.Random(1)
    for at in [*range(32), *(chance.randrange(len(whole)) for _ in range(300))]:
        damaged = bytearray(whole)
        damaged[at] ^= 1 << chance.randrange(8)
        compiled_path(path).write_bytes(damaged)
        with pytest.raises(NotUsable):
            opened(path)


def test_a_file_that_was_cut_short_is_found(path: Path) -> None:
    whole = compiled_path(path).read_bytes()
    for length in range(0, len(whole), 61):
        compiled_path(path).write_bytes(whole[:length])
        with pytest.raises(NotUsable):
            opened(path)


def test_what_is_in_use_stays_as_it_was(path: Path) -> None:
    """A new file takes the place of the old one; nothing is written into what is mapped."""
    old = opened(path)
    path.write_text("other.example\n")
    compile_list(path, "domains", compiled_path(path))
    new = opened(path)
    assert (is_listed(old, "example.com"), is_listed(old, "other.example")) == (True, False)
    assert (is_listed(new, "example.com"), is_listed(new, "other.example")) == (False, True)


def test_a_failed_write_leaves_the_old_file_and_no_other(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = compiled_path(path).read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        compile_list(path, "domains", compiled_path(path))
    assert compiled_path(path).read_bytes() == before
    assert sorted(path.parent.iterdir()) == sorted((path, compiled_path(path)))


def test_a_missing_list_cannot_be_compiled(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        compile_list(tmp_path / "gone", "domains", tmp_path / "out")


def test_it_can_be_made_in_a_process_of_its_own(path: Path) -> None:
    compiled_path(path).unlink()
    with get_context("spawn").Pool(1) as pool:
        report = pool.apply(compile_list, (path, "domains", compiled_path(path)))
    assert report.used == 3
    assert pickle.loads(pickle.dumps(report)) == report
    assert is_listed(opened(path), "example.com")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"# nothing\n"])
def test_a_list_without_names(content: bytes) -> None:
    names = name_set(content, "domains")
    assert not is_listed(names, "example.com")
    assert names.report.used == 0


@pytest.mark.parametrize(
    "content",
    [
        b"example.com",
        b"example.com\r\n",
        b"\xef\xbb\xbfexample.com\n",
        b"  example.com\t\n",
        b"\xff\xfe\nexample.com\n",
    ],
)
def test_ends_of_lines_marks_and_odd_octets(content: bytes) -> None:
    assert is_listed(name_set(content, "domains"), "example.com")


def test_names_of_odd_octets_never_match_across_labels() -> None:
    """A dot or a length inside a label is no border: `evil.example` in one label is not below `example`."""
    names = name_set("example.com\nkeyword:n.a\n", "domains")
    assert names.match(b"\x0bevil.example\x03com\0".replace(b"\x0b", b"\x0c")) is None
    assert names.match(b"\x0cevil\x07example\x03com\0") is None
    assert names.match(b"\x03n.a\x04test\0") is None
    assert names.match(b"\x2e" + b"a" * 46 + b"\x07example\x03com\0") == Match(1)
    assert names.match(b"\x01n\x01a\0") == Match(2)


def test_many_patterns_are_all_found() -> None:
    """More than can be looked for one by one, and more than one automaton takes."""
    lines = [f"keyword:word{number}x" for number in range(1200)] + [r"regexp:^odd[0-9]+\."]
    names = name_set("\n".join(lines), "domains")
    assert lookup(names, "a.word0x.test") == Match(1)
    assert lookup(names, "word1199x.test") == Match(1200)
    assert lookup(names, "odd77.test") == Match(1201)
    assert lookup(names, "word1200x.test") is None


def test_too_many_patterns_are_counted() -> None:
    names = name_set("\n".join(f"keyword:w{number}x" for number in range(5003)), "domains")
    assert (names.report.patterns, names.report.skipped) == (5000, {Reason.LIMIT: 3})


def test_a_line_without_end_is_counted() -> None:
    assert name_set("keyword:" + "a" * 5000, "domains").report.skipped == {Reason.LIMIT: 1}


def test_large_expressions_share_no_automaton_that_is_too_large() -> None:
    """Each compiles by itself; five hundred of them together would not."""
    lines = [f"regexp:^a{number}[0-9]{{900}}b[a-z]{{90}}$" for number in range(500)]
    names = name_set("\n".join(lines), "domains")
    assert names.report.patterns == 500
    assert not is_listed(names, "a1.example")


def test_an_expression_that_would_take_for_ever_elsewhere() -> None:
    """Backtracking engines need 2**60 steps for this; it is linear here, or the test's time runs out."""
    names = name_set(r"regexp:^(a|a?)+$", "domains")
    assert not is_listed(names, "a" * 60 + ".b")
    assert is_listed(names, "a" * 60)


def test_the_small_list_of_autoproxy() -> None:
    report = name_set((DATA / "autoproxy.txt").read_bytes(), "autoproxy").report
    assert report.skipped == {Reason.ADDRESS: 1, Reason.PATH: 2, Reason.REGEXP: 2}
    assert (report.used, report.comments, report.exceptions) == (13, 6, 2)
    assert report.used + report.comments + report.unusable == report.lines


def test_the_compiler_runs_as_a_program(path: Path) -> None:
    """A process that can be ended at any moment, and whose memory goes with it."""
    compiled_path(path).unlink()
    command = [sys.executable, "-m", "smartdoh.rules.lists", str(path), "domains", str(compiled_path(path))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert '"used": 3' in done.stdout
    assert is_listed(opened(path), "example.com")
    failed = subprocess.run(
        [*command[:3], str(path) + "x", *command[4:]], capture_output=True, text=True, check=False
    )
    assert failed.returncode == 1
    assert failed.stderr.count("\n") == 1
