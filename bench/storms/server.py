"""The server in the storm: how it is started, and what is seen of it from outside."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from bench import names
from bench.cpu import PAGE_BYTES
from bench.load import Load, once, paced
from bench.process import Process, await_answer, running
from bench.scenarios.reload import write_config
from bench.upstreams import Behaviour, ScriptedUpstreams, scripted_upstreams
from bench.workspace import Workspace, free_port
from smartdoh.control.client import Proxy
from smartdoh.control.places import socket_path

NORMAL_RATE = 1_000  # questions a second, of names that are known
WARM_RATE = 1_000
KNOWN = 1_000  # names
DELAY = 0.02  # seconds an upstream takes
LOOK = 0.02  # seconds between two looks at the memory
CALM_AGAIN = 20.0  # seconds after which a server has forgotten a storm
CALM_MEMORY = 32 << 20  # octets, more than before, that need no more waiting
MORE_DESCRIPTORS = 4  # connections to upstreams come and go
LISTEN, GROUP = (
    'tcp_idle = "3s"\n',
    'idle = "3s"\nmax_in_flight = 500\n',
)  # so that what was opened for a storm is soon closed


@dataclass(frozen=True, slots=True)
class State:
    """What the server has."""

    resident: int  # octets
    descriptors: int
    threads: int
    under_way: int
    """Fetches."""


class Server:
    """One running server and its upstreams."""

    def __init__(
        self, process: Process, upstreams: ScriptedUpstreams, workspace: Workspace, port: int, config: Path
    ) -> None:
        self.process = process
        self.upstreams = upstreams
        self.workspace = workspace
        self.port = port
        self.known = names.repeated(workspace.folder, KNOWN)
        self._control = Proxy(socket_path(config, os.environ))
        once(workspace.cores.client, port, self.known, WARM_RATE)
        self.state()  # the control socket's libraries are loaded when it is first asked

    @property
    def pid(self) -> int:
        return self.process.process.pid

    @property
    def log(self) -> Path:
        return self.process.log

    @property
    def resident(self) -> int:
        """Octets."""
        self.process.check_alive()
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * PAGE_BYTES

    def state(self) -> State:
        """Everything that has to return to what it was."""
        threads = len(os.listdir(f"/proc/{self.pid}/task"))
        descriptors = len(os.listdir(f"/proc/{self.pid}/fd"))
        return State(self.resident, descriptors, threads, self._under_way())

    def settled(self, before: State) -> State:
        """Its state once that is as before, or after a while."""
        ended = monotonic() + CALM_AGAIN
        while True:
            now = self.state()
            is_calm = now.descriptors <= before.descriptors + MORE_DESCRIPTORS and not now.under_way
            is_calm = is_calm and now.resident <= before.resident + CALM_MEMORY
            if is_calm or monotonic() > ended:
                return now
            sleep(0.5)

    def normal_use(self, seconds: float) -> Load:
        """Ask for what is known, as people do, with the latency of each answer."""
        return paced(self.workspace.cores.client, self.port, self.known, NORMAL_RATE, seconds)

    def _under_way(self) -> int:
        return int(self._control.get("/statistics")["under_way"])


class Peak:
    """The most memory that the server has taken while this was entered."""

    def __init__(self, server: Server) -> None:
        self.resident = server.resident
        self._server = server
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Peak":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(LOOK):
            self.resident = max(self.resident, self._server.resident)


@contextmanager
def stormed(workspace: Workspace) -> Iterator[Server]:
    """A server that knows some names, as a user would run it but for its upstreams."""
    folder = workspace.subfolder("storms")
    with scripted_upstreams(workspace, [Behaviour(DELAY), Behaviour(DELAY)]) as upstreams:
        port = free_port()
        config = write_config(workspace, folder, upstreams, port, "none")
        text = config.read_text().replace("[listen]\n", f"[listen]\n{LISTEN}")
        config.write_text(text.replace('fastest_ip = "off"\n', f'fastest_ip = "off"\n{GROUP}'))
        command = [sys.executable, "-m", "smartdoh", "serve", "--config", str(config)]
        with running("smartdoh", command, workspace.cores.server, folder / "log") as process:
            await_answer(process, port, "ready.example.com")
            yield Server(process, upstreams, workspace, port, config)
