"""The query log's database: what is kept of whom, for how long, and what a bad disk costs: lines, nothing else."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from smartdoh.app.questions.log import lines, retention
from smartdoh.app.questions.log.schema import first_since, key_of, name_of, open_to_read
from smartdoh.app.questions.seen import Seen
from smartdoh.wire.names import from_text
from tests.unit.app.query_log import NOON, WHO, Log, record

DAY = 86_400.0


def events(said: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was logged since the last look."""
    return [json.loads(line) for line in said.readouterr().err.splitlines()]


def test_a_line_says_all_that_the_record_said(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.write(record(outcome="blocked", who=WHO, rcode=3, qtype=65, seconds=0.0125, client="2001:db8::1"))
    (found,) = log.search().lines
    assert found.seen.seconds == pytest.approx(0.0125, abs=1e-6)
    assert found.seen._replace(seconds=None) == Seen(
        NOON,
        "udp",
        "2001:db8::1",
        from_text("www.example.com"),
        65,
        1,
        3,
        "blocked",
        "main",
        "dns.example",
        "routing.rules[0]: ads line 17",
        "ads",
        17,
    )


def test_a_blocked_hit_names_its_list(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.write(record(outcome="blocked")._replace(text=b"routing.rules[0]: ads line 17"))
    (found,) = log.search(list="ads").lines
    assert (found.seen.rule, found.seen.line) == ("routing.rules[0]: ads line 17", 17)


@pytest.mark.parametrize(
    ("privacy", "client", "kept"),
    [
        ("whole", "192.0.2.77", "192.0.2.77"),
        ("whole", "2001:db8:1:2345::9", "2001:db8:1:2345::9"),
        ("whole", "::ffff:192.0.2.77", "192.0.2.77"),
        ("short", "192.0.2.77", "192.0.2.0"),
        ("short", "::ffff:192.0.2.77", "192.0.2.0"),
        ("short", "2001:db8:1:2345::9", "2001:db8:1:2300::"),
        ("short", "no address", ""),
        ("none", "192.0.2.77", ""),
        ("none", "2001:db8::9", ""),
    ],
)
def test_what_is_kept_of_a_client(tmp_path: Path, privacy: str, client: str, kept: str) -> None:
    """Nothing else of it is anywhere in the files, in text or in octets."""
    log = Log(tmp_path, privacy=privacy)
    log.write(record(client=client))
    assert [line.seen.client for line in log.search().lines] == [kept]
    if privacy != "whole":
        octets = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert client.encode() not in octets
        assert bytes((192, 0, 2, 77)) not in octets
        if kept:
            assert len(log.search(client=client).lines) == 1, "whose address was shortened is found by it"


def test_names_that_are_excluded_leave_nothing(tmp_path: Path) -> None:
    log = Log(tmp_path, exclude=("clinic.example", "x.example"))
    asked = ("www.clinic.example.", "clinic.example.", "myclinic.example.", "example.", "a.b.x.example.")
    log.write(*(record(name) for name in asked))
    assert log.names() == [from_text("myclinic.example"), from_text("example")]
    octets = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"\x06clinic" not in octets


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    log = Log(tmp_path / "deeper")
    log.write(record())
    for path in (tmp_path / "deeper").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path
    assert (tmp_path / "deeper").stat().st_mode & 0o777 == 0o700


def test_old_lines_go_and_their_names_with_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "STEP", 10)
    monkeypatch.setattr(retention, "NAMES_STEP", 10)
    log = Log(tmp_path, days=2)
    log.write(*(record(f"old{number}.example.") for number in range(45)), lost=3)
    log.wall += DAY
    log.write(*(record(f"new{number}.example.", at=log.wall) for number in range(5)))
    log.wall += DAY - 1
    log.wait()
    assert len(log.names()) == 50
    log.wall += 2
    for _ in range(40):
        log.wait()
    assert log.names() == [from_text(f"new{number}.example") for number in range(5)]
    assert log.ask("SELECT count(*) FROM names") == [(5,)]
    assert log.ask("SELECT count(*) FROM lost") == [(0,)]
    log.write(record("old7.example.", at=log.wall))
    assert log.names()[-1] == from_text("old7.example"), "a name that was removed is there again"


def test_for_ever_is_for_ever(tmp_path: Path) -> None:
    log = Log(tmp_path, days=0)
    log.write(record())
    log.wall += 10_000 * DAY
    log.wait()
    assert len(log.names()) == 1


def test_the_oldest_lines_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "STEP", 500)
    monkeypatch.setattr(retention, "SPARE", 10)
    size = 1 << 20
    log = Log(tmp_path, size=size)
    for turn in range(30):
        log.write(*(record(f"n{number % 97}.example.", at=NOON + turn) for number in range(2000)))
    for _ in range(60):
        log.wait()
    found = log.search(limit=100_000).lines
    assert 5000 < len(found) < 60_000
    assert found[0].seen.at == NOON + 29
    (pages,), (octets,) = log.ask("PRAGMA page_count")[0], log.ask("PRAGMA page_size")[0]
    assert pages * octets < 1.2 * size
    assert log.ask("PRAGMA integrity_check") == [("ok",)]


def test_lines_that_were_lost_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = Log(tmp_path)
    log.write(record(), lost=7)
    log.write(lost=5)
    assert log.ask("SELECT lines FROM lost") == [(7,), (5,)]
    assert [event["lost"] for event in events(capsys)] == [7, 5]


@contextmanager
def full_disk(octets: int) -> Iterator[None]:
    """No file may get larger than this: a write beyond it fails as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says so, what waits is bounded, and what could be kept is written once there is room again."""
    log = Log(tmp_path)
    log.write(record("before.example."))
    with full_disk(100_000):
        for turn in range(5):
            log.write(*(record(f"n{turn}-{number}.example.") for number in range(1000)))
        said = events(capsys)
    assert [event["level"] for event in said] == ["error"]
    assert log.names() == [from_text("before.example")]
    log.write(record("after.example."))
    assert len(log.names()) == 5002
    assert log.names()[-1] == from_text("after.example")
    (again,) = events(capsys)
    assert (again["event"], again["lost"]) == ("the query log goes on", 0)
    assert log.ask("PRAGMA integrity_check") == [("ok",)]


def test_what_waits_for_a_disk_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lines, "MOST_WAITING", 10)
    (tmp_path / "file").write_text("in the way")
    log = Log(tmp_path / "file")
    log.write(*(record(f"n{number}.example.") for number in range(8)))
    log.write(*(record(f"m{number}.example.") for number in range(8)))
    (tmp_path / "file").unlink()
    log.wait(100)
    assert len(log.names()) == 8
    assert [event.get("lost") for event in events(capsys)] == [None, 8]


def test_a_broken_database_is_set_aside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = Log(tmp_path)
    log.write(record("before.example."))
    log.lines.close(log.wall)
    log.path.write_bytes(b"no database at all" * 1000)
    again = Log(tmp_path)
    again.write(record("after.example."))
    again.wait(100)
    assert again.names() == [from_text("after.example")]
    (aside,) = tmp_path.glob("*.broken-*")
    assert aside.read_bytes().startswith(b"no database")
    assert [event["level"] for event in events(capsys)] == ["error", "warning", "warning"]


def test_a_database_that_breaks_while_it_is_written(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.write(*(record(f"n{number}.example.") for number in range(20_000)))
    log.lines.close(log.wall)
    with log.path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(4096 * 40))
    for turn in range(4):
        log.write(*(record(f"n{turn}-{number}.example.") for number in range(2000)))
    log.wait(100)
    assert list(tmp_path.glob("*.broken-*"))
    assert log.ask("PRAGMA integrity_check") == [("ok",)]
    assert from_text("n3-1999.example") in log.names()


def test_a_database_of_something_else_is_not_written_to(tmp_path: Path) -> None:
    log = Log(tmp_path)
    with sqlite3.connect(log.path) as db:
        db.execute("CREATE TABLE theirs (a)")
    db.close()
    log.write(record())
    log.wait(100)
    assert len(log.names()) == 1
    (aside,) = tmp_path.glob("*.broken-*")
    with sqlite3.connect(aside) as db:
        assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]
    db.close()


def test_a_database_that_is_taken_away(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.write(record("before.example."))
    log.path.unlink()
    log.write(record("after.example."))
    assert log.names() == [from_text("after.example")]


KILLED = """
import sys, os, signal
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.unit.app.query_log import Log, record
log = Log(Path(sys.argv[1]))
turn = 0
while True:
    log.write(*(record(f"n{turn}-{number}.example.") for number in range(1000)))
    turn += 1
    if turn == 5:
        print("ready", flush=True)
"""


def test_a_writer_that_is_killed_leaves_a_sound_database(tmp_path: Path) -> None:
    root = str(Path(__file__).parents[3])
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path), root], stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        writer.kill()
    log = Log(tmp_path)
    found = log.names()
    assert len(found) >= 5000
    assert len(found) % 1000 == 0, "whole transactions"
    assert log.ask("PRAGMA integrity_check") == [("ok",)]
    log.write(record("after.example."))
    assert len(log.names()) == len(found) + 1


def test_a_time_is_found_by_halving(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.write(*(record(at=NOON + number // 10) for number in range(1000)))
    db = open_to_read(log.path)
    for second in (-5, 0, 1, 50, 99, 100):
        first = first_since(db, int((NOON + second) * 1000))
        assert first == min(1001, max(1, second * 10 + 1))
    db.close()


@pytest.mark.parametrize("name", [".", "com.", "www.example.com.", "x" * 63 + ".example."])
def test_a_name_and_its_key(name: str) -> None:
    wire = from_text(name)
    assert name_of(key_of(wire)) == wire
