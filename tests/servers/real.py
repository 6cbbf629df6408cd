"""The four DoH servers from Debian, on loopback, with the tests' zone; none of them asks anybody else."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers import configs
from tests.servers.certificates import Authority
from tests.servers.doh_client import answers
from tests.servers.ports import free_port
from tests.servers.process import ServerProcess, StartError
from tests.servers.required import require_server
from tests.servers.zone import full_name

START_TRIES = 3
PATH = "/dns-query"


@dataclass(frozen=True, slots=True)
class Kind:
    """One make of server: its program, how it is configured, and what of the zone it cannot hold."""

    program: str
    configure: Callable[[configs.Place], list[str]]
    cannot: Mapping[str, str] = field(default_factory=dict)
    """Keys of `zone.KINDS` that this server does not serve, each with the reason."""


KINDS: dict[str, Kind] = {
    "unbound": Kind("unbound", configs.unbound),
    "bind9": Kind("named", configs.bind9),
    "dnsdist": Kind("dnsdist", configs.dnsdist),
    "knot-resolver": Kind("kresd", configs.knot_resolver),
}


@dataclass(frozen=True, slots=True)
class DohServer:
    """A running DoH server."""

    kind: str
    port: int
    plain_port: int
    ca_file: Path
    process: ServerProcess
    cannot: Mapping[str, str]

    @property
    def url(self) -> str:
        return self.url_at("127.0.0.1")

    def url_at(self, host: str) -> str:
        """The DoH URL with this host in it; an IPv6 address goes in brackets."""
        return f"https://{host}:{self.port}{PATH}"


@contextmanager
def doh_server(
    kind: str, directory: Path, authority: Authority, backend_port: int, extra: str = ""
) -> Iterator[DohServer]:
    """A running server of one of `KINDS`; `extra` is appended to its configuration.

    dnsdist and knot-resolver hold no zones: they ask the plain server on `backend_port` of 127.0.0.1.
    """
    program = require_server(KINDS[kind].program)

    def place(home: Path) -> configs.Place:
        home.mkdir(parents=True)
        return configs.Place(
            program, home, free_port(), free_port(), authority.good, PATH, backend_port, extra
        )

    server = _start(kind, [directory / f"{kind}-{n}" for n in range(START_TRIES)], place, authority.ca_file)
    try:
        yield server
    finally:
        server.process.stop()


def _start(
    kind: str, homes: list[Path], make_place: Callable[[Path], configs.Place], ca_file: Path
) -> DohServer:
    """Tries once in each of these directories: a port chosen as free may be taken a moment later."""
    for home in homes:
        place = make_place(home)
        process = ServerProcess(kind, KINDS[kind].configure(place), home)
        server = DohServer(kind, place.doh_port, place.plain_port, ca_file, process, KINDS[kind].cannot)
        try:
            process.wait_until(lambda: answers(server.url, full_name("one"), ca_file))  # noqa: B023
        except StartError:
            process.stop()
            if home == homes[-1]:
                raise
        else:
            return server
    raise AssertionError("unreachable")
