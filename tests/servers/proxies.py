"""The proxies of a group's `via`: tinyproxy for HTTP, microsocks for SOCKS5, both on loopback unless told otherwise."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.ports import free_port, is_listening
from tests.servers.process import ServerProcess
from tests.servers.required import require_server

USER = "tester"
PASSWORD = "secret"


@dataclass(frozen=True, slots=True)
class ViaProxy:
    """A running proxy; `seen` is how its log names a connection to a host and port."""

    scheme: str
    port: int
    process: ServerProcess
    seen: str
    host: str = "127.0.0.1"

    @property
    def url(self) -> str:
        return self.url_as(self.scheme)

    def url_as(self, scheme: str, login: str = "") -> str:
        """Its URL under one of the schemes it speaks, with `user:password@` where that is asked for."""
        return f"{scheme}://{login}{self.host}:{self.port}"

    def connected_to(self, host: str, port: int) -> int:
        """How many connections to this host, as the client named it, its log tells of."""
        return self.process.log.count(self.seen.format(host=host, port=port))


@contextmanager
def tinyproxy(
    directory: Path,
    with_login: bool = False,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    prefix: Sequence[str] = (),
) -> Iterator[ViaProxy]:
    """An HTTP proxy that connects anywhere; `prefix` is a command that runs it."""
    program, port = require_server("tinyproxy"), port or free_port()
    config = directory / f"tinyproxy-{port}.conf"
    config.write_text(
        f"""\
Port {port}
Listen {host}
Timeout 60
LogLevel Connect
{f"BasicAuth {USER} {PASSWORD}" if with_login else ""}
"""
    )
    process = ServerProcess(f"tinyproxy-{port}", [*prefix, program, "-d", "-c", str(config)], directory)
    with _running(ViaProxy("http", port, process, "CONNECT {host}:{port} ", host)) as proxy:
        yield proxy


@contextmanager
def microsocks(
    directory: Path,
    with_login: bool = False,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    prefix: Sequence[str] = (),
) -> Iterator[ViaProxy]:
    """A SOCKS5 proxy that connects anywhere; `prefix` is a command that runs it."""
    program, port = require_server("microsocks"), port or free_port()
    login = ["-u", USER, "-P", PASSWORD] if with_login else []
    argv = [*prefix, program, "-i", host, "-p", str(port), *login]
    process = ServerProcess(f"microsocks-{port}", argv, directory)
    with _running(ViaProxy("socks5h", port, process, "connected to {host}:{port}\n", host)) as proxy:
        yield proxy


@contextmanager
def _running(proxy: ViaProxy) -> Iterator[ViaProxy]:
    try:
        proxy.process.wait_until(lambda: is_listening(proxy.port, proxy.host))
        yield proxy
    finally:
        proxy.process.stop()
