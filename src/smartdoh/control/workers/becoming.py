"""From `smartdoh serve` to the supervisor of several workers: everything is opened, then the process becomes it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

from smartdoh import __version__, unixsocket
from smartdoh.app import logs
from smartdoh.app.workers.seat import Plan
from smartdoh.config import Settings
from smartdoh.control.api.beside import NO_SOCKET
from smartdoh.control.metrics.beside import open_metrics
from smartdoh.control.places import socket_path
from smartdoh.fastpath import BUILD
from smartdoh.listener.shares import open_shares
from smartdoh.listener.sockets import Sockets, handed_over, listening


def become_supervisor(settings: Settings, file: Path | None) -> NoReturn:
    """Open all sockets and become the supervisor, under the same process id. Raises ListenError."""
    config = str(settings.path or "")
    logs.get().info("starting", version=__version__, fast_path=BUILD, pid=os.getpid(), config=config)
    given = handed_over(os.environ)
    is_shared = bool(given.udp or given.tcp)
    count = settings.server.workers
    shares = [given] * count if is_shared else open_shares(settings.listen.dns, count)
    metrics = open_metrics(settings)
    path = socket_path(settings.path or Path(), os.environ)
    plan = Plan(
        command=(*_python(), "-m", "smartdoh", "worker", *(("--config", str(file)) if file else ()), "--"),
        shares=tuple(_descriptors(share) for share in shares),
        is_shared=is_shared,
        control=_control(path),
        control_path=str(path),
        metrics=None if metrics is None else _kept(metrics.detach()),
        version=__version__,
        listening=", ".join(listening(shares[0])),
        log_level=settings.log.level,
        log_as_text=logs.is_for_people(settings.log.format),
    )
    command = [*_python(), "-m", "smartdoh.app.workers", plan.to_json()]
    os.execv(sys.executable, command)  # noqa: S606 - ourselves


def _python() -> list[str]:
    """The interpreter as it was started."""
    warnings = [word for option in sys.warnoptions for word in ("-W", option)]
    return [sys.executable, *(["-P"] if sys.flags.safe_path else []), *warnings]


def _control(path: Path) -> int | None:
    try:
        sock = unixsocket.listen(path)
    except OSError as error:
        logs.get().warning(NO_SOCKET, path=str(path), reason=error.strerror or str(error))
        return None
    return _kept(sock.detach())


def _descriptors(share: Sockets) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(_kept(sock.fileno()) for sock in share.udp), tuple(
        _kept(sock.fileno()) for sock in share.tcp
    )


def _kept(descriptor: int) -> int:
    """The descriptor, open also for what this process becomes."""
    os.set_inheritable(descriptor, True)
    return descriptor
