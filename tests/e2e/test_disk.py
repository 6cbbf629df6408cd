"""The cache on disk, end to end: warm after every kind of end, and answers whatever becomes of the disk."""

import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import dns.message
import pytest

from smartdoh.cache.disk import COMMIT_EVERY, FILE_NAME
from tests.conftest import StartProxy, settings_for
from tests.e2e.messages import addresses, question
from tests.servers.certificates import Authority
from tests.servers.ports import free_port
from tests.servers.scripted import ScriptedServer, replies
from tests.servers.smartdoh import RunningProxy, toml

WANTED = ["203.0.113.1"]
WARNING = '"level": "warning"'


def on_disk(directory: Path, **more: Any) -> dict[str, Any]:
    return {"cache": {"dir": directory, **more}}


def await_commit(directory: Path, entries: int) -> None:
    """Until what was answered lies on disk, which takes one commit and shows as a file that grows no more."""
    time.sleep(4 * COMMIT_EVERY)
    assert (directory / FILE_NAME).stat().st_size > entries


@pytest.mark.parametrize("how", ["kill -9", "SIGTERM"])
def test_a_restart_starts_warm(
    upstream: ScriptedServer, smartdoh: StartProxy, tmp_path: Path, how: str
) -> None:
    directory, port = tmp_path / "cache", free_port()
    first = smartdoh(upstream.url, sections=on_disk(directory), port=port)
    before: dict[str, dns.message.Message] = {}
    for number in range(50):
        before[f"n{number}.wild"] = first.udp(question(f"n{number}.wild"))
    await_commit(directory, 50)
    if how == "kill -9":
        first.kill()
    else:
        first.process.send(signal.SIGTERM)
        assert first.process.wait() == 0
    asked = len(upstream.requests)
    upstream.behave(replies.ending(replies.Ending.STALL))
    second = smartdoh(upstream.url, sections=on_disk(directory), port=port)
    for name, old in before.items():
        new = second.udp(question(name))
        assert addresses(new) == addresses(old)
        assert 0 < new.answer[0].ttl <= old.answer[0].ttl - 1, "a second at least has passed"
    assert len(upstream.requests) == asked
    assert "cache on disk" not in second.log


def test_a_reload_keeps_what_has_not_changed(
    upstream: ScriptedServer, scripted: Any, smartdoh: StartProxy, authority: Authority, tmp_path: Path
) -> None:
    """The table in memory goes with the old runtime; on disk each group's answers stay while the group does."""
    other = scripted()
    directory = tmp_path / "cache"
    proxy = smartdoh(upstream.url, sections=on_disk(directory))
    assert addresses(proxy.udp(question("one"))) == WANTED
    _reload(proxy)
    assert addresses(proxy.udp(question("one"))) == WANTED
    assert len(upstream.requests) == 1
    config = next(proxy.process.log_file.parent.glob("smartdoh.toml"))
    text = config.read_text()
    config.write_text(text.replace(upstream.url, other.url))
    _reload(proxy)
    assert addresses(proxy.udp(question("one"))) == WANTED
    assert len(other.requests) == 1
    config.write_text(text)
    _reload(proxy)
    proxy.udp(question("one"))
    assert len(upstream.requests) == 1


def _reload(proxy: RunningProxy) -> None:
    done = proxy.log.count("reloaded")
    proxy.process.send(signal.SIGHUP)
    proxy.process.wait_until(lambda: proxy.log.count("reloaded") > done)


@pytest.mark.parametrize("broken", ["garbage", "cut off", "emptied"])
def test_a_broken_file_costs_the_cache_and_nothing_else(
    upstream: ScriptedServer, smartdoh: StartProxy, tmp_path: Path, broken: str
) -> None:
    directory, port = tmp_path / "cache", free_port()
    first = smartdoh(upstream.url, sections=on_disk(directory), port=port)
    assert addresses(first.udp(question("one"))) == WANTED
    await_commit(directory, 1)
    first.kill()
    file = directory / FILE_NAME
    content = file.read_bytes()
    file.write_bytes(
        {"garbage": os.urandom(len(content)), "cut off": content[:10_000], "emptied": b""}[broken]
    )
    second = smartdoh(upstream.url, sections=on_disk(directory), port=port)
    for number in range(20):
        assert addresses(second.udp(question(f"n{number}.wild")))
    assert addresses(second.udp(question("one"))) == WANTED
    await_commit(directory, 1)
    assert second.log.count(WARNING) == (broken != "emptied")
    second.kill()
    asked = len(upstream.requests)
    third = smartdoh(upstream.url, sections=on_disk(directory), port=port)
    assert addresses(third.udp(question("one"))) == WANTED
    assert len(upstream.requests) == asked, "kept again"


def in_a_small_place(directory: Path, options: str) -> list[str]:
    """A command that runs another one with a file system of its own on `directory`."""
    script = 'mount -t tmpfs -o "$1" tmpfs "$0" && shift && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", script, str(directory), options]


needs_mounts = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None,
    reason="root and unshare are needed to mount a file system",
)


@needs_mounts
def test_a_full_disk_costs_nothing_but_the_disk(
    upstream: ScriptedServer, smartdoh: StartProxy, tmp_path: Path
) -> None:
    directory = tmp_path / "cache"
    directory.mkdir()
    proxy = smartdoh(
        upstream.url, sections=on_disk(directory), prefix=in_a_small_place(directory, "size=64k")
    )
    names = [f"n{number}.{'x' * 60}.wild" for number in range(600)]
    for name in names:
        assert addresses(proxy.udp(question(name)))
    proxy.process.wait_until(lambda: WARNING in proxy.log)
    asked = len(upstream.requests)
    for name in names:
        assert addresses(proxy.udp(question(name)))
    assert len(upstream.requests) == asked, "all is in memory"
    assert proxy.log.count(WARNING) == 1, proxy.log
    assert "No space left" in proxy.log


@needs_mounts
def test_a_read_only_disk_costs_nothing_but_the_disk(
    upstream: ScriptedServer, smartdoh: StartProxy, tmp_path: Path
) -> None:
    directory = tmp_path / "cache"
    directory.mkdir()
    proxy = smartdoh(upstream.url, sections=on_disk(directory), prefix=in_a_small_place(directory, "ro"))
    assert addresses(proxy.udp(question("one"))) == WANTED
    assert addresses(proxy.udp(question("one"))) == WANTED
    assert len(upstream.requests) == 1
    assert proxy.log.count(WARNING) == 1, proxy.log
    assert "Read-only file system" in proxy.log


def test_a_directory_that_cannot_be_made_costs_nothing_but_the_disk(
    upstream: ScriptedServer, smartdoh: StartProxy, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    proxy = smartdoh(upstream.url, sections=on_disk(tmp_path / "file" / "cache"))
    assert addresses(proxy.udp(question("one"))) == WANTED
    assert proxy.log.count(WARNING) == 1, proxy.log


def test_dir_none_writes_nothing(upstream: ScriptedServer, smartdoh: StartProxy, tmp_path: Path) -> None:
    proxy = smartdoh(upstream.url)
    assert addresses(proxy.udp(question("one"))) == WANTED
    time.sleep(2 * COMMIT_EVERY)
    assert not list(tmp_path.rglob(f"{FILE_NAME}*"))


def test_by_default_it_lies_in_the_state_directory(
    upstream: ScriptedServer, smartdoh: StartProxy, tmp_path: Path
) -> None:
    proxy = smartdoh(upstream.url, sections={"cache": {}})
    assert addresses(proxy.udp(question("one"))) == WANTED
    (file,) = tmp_path.rglob(FILE_NAME)
    assert file.parent.name == "state"
    assert file.stat().st_mode & 0o777 == 0o600


FAKETIME = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)


@pytest.mark.skipif(FAKETIME is None, reason="libfaketime is needed to give one process another date")
@pytest.mark.parametrize(("shift", "asked"), [("-400d", 1), ("+400d", 2)])
def test_another_date_never_makes_answers_younger(
    upstream: ScriptedServer, smartdoh: StartProxy, tmp_path: Path, shift: str, asked: int
) -> None:
    directory, port = tmp_path / "cache", free_port()
    first = smartdoh(upstream.url, sections=on_disk(directory), port=port)
    old = first.udp(question("one"))
    await_commit(directory, 1)
    first.kill()
    env = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": shift, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    second = smartdoh(upstream.url, sections=on_disk(directory), port=port, env=env)
    new = second.udp(question("one"))
    assert len(upstream.requests) == asked
    if asked == 1:
        assert 0 < new.answer[0].ttl < old.answer[0].ttl


def test_settings_for_tests_keep_nothing_on_disk(authority: Authority) -> None:
    """What all other tests start writes nowhere."""
    assert 'dir" = "none"' in toml(settings_for("https://127.0.0.1:1/", authority=authority))
