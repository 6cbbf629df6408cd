"""Clients that are too many or too rude, for some seconds; bench/soak.py has the long versions."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress

import dns.message

from tests.faults.fault import Fault, New
from tests.faults.rows.worlds import one_upstream
from tests.faults.stage import Stage
from tests.servers.zone import full_name

IDLE_CLIENTS = 2_000
QUESTIONS = 10_000  # of a client that never reads
RANDOM_A_SECOND = 500
PIECE = 0.02  # seconds
BUSY = 1.1  # of a core: all of it


def beside(work: Callable[[Stage, threading.Event], None]) -> Callable[[Stage], AbstractContextManager[None]]:
    """Something that goes on in a thread of its own for as long as the fault lasts."""

    @contextmanager
    def during(stage: Stage) -> Iterator[None]:
        over = threading.Event()
        thread = threading.Thread(target=work, args=(stage, over))
        thread.start()
        yield
        over.set()
        thread.join()

    return during


def idle_clients(stage: Stage, over: threading.Event) -> None:
    """Connections that say nothing; those that are closed stay closed."""
    with ExitStack() as clients:
        for _ in range(IDLE_CLIENTS):
            client = clients.enter_context(socket.socket())
            client.settimeout(1.0)
            with suppress(OSError):
                client.connect(("127.0.0.1", stage.proxy.port))
        over.wait()


def never_reads(stage: Stage, over: threading.Event) -> None:
    """One client asks ten thousand times and reads nothing."""
    query = dns.message.make_query(full_name("long"), "TXT").to_wire()
    framed = len(query).to_bytes(2) + query
    with socket.create_connection(("127.0.0.1", stage.proxy.port)) as client:
        client.settimeout(1.0)
        with suppress(OSError):
            client.sendall(framed * QUESTIONS)
        over.wait()


def random_names(stage: Stage, over: threading.Event) -> None:
    """Names that nobody asks for twice."""
    numbers = itertools.count()
    template = dns.message.make_query(full_name("x00000000.wild"), "A").to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", stage.proxy.port))
        while not over.is_set():
            for _ in range(int(RANDOM_A_SECOND * PIECE)):
                client.send(template.replace(b"x00000000", b"x%08d" % next(numbers)))
            time.sleep(PIECE)


FAULTS = (
    Fault(
        name="2,000 idle TCP clients",
        world=one_upstream,
        during=beside(idle_clients),
        new=New.DATA,
        new_within=2.0,
        most_cpu=BUSY,
    ),
    Fault(
        name="client that never reads",
        world=one_upstream,
        during=beside(never_reads),
        new=New.DATA,
        new_within=2.0,
        most_cpu=BUSY,
    ),
    Fault(name="random names", world=one_upstream, during=beside(random_names), most_cpu=BUSY),
)
