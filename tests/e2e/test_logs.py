"""What the log says while the program runs: each thing that happens once, with its priority, and nobody's questions."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import dns.rcode
import pytest

from tests.conftest import StartProxy, settings_for
from tests.e2e.messages import error_text, question
from tests.servers.certificates import Authority
from tests.servers.ports import free_port
from tests.servers.scripted import ScriptedServer, replies
from tests.servers.smartdoh import STRICT_COMMAND, environment, toml
from tests.servers.zone import full_name

SECONDS = 20.0


class Journal:
    """A socket that stands in the place of systemd's, and what was written to it."""

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair()
        self.theirs = self._theirs.fileno()
        self._written = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def stream(self) -> str:
        """As $JOURNAL_STREAM names it."""
        found = os.fstat(self.theirs)
        return f"{found.st_dev}:{found.st_ino}"

    @property
    def lines(self) -> list[str]:
        return self._written.decode().splitlines()

    def entries(self, event: str) -> list[dict[str, Any]]:
        """What the lines of this event say, with their priority."""
        found = [{**json.loads(line[3:]), "priority": line[:3]} for line in self.lines]
        return [entry for entry in found if entry["event"] == event]

    def wait_for(self, event: str, times: int = 1) -> dict[str, Any]:
        """The entry of that event which is the last of so many."""
        soon(lambda: len(self.entries(event)) >= times)
        return self.entries(event)[times - 1]

    def close(self) -> None:
        """Stop reading; whatever was written has been read then."""
        self._theirs.close()
        self._reader.join(SECONDS)
        self._ours.close()

    def _read(self) -> None:
        while part := self._ours.recv(65_536):
            self._written += part


def soon(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def served(settings: dict[str, Any], home: Path) -> Iterator[tuple[Journal, subprocess.Popen[bytes]]]:
    """A proxy whose stderr is the journal, to be ended in order."""
    config = home / "smartdoh.toml"
    config.write_text(toml(settings))
    journal = Journal()
    env = environment(home, {"JOURNAL_STREAM": journal.stream})
    argv = [*STRICT_COMMAND, "serve", "--config", str(config)]
    process = subprocess.Popen(argv, stderr=journal.theirs, env=env, cwd=home)
    try:
        journal.wait_for("ready")
        yield journal, process
    finally:
        process.terminate()
        status = process.wait(SECONDS)
        journal.close()
    assert status == 0


def test_each_event_is_one_line_with_its_priority(
    authority: Authority, upstream: ScriptedServer, tmp_path: Path
) -> None:
    """Start, ready, an upstream that goes and is back, a list, a reload that works and one that does not, the end."""
    port = free_port()
    ads = tmp_path / "ads.txt"
    ads.write_text("ads.example.com\n")
    settings = settings_for(upstream.url, authority=authority, group={"timeout": "1s"})
    settings["routing"] |= {"rules": [{"list": "ads", "action": "block"}]}
    settings["lists.ads"] = {"file": "ads.txt", "format": "domains"}
    settings |= {"listen": {"dns": [f"127.0.0.1:{port}"]}, "server": {"loop_guard": "off"}}

    def ask(name: str) -> dns.message.Message:
        return dns.query.udp(question(name), "127.0.0.1", port=port, timeout=SECONDS)

    with served(settings, tmp_path) as (journal, process):
        upstream.behave(replies.status(500))
        for number in range(4):
            assert ask(f"x{number}").rcode() == dns.rcode.SERVFAIL
        down = journal.wait_for("upstream down")
        upstream.behave(replies.right)
        numbers = iter(range(1000))
        soon(lambda: ask(f"y{next(numbers)}").rcode() != dns.rcode.SERVFAIL)
        up = journal.wait_for("upstream up")
        ads.write_text("ads.example.com\nmore.example.com\n")
        updated = journal.wait_for("list updated")
        process.send_signal(signal.SIGHUP)
        reloaded = journal.wait_for("reloaded")
        (tmp_path / "smartdoh.toml").write_text("[listen]\ndnss = 1\n")
        process.send_signal(signal.SIGHUP)
        refused = journal.wait_for("reload refused, the old config stays")

    assert (down["priority"], down["group"], down["kind"], down["reason"]) == (
        "<4>",
        "main",
        "bad answer",
        "HTTP 500",
    )
    assert (up["priority"], up["group"], up["upstream"]) == ("<6>", "main", down["upstream"])
    assert up["down_s"] >= 0
    assert (updated["priority"], updated["list"], updated["lines"]) == ("<6>", "ads", 2)
    assert (reloaded["priority"], refused["priority"]) == ("<6>", "<3>")
    (starting,) = journal.entries("starting")
    assert (starting["priority"], starting["config"]) == ("<6>", str(tmp_path / "smartdoh.toml"))
    for event in ("ready", "upstream down", "upstream up", "list updated", "reloaded", "stopping"):
        assert len(journal.entries(event)) == 1, event


def test_a_mistake_in_the_config_has_its_priority(tmp_path: Path) -> None:
    """What is no log line, too: the journal shows it in red, and not as a notice."""
    journal = Journal()
    config = tmp_path / "smartdoh.toml"
    config.write_text("[listen]\ndnss = 1\n")
    env = environment(tmp_path, {"JOURNAL_STREAM": journal.stream})
    argv = [*STRICT_COMMAND, "serve", "--config", str(config)]
    ended = subprocess.run(argv, stderr=journal.theirs, env=env, cwd=tmp_path, check=False)
    journal.close()
    assert ended.returncode == 2
    assert journal.lines
    assert all(line.startswith("<3>smartdoh: ") for line in journal.lines)


FAULTS = [
    replies.right,
    replies.status(500),
    replies.wrong_question,
    replies.wrong_type,
    replies.body(b"<html>please log in</html>"),
    replies.rcode(dns.rcode.SERVFAIL),
    replies.rcode(dns.rcode.REFUSED),
    replies.ending(replies.Ending.DROP),
]


@pytest.mark.parametrize("workers", [1, 2])
def test_nobodys_question_is_in_the_log(
    upstream: ScriptedServer, smartdoh: StartProxy, tmp_path: Path, workers: int
) -> None:
    """Whatever becomes of it: answered, blocked, kept, explained, refused, failed in many ways."""
    secret = "nobodys-business"
    (tmp_path / "ads.txt").write_text("business.example\n")
    proxy = smartdoh(
        upstream.url,
        group={"timeout": "800ms"},
        sections={
            "routing": {"default": "main", "rules": [{"list": "ads", "action": "block"}]},
            "lists.ads": {"file": str(tmp_path / "ads.txt"), "format": "domains"},
            "server": {"workers": workers},
        },
    )
    failed = 0
    for number, fault in enumerate(FAULTS):
        upstream.behave(fault)
        for again in range(3):
            answer = proxy.udp(question(f"{secret}-{number}-{again // 2}"))
            failed += answer.rcode() == dns.rcode.SERVFAIL
    assert failed > 5
    for name in (f"{secret}.business.example.", f"{secret}.local.", f"{secret}.explain.smartdoh."):
        proxy.tcp(question(name, "TXT"))
    assert "list ads" in error_text(proxy.udp(question(f"{secret}.business.example.")))
    proxy.process.send(signal.SIGHUP)
    proxy.process.wait_until(lambda: "reloaded" in proxy.log)
    proxy.stop()
    assert "upstream down" in proxy.log, "nothing happened that could have named it"
    assert secret not in proxy.log.lower()
    assert full_name("").strip(".") not in proxy.log
