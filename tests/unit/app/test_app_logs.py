"""Log lines: what the journal gets before them, and that one entry is one line."""

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog

from smartdoh.app import logs
from smartdoh.app.journal import is_read_by_journal, marked
from smartdoh.app.workers.plainlog import PlainLog

PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3}


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Whatever is configured here is so for this test alone."""
    yield
    structlog.reset_defaults()


def name_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where systemd's journal reads it; pytest leads it elsewhere between a test and its fixtures."""
    found = os.fstat(2)
    monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino}")


def test_only_the_very_stream_counts(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        found = os.fstat(file.fileno())
        named = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        assert is_read_by_journal(named, file.fileno())
        assert not is_read_by_journal({}, file.fileno())
        assert not is_read_by_journal({"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino + 1}"}, file.fileno())
        with (tmp_path / "other").open("wb") as other:
            assert not is_read_by_journal(named, other.fileno())


def test_each_line_of_a_text_is_marked() -> None:
    assert marked("a\nb", "error") == "<3>a\n<3>b"


@pytest.mark.parametrize("level", list(PRIORITIES))
@pytest.mark.parametrize("form", ["json", "text"])
def test_lines_to_the_journal_have_their_priority(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], form: logs.Format, level: str
) -> None:
    name_stderr(monkeypatch)
    logs.configure("debug", form)
    getattr(logs.get(), level)("something", about="a\nb")
    lines = capfd.readouterr().err.splitlines()
    assert lines
    assert all(line.startswith(f"<{PRIORITIES[level]}>") for line in lines)
    if form == "json":
        assert json.loads(lines[0][3:])["about"] == "a\nb"


def test_questions_and_the_supervisor_have_them_too(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    name_stderr(monkeypatch)
    made = logs.renderer("json")({"at": datetime.now(UTC), "level": "info", "event": "question"})
    assert re.match(r'<6>\{.*"event": "question"', made)
    PlainLog("info", as_text=False, to_journal=True).warning("gone")
    assert capfd.readouterr().err.startswith('<4>{"event": "gone"')


def test_others_get_lines_as_they_are(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    logs.configure("info", "json")
    logs.get().info("something")
    assert capfd.readouterr().err.startswith("{")


def test_an_exception_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")
    try:
        raise ValueError("several\nlines")  # noqa: TRY301 - one is needed
    except ValueError:
        logs.get().error("it went wrong", exc_info=True)
    (line,) = capsys.readouterr().err.splitlines()
    found = json.loads(line)
    assert found["event"] == "it went wrong"
    assert "Traceback" in found["exception"]
    assert "several\nlines" in found["exception"]
