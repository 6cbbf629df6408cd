"""What ledgers count, on its way to the table: in frames, added up, left out, kept while the disk takes none."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from smartdoh import config
from smartdoh.app.leaks import output, table
from smartdoh.app.leaks.find import Sent
from smartdoh.app.leaks.output import LedgerSettings, LedgerTable
from smartdoh.app.leaks.report import report
from smartdoh.app.ledger import Leaves, pack, unpack
from smartdoh.app.questions.frames import FrameError, Frames, frame, ledger_frame
from smartdoh.app.questions.log.schema import FILE, open_to_read, open_to_write
from smartdoh.app.workers.plainlog import PlainLog
from smartdoh.errors import ConfigError
from smartdoh.rules.lists import compile_list, compiled_path
from smartdoh.wire.names import from_text

A, B = from_text("a.example"), from_text("b.private.example")
LEAVES = [Leaves(A, "main", "dns.example", 2), Leaves(B, "büro", "https://dns.example/x", 1)]

Make = Callable[..., LedgerTable]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(size: int = 1 << 30, exclude: tuple[str, ...] = ()) -> LedgerTable:
        return LedgerTable(
            LedgerSettings(str(tmp_path / FILE), size, exclude), PlainLog("info", as_text=False)
        )

    return made


def written(folder: Path) -> list[Sent]:
    with closing(open_to_read(folder / FILE)) as database:
        return list(table.read(database))


def test_frames_of_both_kinds_in_any_pieces() -> None:
    told: list[tuple[bytes, int]] = []
    octets = frame(b"one", 1, 2.0) + ledger_frame(pack(LEAVES), 7) + frame(b"two", 0, 2.0)
    frames = Frames(lambda packed, lost: told.append((packed, lost)))
    found = [one for at in range(0, len(octets), 5) for one in frames.feed(octets[at : at + 5])]
    assert found == [(b"one", 1, 2.0), (b"two", 0, 2.0)]
    ((packed, lost),) = told
    assert list(unpack(packed)) == LEAVES
    assert lost == 7
    with pytest.raises(FrameError):
        list(Frames().feed(b"\xff" * 16))


def test_half_a_line_is_none() -> None:
    for cut in (1, 12, len(pack(LEAVES)) - 1):
        with pytest.raises(Exception, match=r"whole|requires a buffer"):
            list(unpack(pack(LEAVES)[:cut]))


def test_it_is_added_up_and_written_every_few_seconds(make: Make, tmp_path: Path) -> None:
    ledger = make(exclude=("private.example",))
    ledger.take_leaves(LEAVES, 0)
    ledger.tick(100.0, 1000.0)
    ledger.take_leaves(LEAVES, 0)
    ledger.take_leaves(LEAVES, 0)
    ledger.tick(101.0, 1001.0)
    assert written(tmp_path) == [Sent(A, "main", "dns.example", 1000.0, 1000.0, 2)]
    ledger.close(1003.0)
    assert written(tmp_path) == [Sent(A, "main", "dns.example", 1000.0, 1003.0, 6)]


def test_it_is_kept_while_it_cannot_be_written(
    make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "MOST_WAITING", 1)
    (tmp_path / FILE).mkdir()
    ledger = make()
    for number in range(4):
        ledger.take_leaves(LEAVES, 0)
        ledger.tick(100.0 * number, 1000.0)
    (tmp_path / FILE).rmdir()
    ledger.tick(1000.0, 2000.0)
    assert written(tmp_path) == [Sent(A, "main", "dns.example", 2000.0, 2000.0, 8)]
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["level"], line.get("lost")) for line in lines] == [("error", None), ("warning", 4)]


def test_it_is_a_part_of_the_logs_size(make: Make, tmp_path: Path) -> None:
    ledger = make(size=1000 * 40)
    for number in range(60):
        ledger.take_leaves([Leaves(from_text(f"n{number}.example"), "main", "x", 1)], 0)
        ledger.tick(output.TRIM_EVERY * number, float(number + 1))
    kept = [line.last for line in written(tmp_path)]
    assert len(kept) <= 41
    assert max(kept) == 60.0


def reported(folder: Path, name: str = "far", limit: int = 9, enabled: str = "true") -> dict[str, Any]:
    file = folder / "smartdoh.toml"
    file.write_text(
        f"""
[groups.main]
upstreams = ["https://192.0.2.1"]
[groups.far]
upstreams = ["https://192.0.2.2"]
[routing]
rules = [{{ list = "far", group = "far" }}]
[lists.far]
file = "far.txt"
[query_log]
enabled = {enabled}
dir = "{folder}"
"""
    )
    return report(config.load(file, os.environ), name, limit)


def test_what_left_after_the_list_changed(tmp_path: Path) -> None:
    """Both kinds, the last first, and no more than are wanted; a list that was never compiled has no names."""
    (tmp_path / "far.txt").write_text("a.example\nb.private.example\n")
    changed = time.time() - 500
    os.utime(tmp_path / "far.txt", (changed, changed))
    with pytest.raises(ConfigError, match="no rule uses"):
        reported(tmp_path, "other")
    assert reported(tmp_path)["names"] == 0
    compile_list(tmp_path / "far.txt", "domains", compiled_path(tmp_path / "far.txt"))
    with pytest.raises(ConfigError, match="there is no ledger"):
        reported(tmp_path, enabled="false")
    assert reported(tmp_path)["leaked"] == [], "nothing was written yet"
    with closing(open_to_write(tmp_path / FILE)) as database:
        assert reported(tmp_path)["leaked"] == [], "nothing was sent yet"
        table.create(database)
        table.add(database, [Leaves(A, "main", "dns.example", 1)], changed - 100)
        table.add(database, [Leaves(B, "main", "dns.example", 1)], changed + 100)
    found = reported(tmp_path)
    assert [(leak["name"], leak["since_change"]) for leak in found["leaked"]] == [
        ("b.private.example.", True),
        ("a.example.", False),
    ]
    assert (found["names"], found["listed"], found["left_off"]) == (2, 2, 0)
    assert reported(tmp_path, limit=1)["left_off"] == 1
