"""What a command prints is its answer alone; what the parts log goes to stderr."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = """
[groups.main]
upstreams = ["https://127.0.0.1:1/dns-query"]

[routing]
rules = [{ list = "missing", action = "block" }]

[lists.missing]
file = "missing.txt"

[cache]
dir = "none"
"""


@pytest.mark.parametrize(
    ("command", "logged"),
    [
        (["query", "www.example.com"], "list is missing"),
        (["explain", "www.example.com"], "list is missing"),
        (["check"], ""),
    ],
)
def test_a_program_can_read_it(tmp_path: Path, command: list[str], logged: str) -> None:
    config = tmp_path / "smartdoh.toml"
    config.write_text(CONFIG)
    arguments = [sys.executable, "-m", "smartdoh", *command, "--json", "--config", str(config)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=60)
    assert isinstance(json.loads(done.stdout), dict)
    assert logged in done.stderr


LOOKED_AT = """
[groups.main]
upstreams = ["https://127.0.0.1:1/dns-query"]

[dashboard]
listen = "127.0.0.1:8053"

[metrics]
listen = "127.0.0.1:9153"

[query_log]
enabled = true
dir = "/var/log/asked"
"""


def test_check_says_where_what_is_asked_can_be_seen(tmp_path: Path) -> None:
    config = tmp_path / "smartdoh.toml"
    config.write_text(LOOKED_AT)
    arguments = [sys.executable, "-m", "smartdoh", "check", "--config", str(config)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=60)
    assert "dashboard: http://127.0.0.1:8053\n" in done.stdout
    assert "metrics: http://127.0.0.1:9153/metrics\n" in done.stdout
    assert "query log: /var/log/asked, for 7 days, 1,024 MiB at most, clients: whole\n" in done.stdout
    assert "dnstap" not in done.stdout
    done = subprocess.run([*arguments, "--json"], capture_output=True, text=True, check=True, timeout=60)
    found = json.loads(done.stdout)
    assert (found["dashboard"], found["metrics"]) == ("127.0.0.1:8053", "127.0.0.1:9153")
    assert (found["query_log"], found["dnstap"]) == ("/var/log/asked", "")
