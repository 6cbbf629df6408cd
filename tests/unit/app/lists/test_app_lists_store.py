"""A list's files: who may write them, what is kept aside, what is known of where they came from."""

from __future__ import annotations

import asyncio
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from smartdoh.app.lists import store
from smartdoh.app.lists.fetch import Validators
from smartdoh.app.lists.progress import Progress
from smartdoh.app.lists.store import BusyError, ListFiles
from smartdoh.config import parse
from smartdoh.rules.lists import compile_list
from tests.in_loop import in_loop

URL = "https://lists.example/list.txt"
HOLDER = """
import fcntl, sys
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.readline()
"""


def files_in(folder: Path) -> ListFiles:
    text = f"""
[groups.main]
upstreams = ["https://192.0.2.1"]
[lists.l]
url = "{URL}"
file = "{folder / "l.txt"}"
format = "domains"
"""
    return ListFiles(parse(text).lists["l"])


def untold(_progress: Progress) -> None:
    """Nobody watches."""


async def write_in_steps(files: ListFiles, who: str, log: list[str]) -> None:
    async with files.alone(untold):
        for step in ("begins", "ends"):
            log.append(f"{who} {step}")
            await asyncio.sleep(0)


@in_loop
async def test_two_of_one_process_take_turns(tmp_path: Path) -> None:
    """They need not share anything: a reload makes another keeper for the same files."""
    log: list[str] = []
    writers = (write_in_steps(files_in(tmp_path), who, log) for who in "ab")
    await asyncio.gather(*writers)
    assert log == ["a begins", "a ends", "b begins", "b ends"]


@in_loop
async def test_another_process_is_waited_for_and_that_is_told(tmp_path: Path) -> None:
    files, told, log = files_in(tmp_path), list[Progress](), list[str]()
    with subprocess.Popen(  # noqa: ASYNC220 - nothing else waits in this loop
        [sys.executable, "-c", HOLDER, str(tmp_path / "l.txt.lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"

        def tell(progress: Progress) -> None:
            told.append(progress)
            log.append("waits")
            if len(told) == 2:
                holder.kill()  # its lock ends with it

        async with files.alone(tell):
            log.append("writes")
    assert told[0].phase == "waiting"
    assert log == ["waits", "waits", "writes"]


@in_loop
async def test_one_that_never_lets_go_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "PATIENCE", 0.0)
    monkeypatch.setattr(store, "LOOK_EVERY", 0.001)
    with (tmp_path / "l.txt.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(BusyError, match=r"l\.txt\.lock"):
            async with files_in(tmp_path).alone(untold):
                pytest.fail("it is held")
    descriptors = len(os.listdir("/proc/self/fd"))
    async with files_in(tmp_path).alone(untold):
        pass
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_what_was_set_aside_is_told_until_a_good_one_comes(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    assert files.aside() is None
    files.write_new(b"<html>\n")
    files.set_aside(["it is no list", "it shrank"])
    aside = files.aside()
    assert aside is not None
    assert aside.reasons == ("it is no list", "it shrank")
    assert aside.fetched == files.rejected.stat().st_mtime
    files.write_new(b"good.example\n")
    compile_list(files.new, "domains", files.new_compiled)
    files.accept()
    assert files.aside() is None
    assert files.file.read_bytes() == b"good.example\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["l.txt", "l.txt.compiled"]


def test_the_same_content_again_settles_what_was_set_aside(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    files.file.write_bytes(b"a.example\n")
    files.write_new(b"<html>\n")
    files.set_aside(["it is no list"])
    assert files.is_same(b"a.example\n")
    assert not files.is_same(b"b.example\n")
    assert not files.is_same(b"a.example\n\n")
    files.confirm(URL, Validators('"1"'))
    assert files.aside() is None
    assert files.origin(URL).validators == Validators('"1"')
    assert files.origin("https://elsewhere.example/").checked == 0.0
