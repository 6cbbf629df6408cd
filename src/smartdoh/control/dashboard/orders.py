"""What the dashboard's process is told when it starts: by an inherited socket, for anybody can read command lines."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from smartdoh.config import Settings
from smartdoh.config.settings import LogFormat, LogLevel
from smartdoh.control.places import candidates

LARGEST = 65_536  # octets


@dataclass(frozen=True, slots=True)
class Orders:
    """All that the process has to know."""

    host: str
    port: int
    hosts: tuple[str, ...]  # names that browsers may use besides
    password_hash: str = field(repr=False)  # empty: what the password file has, if there is one
    sockets: tuple[str, ...]  # where the proxy's control socket may be
    state_dir: str
    log_level: LogLevel
    log_format: LogFormat

    def to_bytes(self) -> bytes:
        """For the socket."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, text: bytes) -> Orders:
        """What `to_bytes` wrote. Raises ValueError, KeyError or TypeError."""
        raw = json.loads(text)
        return cls(**{**raw, "hosts": tuple(raw["hosts"]), "sockets": tuple(raw["sockets"])})


def orders_of(settings: Settings, environ: Mapping[str, str]) -> Orders | None:
    """What these settings make of it; None where they want no dashboard."""
    listen = settings.dashboard.listen
    if listen is None:
        return None
    return Orders(
        host=listen.host,
        port=listen.port,
        hosts=settings.dashboard.hosts,
        password_hash=settings.dashboard.password_hash,
        sockets=tuple(str(path) for path in candidates(settings.path or Path(), environ)),
        state_dir=str(settings.state_dir),
        log_level=settings.log.level,
        log_format=settings.log.format,
    )


def received(sock: socket.socket) -> Orders:
    """The orders that wait in the socket."""
    return Orders.from_bytes(sock.recv(LARGEST))
