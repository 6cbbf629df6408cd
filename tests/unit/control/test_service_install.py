"""Putting the service in place: what is done, in which order, and what keeps it from being done.

systemctl is a stand-in that writes down how it is called: what the real one does to an image is in tests/e2e.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from smartdoh import config
from smartdoh.config import Settings
from smartdoh.control.service import install, sight
from smartdoh.control.service.holders import Holder, Process
from smartdoh.control.service.install import ServiceError, carry_out, installation, refusal, removal
from smartdoh.control.service.machine import Machine
from tests.servers.ports import free_port

CONFIG = '[listen]\ndns = ["127.0.0.1:{port}"]\n[groups.main]\nupstreams = ["https://192.0.2.1/dns-query"]\n'
STAND_IN = '#!/bin/sh\necho "$*" >> {log}\ntest ! -e {broken} || {{ echo "it broke" >&2; exit 3; }}\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A config that listens where nobody does."""
    found = tmp_path / "smartdoh.toml"
    found.write_text(CONFIG.format(port=free_port()))
    return found


@pytest.fixture
def settings(file: Path) -> Settings:
    return config.load(file, {})


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A system in a folder, which is told to run by systemd."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "systemctl").write_text(STAND_IN.format(log=tmp_path / "called", broken=tmp_path / "broken"))
    (folder / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    root = tmp_path / "root"
    (root / "run/systemd/system").mkdir(parents=True)
    return Machine(root)


def called(tmp_path: Path) -> list[str]:
    found = tmp_path / "called"
    return found.read_text().splitlines() if found.exists() else []


def test_all_in_its_order(machine: Machine, settings: Settings, file: Path, tmp_path: Path) -> None:
    carry_out(installation(machine, settings, file))
    units = machine.at("etc/systemd/system")
    assert sorted(path.name for path in units.iterdir()) == ["smartdoh.service", "smartdoh.socket"]
    assert {path.stat().st_mode & 0o777 for path in units.iterdir()} == {0o644}
    assert f"--config {file}" in (units / "smartdoh.service").read_text()
    assert called(tmp_path) == [
        "daemon-reload",
        "enable smartdoh.socket smartdoh.service",
        "start smartdoh.socket smartdoh.service",
    ]


def test_again_it_is_stopped_first(machine: Machine, settings: Settings, file: Path, tmp_path: Path) -> None:
    """systemd starts no socket unit whose service runs."""
    carry_out(installation(machine, settings, file))
    (tmp_path / "called").unlink()
    carry_out(installation(machine, settings, file))
    assert called(tmp_path)[2:] == [
        "stop smartdoh.service smartdoh.socket",
        "start smartdoh.socket smartdoh.service",
    ]


def test_what_it_holds_itself_is_not_in_the_way() -> None:
    """systemd has the sockets of its units too, and has them alone while the service rests."""
    systemd, ours = Process(1, "systemd", "init.scope"), Process(7, "smartdoh", "smartdoh.service")
    held = [
        Holder("127.0.0.1", 53, "UDP", (systemd, ours)),
        Holder("127.0.0.1", 53, "TCP", (systemd,)),
        Holder("127.0.0.1", 53, "TCP", ()),
    ]
    assert install.not_ours(held, is_installed=True) == held[2:]
    assert install.not_ours(held, is_installed=False) == held[1:]


def test_nothing_is_started_where_somebody_is_in_the_way(machine: Machine, file: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        file.write_text(CONFIG.format(port=port))
        plan = installation(machine, config.load(file, {}), file)
    assert "start" not in [word for command in plan.after for word in command]
    assert f"(pid {os.getpid()}) holds UDP 127.0.0.1:{port}" in plan.advice[0]
    assert plan.advice[-1].strip() == "sudo systemctl start smartdoh.socket smartdoh.service"


def test_what_systemd_refuses_is_told(
    machine: Machine, settings: Settings, file: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken").touch()
    with pytest.raises(ServiceError, match="systemctl daemon-reload: it broke"):
        carry_out(installation(machine, settings, file))
    assert len(called(tmp_path)) == 1


def test_a_folder_that_cannot_be_written_is_told(machine: Machine, settings: Settings, file: Path) -> None:
    machine.at("etc").write_text("no folder")
    with pytest.raises(ServiceError, match=r"Not a directory|File exists"):
        carry_out(installation(machine, settings, file))


def test_taking_away_leaves_what_is_the_users(
    machine: Machine, settings: Settings, file: Path, tmp_path: Path
) -> None:
    carry_out(installation(machine, settings, file))
    (tmp_path / "called").unlink()
    (units := machine.at("etc/systemd/system")).joinpath("smartdoh.service.d").mkdir()
    plan = removal(machine)
    carry_out(plan)
    assert [path.name for path in units.iterdir()] == ["smartdoh.service.d"]
    assert called(tmp_path) == ["disable --now smartdoh.socket smartdoh.service", "daemon-reload"]
    assert f"left as they are: {file}, /var/lib/smartdoh" in plan.advice[0]
    assert "smartdoh.service.d" in plan.advice[0]
    assert removal(machine).notes[0].startswith("there is no service")
    carry_out(removal(machine))
    assert len(called(tmp_path)) == 2


def test_who_may_do_it_and_where(machine: Machine, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sight, "out_of_sight", lambda *_: [])
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert refusal(machine, file).startswith("needs root")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert refusal(machine, file) == ""
    assert "systemd does not run here" in refusal(Machine(file.parent), file)
    assert refusal(Machine(file.parent, is_image=True), file) == ""
    monkeypatch.setattr(sight, "out_of_sight", lambda *_: ["the config lies in /home"])
    assert refusal(machine, file).startswith("the config lies in /home\n")
    assert refusal(machine) == "", "to take it away nothing has to be seen"


@pytest.mark.parametrize("folder", ["/home", "/root", "/tmp", "/var/tmp", "/run/user"])
def test_what_is_hidden_from_the_service_is_found(folder: str) -> None:
    found = sight.out_of_sight([f"{folder}/me/smartdoh"], Path("/etc/smartdoh/smartdoh.toml"))
    assert any(words.startswith("the program lies in") and folder in words for words in found)
    assert not [words for words in found if words.startswith("the config")]


def test_what_leads_there_is_found_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sight, "HIDDEN", (tmp_path / "home",))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "python").touch()
    (tmp_path / "python").symlink_to("home/python")
    assert len(sight.out_of_sight([str(tmp_path / "python")], tmp_path / "x.toml")) == 1


def test_it_runs_what_was_called(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["/opt/smartdoh/bin/smartdoh", "service"])
    assert sight.command(Path("a.toml")) == (
        "/opt/smartdoh/bin/smartdoh",
        "serve",
        "--config",
        str(tmp_path / "a.toml"),
    )
    monkeypatch.setattr(sys, "argv", ["/usr/lib/smartdoh/__main__.py", "service"])
    assert sight.command(Path("/a.toml"))[:4] == (sys.executable, "-P", "-m", "smartdoh")


def test_a_config_that_not_all_may_read(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    file = tmp_path / "smartdoh.toml"
    file.touch(0o640)
    assert not sight.is_for_all(file)
    assert not sight.is_for_all(tmp_path / "none")
    assert sight.is_for_all(Path("/etc/passwd"))
