"""The guard: a new list that changes too much of what is asked is set aside, by a process of its own."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import cast

import pytest
import structlog

from smartdoh import config
from smartdoh.app.lists import update as updating
from smartdoh.app.lists.fetch import Fetched, Validators, Way
from smartdoh.app.lists.keeper import ListKeeper
from smartdoh.app.lists.progress import Outcome
from smartdoh.app.lists.replay import Replay, replay_of
from smartdoh.app.whatif.asked import asked_since
from smartdoh.config import Settings, parse
from smartdoh.upstream.trust import TrustStore
from tests.asked_log import write_log
from tests.in_loop import in_loop

CONFIG = """
[groups.main]
upstreams = ["https://192.0.2.1"]
[routing]
rules = [{ list = "ads", action = "block" }]
[query_log]
enabled = true
dir = "."
[lists.ads]
url = "https://lists.example/ads.txt"
file = "ads.txt"
"""
ROWS = [("busy.example", 1, "192.0.2.1", 300), ("calm.example", 1, "192.0.2.1", 900)]


async def found_nowhere(_host: str) -> tuple[str, ...]:
    return ()


WAYS = {"ads": Way(found_nowhere, cast(TrustStore, None))}  # nothing is fetched with it


class Server:
    """Stands where lists come from."""

    content = b"old.example\n"

    async def fetch(self, *_: object) -> Fetched:
        return Fetched(self.content, Validators())


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    found = Server()
    monkeypatch.setattr(updating, "fetch", found.fetch)
    return found


def settings_in(folder: Path, more: str = "") -> Settings:
    path = folder / "smartdoh.toml"
    path.write_text(CONFIG + more)
    return config.load(path, os.environ)


async def updated(settings: Settings, replay: Replay | None, server: Server, *contents: bytes) -> Outcome:
    """What came of the last of these versions, one after the other."""
    keeper = ListKeeper(settings.lists, WAYS, lambda _: None, replay)
    outcome = Outcome("failed")
    for content in contents:
        server.content = content
        outcome = await keeper.update("ads")
    return outcome


@in_loop
async def test_a_list_that_blocks_what_is_busy_is_set_aside(tmp_path: Path, server: Server) -> None:
    settings = settings_in(tmp_path)
    write_log(tmp_path, ROWS)
    outcome = await updated(
        settings, replay_of(settings), server, b"old.example\n", b"old.example\nbusy.example\n"
    )
    assert outcome.result == "set aside"
    assert "25% of the questions of the last 7 days" in outcome.why
    assert "newly blocked busy.example (300)" in outcome.why
    assert (tmp_path / "ads.txt").read_bytes() == b"old.example\n"
    assert "busy.example (300)" in (tmp_path / "ads.txt.rejected.why").read_text()
    fine = await updated(settings, replay_of(settings), server, b"old.example\nother.example\n")
    assert fine.result == "updated"


@in_loop
async def test_the_first_version_is_nobodys_change(tmp_path: Path, server: Server) -> None:
    settings = settings_in(tmp_path)
    write_log(tmp_path, ROWS)
    assert (await updated(settings, replay_of(settings), server, b"busy.example\n")).result == "updated"


@in_loop
async def test_a_guard_that_is_off_or_wide(tmp_path: Path, server: Server) -> None:
    write_log(tmp_path, ROWS)
    for guard, result in ((24, "set aside"), (25, "updated"), (0, "updated")):
        settings = settings_in(tmp_path, f"guard = {guard}\n")
        versions = b"old.example\n", b"old.example\nbusy.example\n"
        outcome = await updated(settings, replay_of(settings), server, *versions)
        assert outcome.result == result, guard


@pytest.mark.parametrize("broken", ["log", "config", "time"])
@in_loop
async def test_where_nothing_can_be_replayed_the_list_passes(
    tmp_path: Path, server: Server, broken: str
) -> None:
    """Whatever it is, a line says so."""
    settings = settings_in(tmp_path)
    path = write_log(tmp_path, ROWS)
    longest = 30.0
    if broken == "log":
        path.unlink()
    elif broken == "config":
        (tmp_path / "smartdoh.toml").write_text("[")
    else:
        longest = 0.0
    assert settings.path is not None
    with structlog.testing.capture_logs() as logs:
        replay = Replay(settings.path, longest)
        outcome = await updated(settings, replay, server, b"old.example\n", b"busy.example\n")
    assert outcome.result == "updated"
    (line,) = [line for line in logs if line["event"] == "list not held against the query log"]
    wanted = {"log": "there is no log", "config": "ConfigError", "time": "longer than 0 s"}[broken]
    assert wanted in line["problem"]


def test_without_a_query_log_there_is_no_guard(tmp_path: Path) -> None:
    assert replay_of(parse('[groups.main]\nupstreams = ["https://192.0.2.1"]')) is None
    assert replay_of(settings_in(tmp_path)) is not None


def test_the_log_may_be_written_meanwhile(tmp_path: Path) -> None:
    """A reader of a WAL database waits for no writer."""
    path = write_log(tmp_path, ROWS)
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO lost VALUES (1, 1)")
    with asked_since(path, 0.0) as log:
        assert sum(row.times for row in log.rows(None)) == 1200
    writer.execute("ROLLBACK")
    writer.close()
