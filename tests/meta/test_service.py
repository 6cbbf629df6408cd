"""The systemd units: systemd itself accepts them and finds the service well confined."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.meta.tree import ROOT

UNITS = ROOT / "packaging" / "systemd"
COMMAND = "/opt/smartdoh/bin/smartdoh"
EXPOSURE_LIMIT = 20  # tenths: `systemd-analyze security` calls it 2.0 of 10, and "OK" ends at 4.0


@pytest.fixture
def systemd_analyze() -> str:
    """The tool's path."""
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd-analyze is not installed")
    return found


@pytest.fixture
def units(tmp_path: Path) -> list[Path]:
    """Copies of the units with a command that every machine has, since verify looks whether it exists."""
    copies = []
    for unit in sorted(UNITS.iterdir()):
        copy = tmp_path / unit.name
        copy.write_text(unit.read_text("utf-8").replace(COMMAND, "/bin/true"), "utf-8")
        copies.append(copy)
    return copies


def test_systemd_accepts_the_units(systemd_analyze: str, units: list[Path]) -> None:
    """No unknown keys, no bad values, no missing parts."""
    verdict = subprocess.run(
        [systemd_analyze, "verify", "--man=no", *map(str, units)], capture_output=True, text=True, check=False
    )
    about_ours = [line for line in verdict.stderr.splitlines() if "smartdoh" in line]
    assert (verdict.returncode, about_ours) == (0, [])


def test_verify_would_see_a_mistake(systemd_analyze: str, units: list[Path]) -> None:
    """The check above can fail: a key that systemd does not know is reported."""
    service = next(unit for unit in units if unit.suffix == ".service")
    service.write_text(service.read_text("utf-8").replace("PrivateTmp=", "PrivateTemp="), "utf-8")
    verdict = subprocess.run(
        [systemd_analyze, "verify", "--man=no", str(service)], capture_output=True, text=True, check=False
    )
    assert "PrivateTemp" in verdict.stderr


def test_the_service_is_confined(systemd_analyze: str, units: list[Path]) -> None:
    """systemd's own rating of what the service could reach is under 2.0."""
    service = next(unit for unit in units if unit.suffix == ".service")
    options = ["--offline=true", "--no-pager", f"--threshold={EXPOSURE_LIMIT - 1}"]
    verdict = subprocess.run(
        [systemd_analyze, "security", *options, str(service)], capture_output=True, text=True, check=False
    )
    assert verdict.returncode == 0, verdict.stdout[-500:] + verdict.stderr


def test_one_capability_and_no_other(systemd_analyze: str, units: list[Path]) -> None:
    """Port 53 is all it needs privileges for."""
    service = next(unit for unit in units if unit.suffix == ".service")
    verdict = subprocess.run(
        [systemd_analyze, "security", "--offline=true", "--no-pager", "--json=short", str(service)],
        capture_output=True,
        text=True,
        check=True,
    )
    capabilities = [row for row in json.loads(verdict.stdout) if "CapabilityBoundingSet" in row["name"]]
    held = [row["name"] for row in capabilities if not row["set"]]
    assert len(capabilities) > 10
    assert held == ["CapabilityBoundingSet=~CAP_NET_(BIND_SERVICE|BROADCAST|RAW)"]
    bounds = re.findall(r"^(?:Ambient|CapabilityBounding)\w+=(.*)$", service.read_text("utf-8"), re.MULTILINE)
    assert bounds == ["CAP_NET_BIND_SERVICE"] * 2


def test_the_service_runs_what_the_readme_installs() -> None:
    """README.md and the unit agree on where the program and its config are."""
    readme = (ROOT / "README.md").read_text("utf-8")
    service = (UNITS / "smartdoh.service").read_text("utf-8")
    (start,) = re.findall(r"^ExecStart=(.*)$", service, re.MULTILINE)
    assert start == f"{COMMAND} serve --config /etc/smartdoh/smartdoh.toml"
    assert "/opt/smartdoh/bin/pip install" in readme
    assert "/etc/smartdoh/smartdoh.toml" in readme
