"""What happens to the process: it is stopped, its clock is moved, it has no descriptors left, its port is taken."""

from __future__ import annotations

import resource
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from tests.faults.asking import Heard
from tests.faults.fault import Fault, New
from tests.faults.rows.disk import nothing
from tests.faults.rows.loads import beside
from tests.faults.rows.worlds import on_disk, one_upstream
from tests.faults.stage import Stage
from tests.servers.smartdoh import run_to_end

FAKETIME = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)
STOPPED = 10.0  # seconds
NOTICED = 1.2  # seconds in which the process has read the file with its date
HOUR, YEAR = 3600, 365 * 86_400  # seconds
FEW = 12  # descriptors more than it has
CLIENTS = 100  # TCP connections


@contextmanager
def stopped(stage: Stage) -> Iterator[None]:
    """As a laptop that sleeps."""
    stage.proxy.process.send(signal.SIGSTOP)
    yield
    stage.proxy.process.send(signal.SIGCONT)


def clock_can_move(stage: Stage) -> None:
    """A cache on disk, and a process whose date is what a file says."""
    assert FAKETIME is not None, "libfaketime is not installed (Debian: faketime)"
    stage.add_upstream(stage.authority.issue("dated", "127.0.0.1", days=(-30, 300)))
    date = stage.directory / "date"
    date.write_text("+0")
    env = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(date),
        "FAKETIME_CACHE_DURATION": "1",  # seconds after which the file is read again
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    stage.serve(sections={"cache": {"dir": stage.cache}}, env=env)


def clock_moves(seconds: int, *, at_boot: bool = False) -> Callable[[Stage], AbstractContextManager[None]]:
    """The date is another one from one moment to the next, with no connection open; then it is set right."""

    @contextmanager
    def during(stage: Stage) -> Iterator[None]:
        date = stage.directory / "date"
        if at_boot:
            stage.restart(then=lambda: date.write_text(f"{seconds:+d}"))
        else:
            date.write_text(f"{seconds:+d}")
            time.sleep(NOTICED)
            stage.upstream.drop_all()
        yield
        date.write_text("+0")

    return during


@contextmanager
def no_descriptors(stage: Stage) -> Iterator[None]:
    """Clients take all descriptors that there are, and the connection to the upstream breaks."""
    pid = stage.proxy.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (stage.proxy.descriptors + FEW, before[1]))
    with ExitStack() as clients:
        for _ in range(CLIENTS):
            client = clients.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", stage.proxy.port))
        time.sleep(0.5)
        stage.upstream.drop_all()
        yield
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


def reloading(stage: Stage, over: threading.Event) -> None:
    """SIGHUP, three times a second."""
    while not over.wait(0.3):
        stage.proxy.process.send(signal.SIGHUP)


def second_one_says_why(stage: Stage, _: Sequence[Heard]) -> None:
    """A second proxy on the same port ends with 1, names the address, and shows no traceback."""
    elsewhere = stage.directory / "second"
    elsewhere.mkdir()
    settings = stage.settings | {"listen": {"dns": [f"127.0.0.1:{stage.proxy.port}"]}}
    ended = run_to_end(["serve"], elsewhere, settings)
    assert ended.status == 1, f"ended with {ended.status}: {ended.output}"
    assert str(stage.proxy.port) in ended.output, f"no port in {ended.output}"
    assert "Traceback" not in ended.output, ended.output


FAULTS = (
    Fault(
        name="stopped for 10 s",
        world=one_upstream,
        during=stopped,
        new=New.NOT_ASKED,
        seconds=STOPPED,
        back_within=1.0,
    ),
    Fault(
        name="clock one hour ahead",
        world=clock_can_move,
        during=clock_moves(HOUR),
        new=New.DATA,
        new_within=2.0,
    ),
    Fault(
        name="clock one hour back",
        world=clock_can_move,
        during=clock_moves(-HOUR),
        new=New.DATA,
        new_within=2.0,
    ),
    Fault(name="clock two years ahead", world=clock_can_move, during=clock_moves(2 * YEAR), new_within=2.0),
    Fault(name="clock two years back", world=clock_can_move, during=clock_moves(-2 * YEAR), new_within=2.0),
    Fault(
        name="clock wrong at boot",
        world=clock_can_move,
        during=clock_moves(-2 * YEAR, at_boot=True),
        new_within=2.0,
    ),
    Fault(name="descriptors exhausted", world=one_upstream, during=no_descriptors, seconds=5.0),
    Fault(name="reload under load", world=on_disk, during=beside(reloading), new=New.DATA, new_within=2.0),
    Fault(
        name="port taken",
        world=one_upstream,
        during=nothing,
        new=New.DATA,
        new_within=2.0,
        check=second_one_says_why,
    ),
)
