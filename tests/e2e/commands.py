"""Commands of the user who started a proxy, with the proxy's config."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.servers.smartdoh import COMMAND, RunningProxy, environment


def config_of(proxy: RunningProxy) -> Path:
    return proxy.process.log_file.parent / "smartdoh.toml"


def run(proxy: RunningProxy, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    """A command of the user who started the proxy, with the proxy's config."""
    config = config_of(proxy)
    done = subprocess.run(
        [*COMMAND, *arguments, "--config", str(config)],
        env=environment(config.parent),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == status, done.stdout + done.stderr
    return done


def explained(proxy: RunningProxy, *arguments: str) -> Any:
    return json.loads(run(proxy, "explain", *arguments, "--json").stdout)


def socket_of(proxy: RunningProxy) -> Path:
    (found,) = config_of(proxy).parent.rglob("control-*.sock")
    return found
