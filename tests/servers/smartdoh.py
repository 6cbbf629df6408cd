"""smartdoh itself as a process: its config written, started, asked, looked at and stopped."""

import json
import os
import re
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dns.message
import dns.query

from tests.servers.ports import connections_of, free_port
from tests.servers.process import ServerProcess, StartError

ASK_SECONDS = 10.0
START_TRIES = 3
READY = re.compile(r"\bready\b")
NEVER_IN_A_LOG = (
    "an error inside smartdoh",
    "Traceback",
    "Task was destroyed",
    "never retrieved",
    "never awaited",
    "ResourceWarning",
)
COMMAND = (sys.executable, "-m", "smartdoh")
STRICT_COMMAND = (sys.executable, "-W", "always::ResourceWarning", "-m", "smartdoh")

Settings = Mapping[str, Any]


def toml_value(value: object) -> str:
    """A value as TOML writes it on one line."""
    match value:
        case Mapping():
            return "{ " + ", ".join(f"{json.dumps(k)} = {toml_value(v)}" for k, v in value.items()) + " }"
        case list() | tuple():
            return "[" + ", ".join(toml_value(item) for item in value) + "]"
        case Path():
            return json.dumps(str(value))
        case bool() | int() | float() | str():
            return json.dumps(value)
        case _:
            raise TypeError(f"no TOML for {value!r}")


def toml(settings: Settings) -> str:
    """Sections of keys as a TOML file."""
    lines: list[str] = []
    for section, keys in settings.items():
        lines.append(f"[{section}]")
        lines += [f"{json.dumps(key)} = {toml_value(value)}" for key, value in keys.items()]
    return "\n".join(lines) + "\n"


def environment(directory: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment that keeps state below `directory` and brings no settings from outside."""
    kept = {key: value for key, value in os.environ.items() if not _is_foreign(key)}
    state = directory / "state"
    state.mkdir(exist_ok=True)
    return kept | {"STATE_DIRECTORY": str(state), "HOME": str(directory)} | dict(extra or {})


def _is_foreign(key: str) -> bool:
    return key.lower().endswith("_proxy") or key.startswith(("SMARTDOH_", "LISTEN_", "SSL_CERT_"))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command that was to end by itself has ended."""

    status: int
    output: str

    @property
    def lines(self) -> list[str]:
        return self.output.strip().splitlines()


class RunningProxy:
    """A `smartdoh serve` that has said it is ready."""

    def __init__(self, process: ServerProcess, port: int) -> None:
        self.process = process
        self.port = port
        self._is_killed = False

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def log(self) -> str:
        return self.process.log

    @property
    def rss(self) -> int:
        """Resident memory in bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024

    @property
    def descriptors(self) -> int:
        """How many file descriptors it has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def connections_to(self, port: int) -> int:
        """How many established connections to this port it has."""
        return connections_of(self.pid, port)

    def udp(
        self, query: dns.message.Message, address: str = "127.0.0.1", seconds: float = ASK_SECONDS
    ) -> dns.message.Message:
        """The answer over UDP; a truncated one is given as it is."""
        return dns.query.udp(query, address, port=self.port, timeout=seconds)

    def tcp(
        self, query: dns.message.Message, address: str = "127.0.0.1", seconds: float = ASK_SECONDS
    ) -> dns.message.Message:
        """The answer over TCP, on a connection of its own."""
        return dns.query.tcp(query, address, port=self.port, timeout=seconds)

    @contextmanager
    def udp_socket(self, address: str = "127.0.0.1") -> Iterator[socket.socket]:
        """A UDP socket connected to the proxy."""
        with socket.socket(_family(address), socket.SOCK_DGRAM) as client:
            client.settimeout(ASK_SECONDS)
            client.connect((address, self.port))
            yield client

    @contextmanager
    def tcp_socket(self, address: str = "127.0.0.1") -> Iterator[socket.socket]:
        """A TCP connection to the proxy."""
        with socket.create_connection((address, self.port), timeout=ASK_SECONDS) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            yield client

    def stop(self) -> None:
        """Asks it to end, and checks that it did so in order and never had to show a traceback.

        One that was killed is left in peace.
        """
        if self._is_killed:
            return
        status = self.process.returncode
        if status is None:
            status = self.process.stop()
        found = [words for words in NEVER_IN_A_LOG if words in self.log]
        assert not found, f"{found} in the log:\n{self.log}"
        assert status == 0, f"ended with {status}:\n{self.log}"

    def kill(self) -> None:
        """Ends it as a power cut would."""
        self._is_killed = True
        self.process.send(signal.SIGKILL)
        self.process.wait()


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def start_proxy(
    settings: Settings,
    directory: Path,
    *,
    port: int = 0,
    env: Mapping[str, str] | None = None,
    hosts: Sequence[str] = ("127.0.0.1",),
    prefix: Sequence[str] = (),
    pass_fds: Sequence[int] = (),
) -> RunningProxy:
    """Starts `smartdoh serve` on a free port of these addresses, unless `settings` say where to listen.

    `prefix` is a command that runs it, `pass_fds` are descriptors that it inherits.
    """
    for attempt in range(1, START_TRIES + 1):
        chosen = port or free_port()
        listen = {"dns": [_at(host, chosen) for host in hosts], **settings.get("listen", {})}
        server = {
            "loop_guard": "off",
            **settings.get("server", {}),
        }  # the tests' upstreams count what they are asked
        home = Path(tempfile.mkdtemp(prefix="smartdoh-", dir=directory))
        config = home / "smartdoh.toml"
        config.write_text(toml({**settings, "listen": listen, "server": server}))
        argv = [*prefix, *STRICT_COMMAND, "serve", "--config", str(config)]
        process = ServerProcess("smartdoh", argv, home, environment(home, env), pass_fds)
        try:
            process.wait_until(lambda: READY.search(process.log) is not None)  # noqa: B023
        except StartError:
            process.stop()
            if attempt == START_TRIES or port:
                raise
        else:
            return RunningProxy(process, chosen)
    raise AssertionError("unreachable")


def _at(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def run_to_end(
    arguments: Sequence[str], directory: Path, settings: Settings | None = None, prefix: Sequence[str] = ()
) -> Outcome:
    """Runs a command that is expected to end by itself, with `--config` where settings are given."""
    argv = [*prefix, *COMMAND, *arguments]
    if settings is not None:
        config = directory / "smartdoh.toml"
        config.write_text(toml(settings))
        argv += ["--config", str(config)]
    process = ServerProcess("command", argv, directory, environment(directory))
    try:
        status = process.wait()
    finally:
        process.stop()
    return Outcome(status, process.log)
