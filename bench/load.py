"""Load from Debian's dnsperf: running it on its own core and reading what it prints."""

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from bench.errors import BenchError

OUTSTANDING = 100  # questions in flight: what one HTTP/2 connection commonly admits
CLIENT_SOCKETS = 4
LOST_AFTER = 3  # seconds

_RCODE = re.compile(r"([A-Z]+) (\d+) \(")
_ANSWER = re.compile(r"^> ([A-Z]+) (\S+) \S+ (\d+\.\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Load:
    """What dnsperf saw: counts of questions, and latencies in seconds."""

    sent: int
    lost: int
    seconds: float
    rcodes: dict[str, int]
    answered: list[tuple[str, float]] = field(default_factory=list, repr=False)
    """Name and latency of each good answer, where latencies were asked for."""

    @property
    def answers(self) -> int:
        """Good answers only: a server that refuses quickly must not look fast."""
        return self.rcodes.get("NOERROR", 0)

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


def parse_dnsperf(text: str) -> Load:
    """The whole standard output of a dnsperf run, with or without its `-v` lines."""
    statistics = text[text.rfind("Statistics:") :]
    codes = re.search(r"Response codes:(.*)", statistics)
    return Load(
        sent=int(_number("Queries sent", statistics)),
        lost=int(_number("Queries lost", statistics)),
        seconds=_number("Run time (s)", statistics),
        rcodes={name: int(count) for name, count in _RCODE.findall(codes[1] if codes else "")},
        answered=[
            (name, float(latency)) for rcode, name, latency in _ANSWER.findall(text) if rcode == "NOERROR"
        ],
    )


def _dnsperf(core: int, port: int, names: Path, *options: str) -> Load:
    command = ["taskset", "-c", str(core), "dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", str(names)]
    command += ["-t", str(LOST_AFTER), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"dnsperf failed: {done.stderr.strip() or done.stdout[-500:]}")
    return parse_dnsperf(done.stdout)


def flood(core: int, port: int, names: Path, seconds: float) -> Load:
    """As many questions as the server answers, always OUTSTANDING of them in flight."""
    return _dnsperf(
        core, port, names, "-l", f"{seconds:g}", "-q", str(OUTSTANDING), "-c", str(CLIENT_SOCKETS)
    )


def paced(core: int, port: int, names: Path, rate: int, seconds: float) -> Load:
    """`rate` questions a second for a while, with the latency of each."""
    options = ["-l", f"{seconds:g}", "-Q", str(rate), "-q", str(max(OUTSTANDING, 2 * rate)), "-v"]
    return _dnsperf(core, port, names, *options)


def once(core: int, port: int, names: Path, rate: int = 0) -> Load:
    """Every name of the file one time, at most `rate` a second where it is given."""
    limit = ["-Q", str(rate)] if rate else []
    return _dnsperf(core, port, names, "-n", "1", "-q", str(OUTSTANDING), *limit)
