"""Load from Debian's dnsperf: running it on its own core and reading what it prints."""

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bench.errors import BenchError

OUTSTANDING = 100  # questions in flight: what one HTTP/2 connection commonly admits
CLIENT_SOCKETS = 4
LOST_AFTER = 3  # seconds
PATIENCE = 20.0  # seconds that dnsperf may take beyond what it was told
LONGEST_PASS = 600.0  # seconds, once through a list: a million misses at under 2,000 a second
TIMED_OUT = 124  # what timeout(1) exits with
GOOD = frozenset({"NOERROR"})

_RCODE = re.compile(r"([A-Z]+) (\d+) \(")
_ANSWER = re.compile(r"^> ([A-Z]+) (\S+) \S+ (\d+\.\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Shape:
    """In which form dnsperf asks."""

    transport: Literal["udp", "tcp"] = "udp"
    dnssec: bool = False
    """An OPT record with DO set in each question."""
    sockets: int = CLIENT_SOCKETS
    outstanding: int = OUTSTANDING
    """Questions in flight, over all sockets together."""

    def options(self) -> list[str]:
        return [
            *("-m", self.transport, "-c", str(self.sockets), "-q", str(self.outstanding)),
            *(["-D"] if self.dnssec else []),
        ]


PLAIN = Shape()
CALM = Shape(sockets=1)


@dataclass(frozen=True, slots=True)
class Load:
    """What dnsperf saw: counts of questions, and latencies in seconds."""

    sent: int
    lost: int
    seconds: float
    rcodes: dict[str, int]
    answered: list[tuple[str, float]] = field(default_factory=list, repr=False)
    """Name and latency of each good answer, where latencies were asked for."""
    good: frozenset[str] = GOOD
    cpu_seconds: float = 0.0
    """What dnsperf itself took."""

    @property
    def answers(self) -> int:
        """Good answers only: a server that refuses quickly must not look fast."""
        return sum(self.rcodes.get(rcode, 0) for rcode in self.good)

    @property
    def rate(self) -> float:
        return self.answers / self.seconds

    def latency(self, share: float) -> float:
        """The latency that this share of the answers did not exceed; lost questions count as the slowest."""
        return quantile([*(latency for _, latency in self.answered), *self.losses()], share)

    def losses(self) -> list[float]:
        """What stands for the latencies of the questions that got no answer."""
        return [float(LOST_AFTER)] * self.lost


def quantile(values: list[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed."""
    if not values:
        raise BenchError("no latencies: nothing was answered")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _number(label: str, text: str) -> float:
    found = re.search(rf"{re.escape(label)}:?\s+(\d+(?:\.\d+)?)", text)
    if found is None:
        raise BenchError(f"dnsperf printed no {label!r}:\n{text[-500:]}")
    return float(found[1])


def parse_dnsperf(text: str, good: frozenset[str] = GOOD, cpu_seconds: float = 0.0) -> Load:
    """The whole standard output of a dnsperf run, with or without its `-v` lines; `good` are the wanted rcodes."""
    statistics = text[
        max(text.rfind("\nStatistics:"), 0) :
    ]  # over TCP those of the connections come after them
    codes = re.search(r"Response codes:(.*)", statistics)
    return Load(
        sent=int(_number("Queries sent", statistics)),
        lost=int(_number("Queries lost", statistics)),
        seconds=_number("Run time (s)", statistics),
        rcodes={name: int(count) for name, count in _RCODE.findall(codes[1] if codes else "")},
        answered=[(name, float(latency)) for rcode, name, latency in _ANSWER.findall(text) if rcode in good],
        good=good,
        cpu_seconds=cpu_seconds,
    )


def _dnsperf(
    core: int, port: int, names: Path, *options: str, good: frozenset[str] = GOOD, limit: float
) -> Load:
    """Runs it to its end, which it does not find against every server: after `limit` seconds it is ended."""
    command = ["timeout", f"{limit:g}", "taskset", "-c", str(core), "dnsperf", "-s", "127.0.0.1"]
    command += ["-p", str(port), "-d", str(names), "-t", str(LOST_AFTER), *options]
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=output, stderr=errors)
        _, status, usage = os.wait4(
            process.pid, 0
        )  # the one call that tells a child's CPU time from the others'
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        text = output.read()
        if process.returncode == TIMED_OUT:
            raise BenchError(f"dnsperf did not come to an end within {limit:g} s")
        if process.returncode != 0:
            raise BenchError(f"dnsperf failed: {errors.read().strip() or text[-500:]}")
    return parse_dnsperf(text, good, usage.ru_utime + usage.ru_stime)


def flood(core: int, port: int, names: Path, seconds: float, shape: Shape = PLAIN, most: int = 0) -> Load:
    """As many questions as the server answers, or `most` a second; as many of them in flight as `shape` says."""
    pace = ["-Q", str(most)] if most else []
    return _dnsperf(
        core, port, names, "-l", f"{seconds:g}", *pace, *shape.options(), limit=seconds + PATIENCE
    )


def paced(core: int, port: int, names: Path, rate: int, seconds: float, good: frozenset[str] = GOOD) -> Load:
    """`rate` questions a second for a while, with the latency of each."""
    shape = Shape(sockets=1, outstanding=max(OUTSTANDING, 2 * rate))
    options = ["-l", f"{seconds:g}", "-Q", str(rate), "-v", *shape.options()]
    return _dnsperf(core, port, names, *options, good=good, limit=seconds + PATIENCE)


def once(core: int, port: int, names: Path, rate: int = 0, shape: Shape = CALM) -> Load:
    """Every name of the file one time, at most `rate` a second where it is given."""
    pace = ["-Q", str(rate)] if rate else []
    return _dnsperf(core, port, names, "-n", "1", *pace, *shape.options(), limit=LONGEST_PASS)
