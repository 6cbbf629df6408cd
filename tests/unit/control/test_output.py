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
