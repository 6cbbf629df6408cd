"""The last good addresses of upstreams' hosts, on disk: a start without a network, or with bootstrap dead, has them.

They are only good to connect to; the certificate still has to be the host's.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from smartdoh import durable
from smartdoh.app import logs
from smartdoh.tasks import Tasks

FILE_NAME = "addresses"
MOST_HOSTS = 256
MOST_ADDRESSES = 16  # of one host
LARGEST = 1 << 18  # octets
GATHER = 0.2  # seconds in which what is found is written together
CONFIRM = 86_400.0  # seconds after which addresses that stayed the same are written once more, with the date
_VERSION = "smartdoh-addresses-1"

Addresses = Mapping[str, tuple[str, ...]]


class AddressBook:
    """The file and what this process knows of it. Other processes may write it too: each adds its own hosts."""

    def __init__(self, folder: Path, tasks: Tasks, wall: Callable[[], float] = time.time) -> None:
        self._path = folder / FILE_NAME
        self._tasks = tasks
        self._wall = wall
        self._entries: dict[str, tuple[float, tuple[str, ...]]] | None = None
        self._new: dict[str, tuple[str, ...]] = {}
        self._is_writing = False
        self._has_warned = False
        self._log = logs.get()

    def known(self) -> Addresses:
        """What an earlier run has found; nothing where the file is not there or is not sound."""
        return {host: addresses for host, (_, addresses) in self._known().items()}

    def note(self, learned: Addresses) -> None:
        """These are good now: they are on disk soon, if they are news."""
        entries, now = self._known(), self._wall()
        for host, addresses in learned.items():
            seen, before = entries.get(host, (0.0, ()))
            if set(before) != set(addresses) or not 0 <= now - seen < CONFIRM:
                entries[host] = (now, addresses)
                self._new[host] = addresses
        if self._new and not self._is_writing:
            self._is_writing = True
            self._tasks.start(self._write(), "addresses on disk")

    def _known(self) -> dict[str, tuple[float, tuple[str, ...]]]:
        if self._entries is None:
            self._entries = self._read()
        return self._entries

    def _read(self) -> dict[str, tuple[float, tuple[str, ...]]]:
        try:
            with self._path.open("rb") as file:
                return parse(file.read(LARGEST))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            self._warn("cannot be used", error)
            return {}

    async def _write(self) -> None:
        try:
            while self._new:
                await asyncio.sleep(GATHER)
                new, self._new = self._new, {}
                await asyncio.to_thread(self._add, new)
        finally:
            self._is_writing = False

    def _add(self, new: Addresses) -> None:
        """In a thread: what is there by now, with ours."""
        now = self._wall()
        try:
            durable.write_privately(
                self._path, render(self._read() | {host: (now, found) for host, found in new.items()})
            )
        except OSError as error:
            self._warn("cannot be written", error)

    def _warn(self, what: str, error: Exception) -> None:
        if not self._has_warned:
            self._has_warned = True
            reason = error.strerror if isinstance(error, OSError) else str(error)
            self._log.warning(f"the file of upstreams' addresses {what}", file=str(self._path), reason=reason)


def render(entries: Mapping[str, tuple[float, tuple[str, ...]]]) -> bytes:
    """The file with the newest of these: a version with a checksum, then a line for each host."""
    newest = sorted(entries.items(), key=lambda entry: entry[1][0], reverse=True)[:MOST_HOSTS]
    lines = [
        f"{host} {seen:.0f} {' '.join(found[:MOST_ADDRESSES])}\n" for host, (seen, found) in sorted(newest)
    ]
    body = "".join(lines).encode("ascii")
    return f"{_VERSION} {_checksum(body)}\n".encode() + body


def parse(content: bytes) -> dict[str, tuple[float, tuple[str, ...]]]:
    """What `render` wrote: hosts with when they were seen and their addresses. Raises ValueError for anything else."""
    head, _, body = content.partition(b"\n")
    if head != f"{_VERSION} {_checksum(body)}".encode():
        raise ValueError("it is not whole, or of another version")
    found = {}
    for line in body.decode("ascii").splitlines():
        host, seen, *addresses = line.split(" ")
        found[host] = float(seen), tuple(str(ipaddress.ip_address(address)) for address in addresses)
    return found


def _checksum(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=16).hexdigest()
