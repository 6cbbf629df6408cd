"""TCP clients that do what they should not, from many addresses of loopback."""

import resource
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from time import monotonic, sleep

SOURCES = 200  # addresses that connections come from
SPARE = 200  # descriptors for everything else that this process does
PATIENCE = 0.5  # seconds that a call may take
EVERY = 0.05  # seconds between two octets of one that dribbles

LARGE = b"\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x05large\x07example\x03com\x00\x00\x01\x00\x01"
"""The question for a large answer, with its header."""


def allow_descriptors(count: int) -> None:
    """Let this process open so many connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, count + SPARE)), hard))


def connect(stack: ExitStack, port: int, count: int) -> list[socket.socket]:
    """`count` connections, each from the next source."""
    made = []
    for number in range(count):
        sock = stack.enter_context(socket.socket())
        sock.settimeout(PATIENCE)
        with suppress(OSError):
            sock.bind((f"127.0.2.{1 + number % SOURCES}", 0))
            sock.connect(("127.0.0.1", port))
            made.append(sock)
    return made


def is_open(sock: socket.socket) -> bool:
    """Whether the other side has not ended it."""
    sock.setblocking(False)
    try:
        return sock.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def answers(port: int) -> bool:
    """Whether a new client gets an answer over TCP."""
    name = b"\x05ready\x07example\x03com\x00\x00\x01\x00\x01"
    query = b"\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + name
    try:
        with socket.create_connection(("127.0.0.1", port), 2.0) as sock:
            sock.sendall(len(query).to_bytes(2) + query)
            return len(sock.recv(512)) > len(query)
    except OSError:
        return False


@dataclass(slots=True)
class Seen:
    """What became of them."""

    connected: int = 0
    left: int = 0
    """Still open in the end."""


@contextmanager
def idle(port: int, count: int) -> Iterator[Seen]:
    """So many connections that never say anything."""
    seen = Seen()
    with ExitStack() as stack:
        made = connect(stack, port, count)
        seen.connected = len(made)
        yield seen
        seen.left = sum(map(is_open, made))


@contextmanager
def dribbling(port: int, count: int) -> Iterator[Seen]:
    """So many that send a length, and then an octet at a time."""
    seen = Seen()
    with ExitStack() as stack:
        made = connect(stack, port, count)
        seen.connected = len(made)
        stop = threading.Event()

        def dribble() -> None:
            while not stop.wait(EVERY):
                for sock in made:
                    with suppress(OSError):
                        sock.send(b"\xff")

        thread = threading.Thread(target=dribble)
        thread.start()
        try:
            yield seen
            seen.left = sum(map(is_open, made))
        finally:
            stop.set()
            thread.join()


@contextmanager
def never_reading(port: int, count: int, questions: int) -> Iterator[Seen]:
    """So many that ask so many times for a large answer, and read nothing."""
    seen = Seen()
    wire = (len(LARGE).to_bytes(2) + LARGE) * questions
    with ExitStack() as stack:
        made = connect(stack, port, count)
        seen.connected = len(made)
        for sock in made:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            with suppress(OSError):
                sock.sendall(wire)
        yield seen
        seen.left = sum(map(_can_send, made))


def _can_send(sock: socket.socket) -> bool:
    """Whether a connection full of unread answers is still one."""
    try:
        sock.setblocking(False)
        for _ in range(2):
            sock.send(b"\0")
            sleep(0.01)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return True


def wait_until(seconds: float, began: float) -> None:
    """Until so long after `began`."""
    sleep(max(0.0, began + seconds - monotonic()))
