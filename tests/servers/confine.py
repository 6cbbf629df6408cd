"""What a unit of systemd lets a service see of the machine, made by mounts: for where no systemd makes it.

`python -m tests.servers.confine [--keep PATH]... [--write PATH]... COMMAND...`, as root in a mount namespace:
the system is read-only, homes and temporary files are empty but for what is kept, /dev has what every program needs,
/proc shows processes and not the machine. The command runs as a user that nobody is, with one capability and no way to
others.
"""

from __future__ import annotations

import argparse
import os
import stat
import subprocess
import sys
from pathlib import Path

USER = 64_999  # in the range of systemd's dynamic users
EMPTY = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # ProtectHome=yes, PrivateTmp=yes
DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0)}
CAPABILITY = "net_bind_service"
STASH = Path("/mnt")


def main() -> None:
    """Make the place, then be the command."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep", action="append", default=[], type=Path)
    parser.add_argument("--write", action="append", default=[], type=Path)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    wanted = parser.parse_args()
    _confine(wanted.keep, wanted.write)
    limits = [f"--{kind}=-all,+{CAPABILITY}" for kind in ("bounding-set", "inh-caps", "ambient-caps")]
    user = [f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--no-new-privs"]
    os.umask(0o077)
    os.execvp("setpriv", ["setpriv", *user, *limits, *wanted.command])


def _confine(keep: list[Path], write: list[Path]) -> None:
    """All the mounts. What is empty now may have held what is kept, so that is put aside first."""
    here = os.getcwd()
    os.chmod(here, 0o755)  # the config is there, and may be read
    _mount("tmpfs", STASH, "-t", "tmpfs", "-o", "mode=755")
    aside = {path: STASH / str(number) for number, path in enumerate([*keep, *write])}
    for path, place in aside.items():
        _place_for(path, place)
        _mount(path, place, "--bind")
    _mount("/", "/", "-o", "remount,bind,ro")
    for folder in EMPTY:
        if Path(folder).is_dir():
            _mount("tmpfs", folder, "-t", "tmpfs", "-o", "mode=755")
    for path, place in aside.items():
        if not path.exists():
            _place_for(place, path)
        _mount(place, path, "--bind")
        if path in keep:
            _mount(path, path, "-o", "remount,bind,ro")
    for folder in EMPTY:
        if Path(folder).is_dir():
            _mount(
                folder,
                folder,
                "-o",
                "remount,mode=755" if folder in ("/tmp", "/var/tmp") else "remount,ro,mode=755",
            )
    _make_devices()
    _mount("proc", "/proc", "-t", "proc", "-o", "hidepid=invisible,subset=pid")
    _mount("/sys", "/sys", "-o", "remount,bind,ro")
    subprocess.run(["umount", "--lazy", STASH], check=True)
    os.chdir(here)


def _place_for(like: Path, place: Path) -> None:
    """A mount point of the same kind."""
    if like.is_dir():
        place.mkdir(parents=True)
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()


def _make_devices() -> None:
    """PrivateDevices=yes."""
    _mount("tmpfs", "/dev", "-t", "tmpfs", "-o", "mode=755")
    for name, (major, minor) in DEVICES.items():
        path = f"/dev/{name}"
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(major, minor))
        os.chmod(path, 0o666)  # whatever the umask
    Path("/dev/shm").mkdir()
    _mount("tmpfs", "/dev/shm", "-t", "tmpfs", "-o", "mode=1777")


def _mount(what: object, where: object, *options: str) -> None:
    done = subprocess.run(
        ["mount", *options, str(what), str(where)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"mount {what} {where} {options}: {done.stderr}")


if __name__ == "__main__":
    main()
