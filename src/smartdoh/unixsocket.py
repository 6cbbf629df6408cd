"""The Unix socket as a file: made for its owner alone, a dead one replaced, removed at the end."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path

LONGEST_PATH = 100  # octets that sockaddr_un surely takes; Linux has room for 107, others for 103
BACKLOG = 64


def connect(path: Path, seconds: float) -> socket.socket:
    """A connection to the socket at `path`. Raises OSError where nobody listens."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(seconds)
    try:
        with _short(path) as reachable:
            sock.connect(reachable)
    except BaseException:
        sock.close()
        raise
    return sock


def listen(path: Path) -> socket.socket:
    """A listening socket at `path`, mode 0600; a folder that is missing is made with mode 0700.

    Raises OSError, EADDRINUSE where a living process listens there.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if _is_alive(path):
        raise OSError(errno.EADDRINUSE, "another smartdoh with this config runs")
    return listen_anew(path)


def listen_anew(path: Path) -> socket.socket:
    """The same in a folder that is there, and in place of whoever listens at `path`. Raises OSError."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        _clear(path)
        with _short(path) as reachable:
            sock.bind(reachable)
        path.chmod(0o600)  # nobody can connect before `listen`
        sock.listen(BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock


def remove(path: Path, inode: int) -> None:
    """Remove the socket's file, unless another proxy has put its own there meanwhile."""
    with contextlib.suppress(OSError):
        if path.stat().st_ino == inode:
            path.unlink()


def _clear(path: Path) -> None:
    """Remove the socket that a dead process left."""
    if path.is_symlink() or path.exists():
        if not path.is_socket():
            raise OSError(errno.EEXIST, f"{path} is in the way and no socket")
        path.unlink()


def _is_alive(path: Path) -> bool:
    try:
        connect(path, 1.0).close()
    except BlockingIOError:  # a full backlog is a living one
        return True
    except OSError:
        return False
    return True


@contextlib.contextmanager
def _short(path: Path) -> Iterator[str]:
    """The path in a form that fits into a socket's address."""
    if len(os.fsencode(path)) <= LONGEST_PATH:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
