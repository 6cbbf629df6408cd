"""What all measurements of a run share: the folder, the cores, the certificates, the ports, the lengths."""

import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class Cores:
    """Where things are pinned. The upstream shares the client's core where there are only two."""

    client: int
    server: int
    upstream: int


def usable_cores() -> list[int]:
    """The cores that this process may run on."""
    return sorted(os.sched_getaffinity(0))


def choose_cores() -> Cores:
    """The client on the first core we may use, the server on the second, the upstream on the third if any."""
    usable = usable_cores()
    return Cores(
        client=usable[0],
        server=usable[1 % len(usable)],
        upstream=usable[2] if len(usable) > 2 else usable[0],
    )


@dataclass(frozen=True, slots=True)
class Certificates:
    """A test CA and what it issued for the upstreams on loopback."""

    ca_file: Path
    chain_file: Path
    key_file: Path


def issue_certificates(folder: Path) -> Certificates:
    """A certificate for 127.0.0.1. It has a common name too: smartdns takes none without."""
    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    issued = authority.issue_cert(
        "127.0.0.1", "localhost", common_name="127.0.0.1", key_type=trustme.KeyType.ECDSA
    )
    found = Certificates(folder / "ca.pem", folder / "chain.pem", folder / "key.pem")
    authority.cert_pem.write_to_path(str(found.ca_file))
    found.chain_file.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(str(found.key_file))
    return found


def free_port() -> int:
    """A port of 127.0.0.1 that was free for UDP and TCP a moment ago."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            port = int(tcp.getsockname()[1])
            try:
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long and how much is measured in each round."""

    flood_seconds: float = 4.0
    paced_seconds: float = 4.0
    hedge_seconds: float = 10.0
    mix_seconds: float = 6.0
    starts: int = 3


NORMAL = Lengths()
QUICK = Lengths(flood_seconds=1.0, paced_seconds=1.0, hedge_seconds=3.0, mix_seconds=2.0, starts=1)


@dataclass(frozen=True, slots=True)
class Workspace:
    """Everything a scenario needs besides the servers it measures."""

    folder: Path
    cores: Cores
    certificates: Certificates
    lengths: Lengths

    def subfolder(self, name: str) -> Path:
        path = self.folder / name
        path.mkdir(exist_ok=True)
        return path


@contextmanager
def own_workspace(lengths: Lengths = NORMAL) -> Iterator[Workspace]:
    """A workspace in a folder of its own, which is gone afterwards.

    Meanwhile SIGTERM unwinds the stack as Ctrl-C does: servers are leaders of their own sessions and would stay.
    """
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            path = Path(folder)
            yield Workspace(path, choose_cores(), issue_certificates(path), lengths)
    finally:
        signal.signal(signal.SIGTERM, before)
