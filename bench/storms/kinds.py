"""The storms: each does one thing to a server, while others ask it as they should, and says what that cost them."""

import math
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from random import Random
from time import monotonic

from bench.compiled import compile_c
from bench.load import Load
from bench.scenarios.reload import Reloading
from bench.storms import streams
from bench.storms.server import MORE_DESCRIPTORS, Peak, Server
from bench.workspace import usable_cores

MOST_MEMORY = 64 << 20  # octets that a storm may cost
STAYS = 32 << 20  # octets of them that may stay: what is learned, and what the allocator has between
BUSY = 2.0  # load average of a core; what a storm takes itself is not so much
MORE_THREADS = 8  # asyncio keeps some for what blocks
MORE_LATENCY = 2.0, 5.0  # times what is normal over UDP, and ms: this machine does other things too
FLOOD_LATENCY = 20.0  # ms above normal, where the storm comes over UDP too
CLIENTS = 50
MANY_ZONES = 5_000
RANDOM_RATE = 2_000  # names a second
BURST = 1_000_000  # packets
IDLE = 10_000  # connections
DRIBBLING, NEVER_READING, QUESTIONS = 400, 100, 10_000


@dataclass(slots=True)
class Weather:
    """What one storm has done."""

    use: Load
    """Those who asked as they should, meanwhile or, after a burst, from one second after it on."""
    told: str
    wrong: list[str] = field(default_factory=list)


Storm = Callable[[Server, float, float], Weather]
"""A storm of so many seconds; the last argument is the normal p99 in ms."""


def burst(server: Server, seconds: float, normal_ms: float) -> Weather:
    """A million packets as fast as they can be sent, of which most are lost in the kernel."""
    with _flood(server, BURST, 0, MANY_ZONES) as answered:
        pass
    use = server.normal_use(2.0)  # begins a second after the last packet, see storm.c
    return judged(use, normal_ms, f"{answered[0]:,} sent, {sum(answered[1:]):,} answered")


def random_names(server: Server, seconds: float, normal_ms: float) -> Weather:
    """Names of one zone that do not exist, from many clients."""
    with _flood(server, int(RANDOM_RATE * seconds), RANDOM_RATE, 1) as answered:
        use = server.normal_use(seconds)
    weather = judged(use, normal_ms, f"{answered[2]:,} looked up, {answered[3]:,} refused at once")
    if sum(answered[1:]) < 0.99 * answered[0]:
        weather.wrong.append(f"{answered[0] - sum(answered[1:]):,} heard nothing")
    return weather


def idle_clients(server: Server, seconds: float, normal_ms: float) -> Weather:
    """Ten thousand TCP connections that say nothing."""
    with streams.idle(server.port, IDLE) as seen:
        use = server.normal_use(seconds)
        is_open_to_others = streams.answers(server.port)
    weather = judged(
        use, normal_ms, f"{seen.connected:,} came, {seen.left} were open in the end", by_udp=False
    )
    if not is_open_to_others:
        weather.wrong.append("a new client got no answer over TCP")
    return weather


def slowloris(server: Server, seconds: float, normal_ms: float) -> Weather:
    """Connections that send a message octet by octet."""
    return _until_ended(server, seconds, normal_ms, streams.dribbling(server.port, DRIBBLING))


def never_reading(server: Server, seconds: float, normal_ms: float) -> Weather:
    """Connections that ask ten thousand times and never read."""
    unread = streams.never_reading(server.port, NEVER_READING, QUESTIONS)
    return _until_ended(server, seconds, normal_ms, unread)


def _until_ended(
    server: Server, seconds: float, normal_ms: float, clients: AbstractContextManager[streams.Seen]
) -> Weather:
    """Clients of which none may be left, while new ones get answers."""
    with clients as seen:
        use = server.normal_use(max(seconds, 8.0))
        is_open_to_others = streams.answers(server.port)
    weather = judged(use, normal_ms, f"{seen.connected} came, {seen.left} were left")
    if seen.left or not is_open_to_others:
        weather.wrong.append("they were not ended")
    return weather


def reloads(server: Server, seconds: float, normal_ms: float) -> Weather:
    """A reload every second."""
    reloading = Reloading(server.process, server.log, 1.0)
    before = reloading.done()
    with reloading:
        use = server.normal_use(seconds)
    return judged(use, normal_ms, f"{reloading.done() - before} reloads")


STORMS: dict[str, Storm] = {
    "1,000,000 packets at once": burst,
    "10,000 idle TCP clients": idle_clients,
    "slowloris": slowloris,
    "10,000 questions, never read": never_reading,
    "2,000 random names a second": random_names,
    "a reload each second": reloads,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One storm in the table."""

    name: str
    told: str
    p99_ms: float
    lost: int
    grew: float  # octets, at its peak
    stays: float  # octets that are left of that
    descriptors: int  # more than before
    wrong: tuple[str, ...]


def weathered(server: Server, name: str, seconds: float, normal_ms: float) -> Row:
    """Have one storm, wait until it has calmed down, and judge it."""
    before = server.state()
    now_ms = 1e3 * server.normal_use(1.0).latency(
        0.99
    )  # a machine that is busy otherwise is no reason to object
    is_busy = os.getloadavg()[0] > BUSY * len(usable_cores())
    bar = math.inf if is_busy else max(normal_ms, now_ms)
    with Peak(server) as peak:
        weather = STORMS[name](server, seconds, bar)
    if is_busy:
        weather.told += "; a busy machine, p99 is not judged"
    after = server.settled(before)
    grew, stays = peak.resident - before.resident, after.resident - before.resident
    if stays > STAYS:
        weather.wrong.append(f"{stays / 1e6:.0f} MB stay")
    if grew > MOST_MEMORY:
        weather.wrong.append(f"memory grew by {grew / 1e6:.0f} MB")
    if after.descriptors > before.descriptors + MORE_DESCRIPTORS:
        weather.wrong.append(f"descriptors went from {before.descriptors} to {after.descriptors}")
    if after.under_way:
        weather.wrong.append(f"{after.under_way} fetches are still under way")
    if after.threads > before.threads + MORE_THREADS:
        weather.wrong.append(f"threads went from {before.threads} to {after.threads}")
    p99 = 1e3 * weather.use.latency(0.99)
    more = after.descriptors - before.descriptors
    return Row(name, weather.told, p99, weather.use.lost, grew, stays, more, tuple(weather.wrong))


def judged(use: Load, normal_ms: float, told: str, *, by_udp: bool = True) -> Weather:
    """What a storm did, with what is wrong about it."""
    weather = Weather(use, told)
    p99 = 1e3 * use.latency(0.99)
    most = normal_ms + FLOOD_LATENCY if by_udp else normal_ms * MORE_LATENCY[0] + MORE_LATENCY[1]
    if p99 > most:
        weather.wrong.append(f"p99 was {p99:.1f} ms, {normal_ms:.1f} is normal")
    if use.lost or use.answers < use.sent:
        weather.wrong.append(f"{use.sent - use.answers} of {use.sent:,} known names were not answered")
    return weather


@contextmanager
def _flood(server: Server, count: int, rate: int, zones: int) -> Iterator[list[int]]:
    """Questions from C, meanwhile; in the end: sent, NOERROR, NXDOMAIN, SERVFAIL and other answers."""
    program = compile_c("storm", server.workspace.folder)
    core, seed = (
        str(server.workspace.cores.client),
        str(int(monotonic()) % 10_000 + Random().randrange(10_000)),
    )
    command = [
        "taskset",
        "-c",
        core,
        program,
        str(server.port),
        str(count),
        str(rate),
        str(zones),
        str(CLIENTS),
    ]
    found: list[int] = []
    with subprocess.Popen([*command, seed], stdout=subprocess.PIPE, text=True) as child:
        try:
            yield found
            said, _ = child.communicate()
        finally:
            child.kill()
    found += map(int, said.split())
