"""A running proxy is what its OpenAPI document says, whatever is asked of it: schemathesis, over the real socket."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from smartdoh.control.api.endpoint import Events
from smartdoh.control.api.table import ENDPOINTS
from tests.conftest import GROUP, StartProxy
from tests.e2e.commands import socket_of
from tests.servers.bridge import bridged
from tests.servers.scripted import ScriptedServer

KNOWN = """
[parameters]
"path.group" = "{}"
"query.upstream" = "127.0.0.1:{}"
"""
"""What nobody could guess."""

pytestmark = pytest.mark.usefixtures("short")


def test_it_is_as_its_document_says(smartdoh: StartProxy, upstream: ScriptedServer, tmp_path: Path) -> None:
    (tmp_path / "ads.txt").write_text("ads.example\n")
    sections = {
        "routing": {"default": GROUP, "overrides": str(tmp_path / "overrides.json")},
        "lists.ads": {"file": str(tmp_path / "ads.txt"), "format": "domains"},
        "cache": {"dir": str(tmp_path / "cache"), "memory_entries": 1000},
    }
    proxy = smartdoh(upstream.url, sections=sections)
    (tmp_path / "schemathesis.toml").write_text(KNOWN.format(GROUP, upstream.port))
    with bridged(socket_of(proxy)) as url:
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("schemathesis")),
                "run",
                f"{url}/openapi.json",
                "--phases=examples,coverage,fuzzing",
                "--max-examples=15",
                "--checks=all",
                "--exclude-checks=positive_data_acceptance",
                "--exclude-path-regex=/follow$",
                "--generation-database=none",
                "--seed=1",
                "--continue-on-failure",
                "--no-color",
                "--report-ndjson-path=report.jsonl",
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr
    finite = {endpoint.name for endpoint in ENDPOINTS if not isinstance(endpoint.gives, Events)}
    report = (tmp_path / "report.jsonl").read_text("utf-8")
    assert set(re.findall(r'"label": ?"([^"]+)"', report)) == finite - {"GET /openapi.json"}, (
        "it reads that first"
    )
