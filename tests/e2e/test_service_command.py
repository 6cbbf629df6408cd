"""`smartdoh service` as it is called, with the real systemctl on an image of a system."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers.smartdoh import COMMAND, environment

CONFIG = """
[listen]
dns = ["127.0.0.1:53", "192.168.1.2:53", "[::1]:53"]
[groups.main]
upstreams = ["https://192.0.2.1/dns-query"]
"""
EXPOSURE_LIMIT = 20  # tenths, as in tests/meta/test_service.py

pytestmark = pytest.mark.skipif(shutil.which("systemctl") is None, reason="systemd is not installed")


class Command:
    """`smartdoh service` with a config, on an image."""

    def __init__(self, home: Path) -> None:
        self.home, self.image = home, home / "image"
        self.image.mkdir()
        self.config = home / "my config.toml"
        self.config.write_text(CONFIG)
        self.units = self.image / "etc/systemd/system"

    def __call__(self, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*COMMAND, "service", *words],
            env=environment(self.home),
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stderr
        assert done.returncode == status, done.stdout + done.stderr
        return done

    def install(self, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        return self("install", "--config", str(self.config), *words, status=status)

    @property
    def links(self) -> list[str]:
        """What is enabled."""
        return sorted(
            str(path.relative_to(self.units)) for path in self.units.rglob("*") if path.is_symlink()
        )


@pytest.fixture
def service(tmp_path: Path) -> Command:
    return Command(tmp_path)


def test_it_is_written_enabled_and_taken_away_again(service: Command) -> None:
    said = service.install("--root", str(service.image)).stdout
    assert service.links == [
        "multi-user.target.wants/smartdoh.service",
        "sockets.target.wants/smartdoh.socket",
    ]
    unit = (service.units / "smartdoh.service").read_text()
    (start,) = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    assert start.endswith(f' -P -m smartdoh serve --config "{service.config}"')
    socket = (service.units / "smartdoh.socket").read_text()
    assert re.findall(r"^ListenStream=(.*)$", socket, re.MULTILINE) == [
        "127.0.0.1:53",
        "192.168.1.2:53",
        "[::1]:53",
    ]
    assert f"wrote {service.units / 'smartdoh.service'}" in said
    said = service("uninstall", "--root", str(service.image)).stdout
    assert not [path for path in service.units.rglob("*") if path.is_file() or path.is_symlink()]
    assert "/var/lib/smartdoh" in said
    assert str(service.config) in said
    assert service.config.exists()


def test_what_is_written_is_as_confined_as_the_packaged_unit(service: Command) -> None:
    service.install("--root", str(service.image))
    options = ["--offline=true", "--no-pager", f"--threshold={EXPOSURE_LIMIT - 1}"]
    unit = str(service.units / "smartdoh.service")
    verdict = subprocess.run(
        ["systemd-analyze", "security", *options, unit], capture_output=True, text=True, check=False
    )
    assert verdict.returncode == 0, verdict.stdout[-500:] + verdict.stderr


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_a_dry_run_prints_all_and_changes_nothing(service: Command, words: tuple[str, ...]) -> None:
    done = service.install("--root", str(service.image), "--dry-run", *words)
    assert list(service.image.iterdir()) == []
    if words:
        told = json.loads(done.stdout)
        assert (told["done"], told["run"]) == (
            False,
            [["systemctl", f"--root={service.image}", "enable", "smartdoh.socket", "smartdoh.service"]],
        )
        assert sorted(Path(path).name for path in told["write"]) == ["smartdoh.service", "smartdoh.socket"]
    else:
        assert "DynamicUser=yes" in done.stdout
        assert "ListenDatagram=192.168.1.2:53" in done.stdout
        assert f"# would run: systemctl --root={service.image} enable" in done.stdout
    assert "is hidden from the service" in done.stderr, "the tests' own folder is in /tmp"


def test_a_config_error_is_one_as_ever(service: Command) -> None:
    service.config.write_text(CONFIG.replace("dns =", "dnss ="))
    assert "listen.dnss" in service.install("--root", str(service.image), status=2).stderr
    assert list(service.image.iterdir()) == []


@pytest.mark.skipif(Path("/run/systemd/system").exists(), reason="systemd runs here")
def test_without_systemd_it_says_so(service: Command) -> None:
    for words in (("install", "--config", str(service.config)), ("uninstall",)):
        assert re.search("systemd does not run here|needs root", service(*words, status=1).stderr)
        assert re.search("systemd does not run here|needs root", service(*words, "--dry-run").stderr)
