"""Network namespaces: networks of their own, and cables between them that can be pulled."""

from __future__ import annotations

import ctypes
import os
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

from tests.servers.required import find_program

T = TypeVar("T")

_NEW_NETWORK = 0x40000000  # CLONE_NEWNET


class Inside(Protocol):
    """Whatever can have something done in a network of its own."""

    def run(self, work: Callable[[], T]) -> T:
        """What `work` returns, done inside; a process that it starts is inside too."""
        ...


class Namespace:
    """A network of its own, with nothing but these addresses on its loopback."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = addresses

    def run(self, work: Callable[[], T]) -> T:
        """What `work` returns, done inside; a process that it starts is inside too."""
        return self._thread.submit(work).result()

    def __enter__(self) -> Self:
        self._thread = ThreadPoolExecutor(1, initializer=leave)
        self.run(lambda: ip("link", "set", "lo", "up"))
        for address in self._addresses:
            self.run(lambda address=address: add_address(address, "lo"))  # type: ignore[misc]
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()


@dataclass(frozen=True, slots=True)
class Cable:
    """A cable between two networks, unplugged at first; `routes` are what the first one sends into it."""

    name: str
    near: Inside
    near_address: str  # with its prefix length
    far: Inside
    far_address: str
    routes: tuple[str, ...] = ()

    def lay(self) -> Self:
        """Put it where it belongs. It goes with either of the networks."""
        other = self.far.run(_path)
        peer = ("peer", "name", self.name, "netns", other)
        self.near.run(lambda: ip("link", "add", self.name, "type", "veth", *peer))
        self.near.run(lambda: add_address(self.near_address, self.name))
        self.far.run(lambda: add_address(self.far_address, self.name))
        self.far.run(lambda: ip("link", "set", self.name, "up"))
        return self

    def plug(self) -> None:
        """From now on packets go through."""
        self.near.run(lambda: ip("link", "set", self.name, "up"))
        gateway = self.far_address.partition("/")[0]
        for route in self.routes:
            self.near.run(lambda route=route: ip("route", "add", route, "via", gateway))  # type: ignore[misc]

    def pull(self) -> None:
        """From now on there is no way, which whoever sends is told at once."""
        self.near.run(lambda: ip("link", "set", self.name, "down"))


def leave() -> None:
    """Take this thread, and what it starts, to a network of its own."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_NETWORK):
        raise OSError(ctypes.get_errno(), "unshare")


def add_address(address: str, device: str) -> None:
    """Give a device of this thread's network an address, with its prefix length, that can be bound at once."""
    at_once = ("nodad",) if ":" in address else ()  # else the kernel first looks whether it is a duplicate
    ip("address", "add", address, "dev", device, *at_once)


def ip(*words: str) -> None:
    """Runs ip(8) in this thread's network."""
    program = find_program("ip")
    assert program is not None
    subprocess.run([program, *words], check=True, capture_output=True)


def _path() -> str:
    """What others name this thread's network by."""
    return f"/proc/{os.getpid()}/task/{threading.get_native_id()}/ns/net"
