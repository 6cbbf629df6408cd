"""Changes to overrides.json: nothing that a person saved meanwhile is lost, and what is broken is theirs to mend."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from smartdoh import durable
from smartdoh.app.overrides_reading import read_text
from smartdoh.app.overrides_writing import TRIES, UnwritableError, rewrite
from smartdoh.app.watch import state_of
from smartdoh.errors import ConfigError
from smartdoh.rules.overrides import parse_key
from smartdoh.rules.overrides_file import parse_overrides
from smartdoh.rules.overrides_text import with_value

GROUPS = ("main",)


def blocking(name: str) -> Callable[[str], str]:
    return partial(with_value, key=parse_key(name), value="block")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "overrides.json"
    path.write_text('{\n\t"a.example": "main"\n}')
    return path


def test_the_file_is_changed_and_keeps_its_mode(file: Path) -> None:
    file.chmod(0o640)
    overrides, state = rewrite(file, GROUPS, blocking("b.example"))
    assert read_text(file) == '{\n\t"a.example": "main",\n\t"b.example": "block"\n}'
    assert [key.text for key in overrides.entries] == ["a.example", "b.example"]
    assert file.stat().st_mode & 0o777 == 0o640
    assert state == state_of(file)
    assert os.listdir(file.parent) == [file.name]


def test_a_file_that_is_not_there_is_made(tmp_path: Path) -> None:
    file = tmp_path / "overrides.json"
    rewrite(file, GROUPS, blocking("b.example"))
    assert read_text(file) == '{\n  "b.example": "block"\n}\n'


def test_a_link_goes_on_leading_to_the_file(file: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "overrides.json"
    link.symlink_to(file)
    rewrite(link, GROUPS, blocking("b.example"))
    assert link.is_symlink()
    assert "b.example" in read_text(file)


@pytest.mark.parametrize("is_there", [True, False])
def test_what_a_person_saves_meanwhile_is_kept(file: Path, is_there: bool) -> None:
    if not is_there:
        file.unlink()
    calls: list[str] = []

    def change(text: str) -> str:
        calls.append(text)
        if len(calls) == 1:
            file.write_text('{"by-hand.example": "allow"}')
        return blocking("b.example")(text)

    overrides, _ = rewrite(file, GROUPS, change)
    assert [key.text for key in overrides.entries] == ["by-hand.example", "b.example"]
    assert len(calls) == 2
    assert os.listdir(file.parent) == [file.name]


def test_it_gives_up_where_somebody_else_never_does(file: Path) -> None:
    calls: list[str] = []

    def change(text: str) -> str:
        calls.append(text)
        file.write_text(f'{{"n{len(calls)}.example": "allow"}}')
        return blocking("b.example")(text)

    with pytest.raises(UnwritableError, match="by somebody else"):
        rewrite(file, GROUPS, change)
    assert len(calls) == TRIES
    assert read_text(file) == f'{{"n{TRIES}.example": "allow"}}'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{\n"a.example": "block"\n"b": 1}', "line 3, column 1"),
        (b'{"a.example": "nowhere"}', "'a.example'"),
        (b"\xff", "is not UTF-8"),
    ],
)
def test_a_broken_file_is_left_to_its_owner(file: Path, content: bytes, words: str) -> None:
    file.write_bytes(content)
    with pytest.raises(UnwritableError, match="mend that first") as told:
        rewrite(file, GROUPS, blocking("b.example"))
    assert words in str(told.value)
    assert file.read_bytes() == content


def test_what_is_wrong_is_not_written(file: Path) -> None:
    before = read_text(file)
    with pytest.raises(ConfigError, match=r"'b\.example': 'nowhere' is not block") as told:
        rewrite(file, GROUPS, partial(with_value, key=parse_key("b.example"), value="nowhere"))
    assert not isinstance(told.value, UnwritableError)
    assert read_text(file) == before


def test_where_nothing_can_be_written_that_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnwritableError, match="cannot be written: No such file"):
        rewrite(tmp_path / "missing" / "overrides.json", GROUPS, blocking("b.example"))


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # the child comes back to nothing
def test_whatever_ends_the_process_the_file_is_whole(file: Path) -> None:
    """Killed in the middle of writing, again and again: what is found is what some change has left."""
    for number in range(20):
        before = state_of(file)
        child = os.fork()
        if not child:
            for change in range(1000):
                rewrite(file, GROUPS, blocking(f"n{number}-{change}.example"))
            os._exit(0)
        while state_of(file) == before:
            time.sleep(0.001)
        time.sleep(number * 0.002)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        overrides = parse_overrides(read_text(file), GROUPS, "file")
        names = [key.text for key in overrides.entries]
        of_this = [name for name in names if name.startswith(f"n{number}-")]
        assert names[0] == "a.example"
        assert of_this == [f"n{number}-{change}.example" for change in range(len(of_this))]
    assert len(names) > 20


def test_no_link_is_followed_that_somebody_puts_in_the_way(file: Path) -> None:
    """Who may write to the folder has nothing else overwritten by us."""
    victim, temporary = file.with_name("victim"), file.with_name("temporary")
    victim.write_text("whole")
    temporary.symlink_to(victim)
    with pytest.raises(OSError, match="symbolic link"):
        durable.write(file, temporary, b"{}")
    assert victim.read_text() == "whole"
