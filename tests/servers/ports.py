"""Ports on loopback: free ones, one that refuses, and one that swallows connections."""

import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

# Below Linux's ephemeral range (32768 and up), so that no outgoing connection takes a port between its
# choice and its use.
LOWEST_PORT = 12_000
HIGHEST_PORT = 32_000
MOST_TRIES = 200
ESTABLISHED = "01"  # in /proc/net/tcp


def has_ipv6() -> bool:
    """Whether ::1 can be bound here."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def _is_free(port: int) -> bool:
    families = [(socket.AF_INET, "0.0.0.0")]
    if has_ipv6():
        families.append((socket.AF_INET6, "::"))
    with ExitStack() as stack:
        for family, address in families:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                probe = stack.enter_context(socket.socket(family, kind))
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                try:
                    probe.bind((address, port))
                except OSError:
                    return False
    return True


def free_port() -> int:
    """A port that nobody uses, for UDP and TCP, on IPv4 and IPv6."""
    for _ in range(MOST_TRIES):
        port = random.randint(LOWEST_PORT, HIGHEST_PORT)
        if _is_free(port):
            return port
    raise OSError("no free port found")


def is_listening(port: int, host: str = "127.0.0.1") -> bool:
    """Whether something accepts TCP connections on this port of an IPv4 address."""
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


def connections_of(pid: int, port: int) -> int:
    """How many established TCP connections to this remote port a process has, as the kernel counts."""
    sockets = {_target(link) for link in Path(f"/proc/{pid}/fd").iterdir()}
    found = 0
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        lines = table.read_text().splitlines()[1:] if table.exists() else []
        for line in lines:
            fields = line.split()
            remote, state, inode = fields[2], fields[3], fields[9]
            is_to_port = state == ESTABLISHED and int(remote.rpartition(":")[2], 16) == port
            found += is_to_port and f"socket:[{inode}]" in sockets
    return found


def _target(link: Path) -> str:
    """What a descriptor stands for; nothing where it was closed meanwhile."""
    try:
        return str(link.readlink())
    except FileNotFoundError:
        return ""


@contextmanager
def refusing_port() -> Iterator[int]:
    """A TCP port that is taken but does not listen: the kernel refuses every connection to it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@contextmanager
def black_hole(port: int = 0) -> Iterator[int]:
    """A TCP port, this one or a free one, whose queue of connections is full: the kernel drops every further SYN."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]
