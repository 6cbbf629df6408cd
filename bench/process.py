"""A server process: started pinned to a core, awaited until it answers, and stopped."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.rcode

from bench.cpu import Usage, usage_of_session
from bench.errors import BenchError

START_LIMIT = 15.0  # seconds until a server must answer
STOP_LIMIT = 5.0  # seconds from SIGTERM until it is killed
ASK_EVERY = 0.002  # seconds between questions while waiting


@dataclass(slots=True)
class Process:
    """One running server, the leader of its own session."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    started: float

    def usage(self) -> Usage:
        self.check_alive()
        return usage_of_session(self.process.pid)

    def check_alive(self) -> None:
        if self.process.poll() is not None:
            words = self.log.read_text(errors="replace")[-800:]
            raise BenchError(f"{self.name} ended with {self.process.returncode}:\n{words}")

    def stop(self) -> None:
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_LIMIT)
        self._signal(signal.SIGKILL)
        self.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


@contextmanager
def running(name: str, command: Sequence[str], cores: int | Sequence[int], log: Path) -> Iterator[Process]:
    """Starts `command` on one core, or on these; its output goes to `log`. Stopped on the way out."""
    usable = [cores] if isinstance(cores, int) else cores
    with log.open("wb") as output:
        started = time.perf_counter()
        child = subprocess.Popen(
            ["taskset", "-c", ",".join(map(str, usable)), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Process(name, child, log, started)
    try:
        yield server
    finally:
        server.stop()


def _is_answer(datagram: bytes) -> bool:
    try:
        message = dns.message.from_wire(datagram)
    except dns.exception.DNSException:
        return False
    return bool(message.flags & dns.flags.QR) and message.rcode() == dns.rcode.NOERROR


def await_answer(server: Process, port: int, name: str) -> float:
    """Asks for `name A` until a good answer comes; the seconds from exec to that answer."""
    question = dns.message.make_query(name, "A").to_wire()
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", port))
        sock.settimeout(ASK_EVERY)
        while time.perf_counter() - server.started < START_LIMIT:
            server.check_alive()
            try:
                sock.send(question)
                if _is_answer(sock.recv(65_535)):
                    return time.perf_counter() - server.started
            except TimeoutError:
                continue
            except ConnectionRefusedError:
                time.sleep(ASK_EVERY)  # nobody listens there yet
    raise BenchError(
        f"{server.name} did not answer within {START_LIMIT:g} s:\n{server.log.read_text()[-800:]}"
    )
