"""The scripted DoH server: accepts connections, records every request, and does what the test has set."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable
from enum import Enum, auto
from typing import Self, cast

import dns.exception
import dns.message
import dns.name
import dns.rdatatype

from tests.servers.certificates import Certificate
from tests.servers.loop_thread import LoopThread
from tests.servers.scripted.replies import Behaviour, Reply, Request, right
from tests.servers.scripted.sessions import Http1Session, Http2Session
from tests.servers.zone import Answers

PATH = "/dns-query"
WAIT_SECONDS = 10.0


class Handshake(Enum):
    """What becomes of a new connection."""

    NORMAL = auto()
    HANG = auto()
    """Accepted, and then nothing: the TLS handshake never ends."""
    CLOSE = auto()
    """Accepted and closed."""


class ScriptedServer:
    """One listening address and its script. Everything public may be used from the test's thread."""

    def __init__(
        self,
        certificate: Certificate,
        *,
        answers: Answers | None = None,
        protocols: tuple[str, ...] = ("h2", "http/1.1"),
        host: str = "127.0.0.1",
        port: int = 0,
        max_streams: int = 250,
    ) -> None:
        self.handshake = Handshake.NORMAL
        self.answers = answers or Answers()
        self._max_streams = max_streams
        self._protocols = protocols
        self.use(certificate)
        self._host = host
        self._changed = threading.Condition()
        self._default: Behaviour = right
        self._by_name: dict[dns.name.Name, Behaviour] = {}
        self._requests: list[Request] = []
        self._connections = 0
        self._failed_handshakes = 0
        self._open: set[asyncio.Transport] = set()
        self._hanging: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._socket = socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=1024
        )
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]

    # What the test says and asks.

    @property
    def url(self) -> str:
        return self.url_at(f"[{self._host}]" if ":" in self._host else self._host)

    def url_at(self, host: str) -> str:
        """The DoH URL under another name of this host."""
        return f"https://{host}:{self.port}{PATH}"

    def behave(self, behaviour: Behaviour, name: str | None = None) -> None:
        """Sets what is done from now on: for every question, or for one name alone."""
        with self._changed:
            if name is None:
                self._default = behaviour
            else:
                self._by_name[dns.name.from_text(name)] = behaviour

    def use(self, certificate: Certificate) -> None:
        """New connections are shown this certificate."""
        self._context = certificate.server_context(self._protocols)

    @property
    def requests(self) -> list[Request]:
        """Every request so far, oldest first."""
        with self._changed:
            return list(self._requests)

    @property
    def connections(self) -> int:
        """How many TCP connections were accepted so far."""
        with self._changed:
            return self._connections

    @property
    def failed_handshakes(self) -> int:
        """How many TLS handshakes the client gave up."""
        with self._changed:
            return self._failed_handshakes

    def asked(self, name: str, rdtype: str = "A") -> int:
        """How many requests there were for this question."""
        wanted = (dns.name.from_text(name), dns.rdatatype.from_text(rdtype))
        return sum((request.name, request.rdtype) == wanted for request in self.requests)

    def wait_for(self, condition: Callable[[], bool], seconds: float = WAIT_SECONDS) -> None:
        """Returns once the condition holds; it is looked at whenever something has happened here."""
        with self._changed:
            if not self._changed.wait_for(condition, seconds):
                raise AssertionError(f"not within {seconds} s; requests so far: {len(self._requests)}")

    def drop_all(self) -> None:
        """Aborts every open connection; goes on listening."""
        self._thread.call(self._abort_all)

    def __enter__(self) -> Self:
        self._thread = LoopThread("scripted server")
        self._serving = asyncio.run_coroutine_threadsafe(self.serve(), self._thread.loop)
        return self

    def __exit__(self, *_: object) -> None:
        self._serving.cancel()
        self._thread.run(self.shut())
        self._thread.close()

    def wait_for_requests(self, count: int) -> None:
        """Returns once there were so many requests."""
        self.wait_for(lambda: len(self._requests) >= count)

    # What happens in the loop's thread.

    async def serve(self) -> None:
        """Accepts until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            accepted, _ = await loop.sock_accept(self._socket)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._changed:
                self._connections += 1
                number = self._connections
                self._changed.notify_all()
            if self.handshake is Handshake.NORMAL:
                task = loop.create_task(self._shake(accepted, number))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            elif self.handshake is Handshake.HANG:
                self._hanging.append(accepted)
            else:
                accepted.close()

    async def _shake(self, accepted: socket.socket, number: int) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(lambda: _Connection(self, number), accepted, ssl=self._context)
        except (OSError, ssl.SSLError):
            accepted.close()
            with self._changed:
                self._failed_handshakes += 1
                self._changed.notify_all()

    def handle(self, request: Request) -> Reply:
        """Records a request and says what to do with it."""
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()
        try:
            behaviour = self._by_name.get(request.name, self._default)
        except (dns.exception.DNSException, IndexError):
            return Reply(status=400, media_type=None)
        return behaviour(request, self.answers.answer(request.query))

    def session(self, transport: asyncio.Transport, number: int) -> Http2Session | Http1Session:
        """A session in the protocol that the handshake agreed on."""
        self._open.add(transport)
        chosen = transport.get_extra_info("ssl_object").selected_alpn_protocol()
        if chosen == "h2":
            return Http2Session(transport, number, self.handle, self._max_streams)
        return Http1Session(transport, number, self.handle)

    def forget(self, transport: asyncio.Transport) -> None:
        """Told by a connection that it is closed."""
        self._open.discard(transport)
        with self._changed:
            self._changed.notify_all()

    @property
    def open_connections(self) -> int:
        """How many connections are open at this moment."""
        return len(self._open)

    def _abort_all(self) -> None:
        for transport in list(self._open):
            transport.abort()
        while self._hanging:
            self._hanging.pop().close()

    async def shut(self) -> None:
        """Aborts every open connection and listens no more."""
        self._abort_all()
        self._socket.close()


class _Connection(asyncio.Protocol):
    def __init__(self, server: ScriptedServer, number: int) -> None:
        self._server = server
        self._number = number

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._session = self._server.session(self._transport, self._number)

    def data_received(self, data: bytes) -> None:
        self._session.receive(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.forget(self._transport)
