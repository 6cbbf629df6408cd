"""Crash reports: what is in them, what never is, and their bounds."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from smartdoh.app.crash import AGAIN, FOLDER, MOST_FILES, CrashReports, in_loop

SECRET = "www.private.example"
ADDRESS = "192.168.7.77"


def fail(name: str = SECRET) -> None:
    raise KeyError(name, ADDRESS)


def chained(name: str = SECRET) -> None:
    try:
        fail(name)
    except KeyError as error:
        error.add_note(name)
        raise ValueError(f"{name} of {ADDRESS}") from error


def grouped(name: str = SECRET) -> None:
    raise ExceptionGroup(name, [OSError(2, name, name), LookupError(name)])


def deep(left: int = 500) -> None:
    if left == 0:
        fail()
    deep(left - 1)


def raised_by(work: Callable[[], None]) -> BaseException:
    try:
        work()
    except Exception as error:
        return error
    raise AssertionError("it did not fail")


def files(state: Path) -> list[Path]:
    return sorted((state / FOLDER).iterdir())


Lines = list[MutableMapping[str, Any]]


def reported(state: Path, work: Callable[[], None]) -> tuple[str, Lines]:
    with capture_logs() as lines:
        CrashReports(state).report("resolve", raised_by(work))
    (path,) = files(state)
    return path.read_text(), lines


@pytest.mark.parametrize("work", [fail, chained, grouped, deep])
def test_nothing_of_what_was_asked_is_in_it(tmp_path: Path, work: Callable[[], None]) -> None:
    text, lines = reported(tmp_path, work)
    assert len(lines) == 1
    for told in (text, str(lines)):
        assert SECRET not in told
        assert ADDRESS not in told
    assert "fail" in text or "grouped" in text
    assert len(text) < 10_000


def test_it_says_where_and_why(tmp_path: Path) -> None:
    text, lines = reported(tmp_path, chained)
    assert "task: resolve" in text
    assert text.index("KeyError") < text.index("ValueError")
    (line,) = lines
    assert (line["event"], line["task"], line["kind"]) == (
        "an error inside smartdoh",
        "resolve",
        "ValueError",
    )
    assert line["report"] == str(files(tmp_path)[0])
    text, _ = reported(tmp_path / "other", grouped)
    assert "ENOENT" in text
    assert "LookupError" in text


def test_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    reported(tmp_path, fail)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (*files(tmp_path), tmp_path / FOLDER)] == [
        0o600,
        0o700,
    ]


def test_the_same_failure_is_told_once_a_minute(tmp_path: Path) -> None:
    now = 0.0
    reports = CrashReports(tmp_path, clock=lambda: now)
    with capture_logs() as lines:
        for _ in range(5):
            reports.report("resolve", raised_by(fail))
        now += AGAIN
        reports.report("resolve", raised_by(fail))
    assert [line.get("more_of_them") for line in lines] == [None, 4]
    assert len(files(tmp_path)) == 1


def test_the_oldest_make_room(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir()
    for number in range(MOST_FILES + 5):
        (folder / f"crash-{number}.txt").write_text("x")
        os.utime(folder / f"crash-{number}.txt", (number, number))
    CrashReports(tmp_path).report("resolve", raised_by(fail))
    assert len(files(tmp_path)) == MOST_FILES
    assert not (folder / "crash-0.txt").exists()


def test_a_folder_that_cannot_be_written_costs_the_file_alone(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("")
    reports = CrashReports(tmp_path)
    with capture_logs() as lines:
        reports.report("resolve", raised_by(fail))
        reports.catch_signals()
    assert [line["report"] for line in lines] == ["cannot be written"]


def test_what_the_loop_hears(tmp_path: Path) -> None:
    """A callback's arguments are part of asyncio's words, and stay out of the log."""

    async def play() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(in_loop(CrashReports(tmp_path)))
        loop.call_soon(fail, SECRET)
        loop.call_exception_handler({"message": f"Unclosed thing <{SECRET}>"})
        await asyncio.sleep(0.01)

    with capture_logs() as lines:
        asyncio.run(play())
    assert [line["kind"].strip() for line in lines] == ["Unclosed thing", "KeyError"]
    assert SECRET not in str(lines) + files(tmp_path)[0].read_text()


DIES = """
import os, sys, threading
from pathlib import Path
from smartdoh.app.crash import CrashReports, hear_of_all
hear_of_all(CrashReports(Path(sys.argv[1])))
match sys.argv[2]:
    case "main":
        raise ValueError("www.private.example")
    case "thread":
        thread = threading.Thread(target=lambda: [][1])
        thread.start()
        thread.join()
    case number:
        os.kill(os.getpid(), int(number))
"""


def dies(state: Path, how: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", DIES, state, how], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("how", "status"), [("main", 1), ("thread", 0)])
def test_what_nobody_catches(tmp_path: Path, how: str, status: int) -> None:
    done = dies(tmp_path, how)
    assert done.returncode == status
    assert [path.name[:6] for path in files(tmp_path)] == ["crash-", "fatal."]
    assert "an error inside smartdoh" in done.stdout + done.stderr
    assert "private" not in done.stdout + done.stderr + files(tmp_path)[0].read_text()


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT])
def test_a_fatal_signal_leaves_a_trace_that_the_next_run_tells_of(
    tmp_path: Path, number: signal.Signals
) -> None:
    """SIGABRT is what systemd sends where nobody feeds the watchdog."""
    assert dies(tmp_path, str(int(number))).returncode == -number
    (left,) = files(tmp_path)
    assert "Current thread" in left.read_text()
    with capture_logs() as lines:
        following = CrashReports(tmp_path)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(faulthandler, "enable", lambda _: None)
            patch.setattr(faulthandler, "disable", lambda: None)
            following.catch_signals()
            following.close()
    (line,) = lines
    assert "fatal signal" in line["event"]
    assert "Current thread" in Path(line["report"]).read_text()
    assert [path.stat().st_size > 0 for path in files(tmp_path)] == [True, False]
