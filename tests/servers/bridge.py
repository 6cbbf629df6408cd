"""A TCP port that leads to a Unix socket, for tools that know only URLs."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from smartdoh import unixsocket

CHUNK = 65_536
PATIENCE = 60.0  # seconds without anything on a connection


@contextmanager
def bridged(path: Path) -> Iterator[str]:
    """The URL of a port on loopback whose connections all end at the socket at `path`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(target=_accept, args=(listener, path), daemon=True)
        accepting.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        accepting.join()


def _accept(listener: socket.socket, path: Path) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            server = unixsocket.connect(path, PATIENCE)
            client.settimeout(PATIENCE)
            back = threading.Thread(target=_copy, args=(server, client), daemon=True)
            back.start()
            threading.Thread(target=_both, args=(client, server, back), daemon=True).start()


def _both(client: socket.socket, server: socket.socket, back: threading.Thread) -> None:
    with client, server:
        _copy(client, server)
        back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while octets := source.recv(CHUNK):
            sink.sendall(octets)
        sink.shutdown(socket.SHUT_WR)
