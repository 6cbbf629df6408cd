"""What a worker and its supervisor are told when they start: JSON on their command lines, descriptors inherited."""

from __future__ import annotations

import json
import socket
from dataclasses import asdict, dataclass

from smartdoh.listener.sockets import Sockets


@dataclass(frozen=True, slots=True)
class Seat:
    """One worker's place among the others. Worker 0 fetches lists and serves the control socket for all."""

    number: int
    of: int
    restarts: int
    supervisor: int  # pid
    lifeline: int  # a socket to the supervisor; that it closes is the supervisor's end
    udp: tuple[int, ...]  # descriptors, as all of these
    tcp: tuple[int, ...]
    control: int | None  # the listening control socket; None: this worker has none of the supervisor's
    metrics: int | None  # the same for the address that tells metrics
    beat: float  # seconds between two signs of life; 0.0: nobody waits for them

    @property
    def is_first(self) -> bool:
        """Whether this worker does what only one may do."""
        return self.number == 0

    @property
    def descriptors(self) -> tuple[int, ...]:
        """All that the worker inherits."""
        own = (each for each in (self.control, self.metrics) if each is not None)
        return (self.lifeline, *self.udp, *self.tcp, *own)

    def sockets(self) -> Sockets:
        """The sockets to answer on."""
        return Sockets(taken(self.udp), taken(self.tcp))

    def to_json(self) -> str:
        """For the command line."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Seat:
        """What `to_json` wrote. Raises ValueError, KeyError or TypeError."""
        raw = json.loads(text)
        return cls(**{**raw, "udp": tuple(raw["udp"]), "tcp": tuple(raw["tcp"])})


@dataclass(frozen=True, slots=True)
class Plan:
    """All that the supervisor has to know."""

    command: tuple[str, ...]  # runs a worker, given its seat's JSON as one more argument
    shares: tuple[
        tuple[tuple[int, ...], tuple[int, ...]], ...
    ]  # descriptors for UDP and TCP, a pair a worker
    is_shared: bool  # the manager's sockets, which all workers have
    control: int | None
    control_path: str
    metrics: int | None
    version: str
    listening: str
    log_level: str
    log_as_text: bool

    def to_json(self) -> str:
        """For the command line."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """What `to_json` wrote."""
        raw = json.loads(text)
        shares = tuple((tuple(udp), tuple(tcp)) for udp, tcp in raw["shares"])
        return cls(**{**raw, "command": tuple(raw["command"]), "shares": shares})


def taken(descriptors: tuple[int, ...]) -> tuple[socket.socket, ...]:
    """Inherited descriptors as sockets, which are passed on to nobody by accident."""
    sockets = tuple(socket.socket(fileno=descriptor) for descriptor in descriptors)
    for sock in sockets:
        sock.set_inheritable(False)
    return sockets
