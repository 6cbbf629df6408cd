"""Where the control socket lies: found by the same config, apart for different ones."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from smartdoh import unixsocket
from smartdoh.control.places import candidates, config_path, socket_path
from smartdoh.errors import ConfigError


def test_the_first_place_is_the_service_managers(tmp_path: Path) -> None:
    environ = {
        "RUNTIME_DIRECTORY": "/run/a:/run/b",
        "XDG_RUNTIME_DIR": "/run/user/1",
        "STATE_DIRECTORY": "/state",
    }
    folders = [str(path.parent) for path in candidates(tmp_path / "c.toml", environ)]
    assert folders == ["/run/a", "/run/user/1/smartdoh", "/state/run", "/run/smartdoh"]
    environ.pop("RUNTIME_DIRECTORY")
    assert socket_path(tmp_path / "c.toml", environ).parent == Path("/run/user/1/smartdoh")
    environ["XDG_RUNTIME_DIR"] = "relative"
    assert socket_path(tmp_path / "c.toml", environ).parent == Path("/state/run")


def test_one_config_one_socket_whatever_it_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "c.toml"
    config.touch()
    link = tmp_path / "link.toml"
    link.symlink_to(config)
    monkeypatch.chdir(tmp_path)
    names = {socket_path(path, {}).name for path in (config, link, Path("c.toml"))}
    assert len(names) == 1
    assert socket_path(tmp_path / "other.toml", {}).name not in names


def test_the_config_is_found_as_serve_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    home = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    if not Path("/etc/smartdoh/smartdoh.toml").exists():
        with pytest.raises(ConfigError):
            config_path(None, home)
    there = tmp_path / "config" / "smartdoh" / "smartdoh.toml"
    there.parent.mkdir(parents=True)
    there.touch()
    assert config_path(None, home) == there
    assert config_path(Path("x"), home) == Path("x")


@pytest.mark.parametrize("length", [10, 200])
def test_a_socket_wherever_it_lies(tmp_path: Path, length: int) -> None:
    path = tmp_path / ("d" * length) / "control.sock"
    listening = unixsocket.listen(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    unixsocket.connect(path, 1).close()
    with pytest.raises(OSError, match="another smartdoh"):
        unixsocket.listen(path)
    listening.close()
    again = unixsocket.listen(path)
    unixsocket.remove(path, path.stat().st_ino + 1)
    assert path.exists()
    unixsocket.remove(path, path.stat().st_ino)
    assert not path.exists()
    again.close()


def test_what_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    path.write_text("precious")
    with pytest.raises(OSError, match="no socket"):
        unixsocket.listen(path)
    assert path.read_text() == "precious"
