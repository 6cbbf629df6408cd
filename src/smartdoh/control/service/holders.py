"""Who holds a port already: the sockets that /proc lists, and the processes that have them open."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from smartdoh.config import Endpoint

PROC = Path("/proc")
_TABLES = {"udp": "UDP", "udp6": "UDP", "tcp": "TCP", "tcp6": "TCP"}
_LISTENING = "0A"  # of a TCP socket
_LOCAL, _STATE, _INODE = 1, 3, 9  # columns
_SOCKET = re.compile(r"socket:\[(\d+)\]")


@dataclass(frozen=True, slots=True, order=True)
class Process:
    """A process, by the name that the kernel has of it (15 octets) and the systemd unit that it belongs to."""

    pid: int
    name: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Holder:
    """One socket on the port; `processes` are those that could be seen to have it open."""

    host: str
    port: int
    transport: str
    processes: tuple[Process, ...] = ()

    def is_in_the_way_of(self, wanted: Endpoint) -> bool:
        """Whether `wanted` cannot be bound beside it. One on [::] is taken to hold IPv4 too, as most do."""
        if wanted.port != self.port:
            return False
        mine, theirs = ipaddress.ip_address(wanted.host), ipaddress.ip_address(self.host)
        if mine.version != theirs.version:
            return theirs.version > mine.version and theirs.is_unspecified
        return mine == theirs or mine.is_unspecified or theirs.is_unspecified


def holders(ports: Iterable[int], proc: Path = PROC) -> list[Holder]:
    """Every socket on these ports, UDP and listening TCP, with its processes as far as we may see them."""
    wanted = frozenset(ports)
    found = [(row, inode) for row in _rows(proc) if row[0].port in wanted for inode in row[1:]]
    inodes = frozenset(inode for _, inode in found)
    owners = _owners(proc, inodes) if inodes else {}
    return [
        Holder(holder.host, holder.port, holder.transport, tuple(sorted(owners.get(inode, ()))))
        for (holder, _), inode in found
    ]


def _rows(proc: Path) -> Iterator[tuple[Holder, str]]:
    """Every bound socket of this network namespace, with its inode."""
    for table, transport in _TABLES.items():
        try:
            lines = (proc / "net" / table).read_text("ascii").splitlines()[1:]
        except OSError:  # no IPv6, or no such file system
            continue
        for line in lines:
            columns = line.split()
            if transport == "UDP" or columns[_STATE] == _LISTENING:
                host, port = _address(columns[_LOCAL])
                yield Holder(host, port, transport), columns[_INODE]


def _address(text: str) -> tuple[str, int]:
    """`0100007F:0035` is 127.0.0.1, port 53: words of 32 bits, each in the machine's own order."""
    words, port = text.split(":")
    octets = b"".join(
        int(words[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(words), 8)
    )
    address = ipaddress.ip_address(octets)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address), int(port, 16)


def _owners(proc: Path, inodes: frozenset[str]) -> dict[str, set[Process]]:
    """Who has these sockets open; processes of others are seen by root alone."""
    owners: dict[str, set[Process]] = {}
    for folder in proc.iterdir():
        if not folder.name.isdigit():
            continue
        with contextlib.suppress(OSError):  # it has ended, or is not ours
            for inode in _sockets(folder) & inodes:
                owners.setdefault(inode, set()).add(_process(folder))
    return owners


def _sockets(folder: Path) -> set[str]:
    links = []
    for descriptor in (folder / "fd").iterdir():
        with contextlib.suppress(OSError):
            links.append(os.readlink(descriptor))
    return {match[1] for link in links if (match := _SOCKET.fullmatch(link))}


def _process(folder: Path) -> Process:
    name = (folder / "comm").read_text("utf-8", "replace").strip()
    unit = ""
    with contextlib.suppress(OSError):
        last = (folder / "cgroup").read_text("utf-8", "replace").strip().rpartition("\n")[2].split("/")
        unit = next((part for part in reversed(last) if part.endswith((".service", ".scope"))), "")
    return Process(int(folder.name), name, unit)
