"""What a check works with: the server under test, the upstream behind it, and its clock."""

import itertools
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from tests.conformance.clock import JumpingClock
from tests.conformance.messages import Answer, frame, query
from tests.conformance.script import ZONE, DohFace, Script

SECONDS = 4.0  # that any answer may take; a forwarder that is asked has its upstream beside it
MOST = 65_535
LONG = 360.0  # seconds, more of which pass at once
STEP = 2.0  # seconds that pass without being taken for a pause
TURNS = 3  # of a loop: one reads the question, one runs what fell due, one what that has started


class NotApplicable(Exception):
    """A check needs what this server, or the way it is run, does not have."""


@dataclass
class World:
    """One running server. What it lacks is None, and reaching for it raises NotApplicable."""

    kind: str
    host: str
    port: int
    known_name: str = ""
    """A name with an address, where there is no scripted upstream to give one to any name."""
    _script: Script | None = None
    _doh: DohFace | None = None
    _clock: JumpingClock | None = None
    _variants: Callable[[str], "World"] | None = None
    _command: Callable[..., str] | None = None
    _refuses: Callable[[str], bool] | None = None
    has_own_timers: bool = False
    notices_jumps: bool = False
    """Whether a jump of its clock looks to it as if it had been stopped, after which it asks all anew."""
    seconds: float = SECONDS
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    # The upstream and the clock

    @property
    def script(self) -> Script:
        """What the upstream says and was asked."""
        if self._script is None:
            raise NotApplicable("needs the scripted upstream")
        return self._script

    @property
    def doh(self) -> DohFace:
        """The upstream's server, where it is asked over HTTPS."""
        if self._doh is None:
            raise NotApplicable("does not ask over DoH here")
        return self._doh

    def needs_doh(self) -> None:
        """Ends the check where the upstream is not asked over HTTPS, which alone can do what it is about to do."""
        _ = self.doh

    def pass_time(self, seconds: float) -> None:
        """Let this much time pass for the server; where a jump would be noticed, by and by as far as possible."""
        if self._clock is None:
            raise NotApplicable("its clock cannot be moved")
        if not self.notices_jumps:
            self._clock.pass_time(seconds)
            return
        if seconds > LONG:
            self._clock.pass_time(seconds - LONG)
            self._turn()
            seconds = LONG
        while seconds > 0:
            self._clock.pass_time(min(seconds, STEP))
            self._turn()
            seconds -= STEP

    def _turn(self) -> None:
        """Let the server's loop go round, so that it sees what its clock says now: a few questions about nothing."""
        for _ in range(TURNS):
            self.ask_name("localhost.")

    def let_idle(self, seconds: float) -> None:
        """Let time pass for the connections that are open; the question wakes those who look when they have work."""
        if self.has_own_timers:
            raise NotApplicable("its time-outs cannot be moved")
        self.pass_time(seconds)
        self.ask_name("localhost.")

    def of(self, variant: str) -> "World":
        """The same server with other settings, see `configs`."""
        if self._variants is None:
            raise NotApplicable("needs other settings")
        return self._variants(variant)

    def name(self, label: str = "n") -> str:
        """A name that was never asked for."""
        if self._script is None:
            return self.known_name
        return f"{label}-{next(self._numbers)}-{self.port}.{ZONE}"

    # Questions

    def ask(self, wire: bytes) -> Answer:
        """What comes back over UDP; there has to be something."""
        with self.udp() as client:
            client.send(wire)
            try:
                return Answer(client.recv(MOST))
            except TimeoutError:
                raise AssertionError("no answer") from None

    def ask_tcp(self, wire: bytes) -> Answer:
        """What comes back on a connection of its own."""
        with self.tcp() as client:
            client.sendall(frame(wire))
            found = read_frame(client)
            assert found is not None, "closed without an answer"
            return found

    def ask_name(self, name: str | bytes, rtype: str | int = "A", **how: object) -> Answer:
        """What `messages.query` gets."""
        return self.ask(query(name, rtype, **how))  # type: ignore[arg-type]

    def ask_until(self, name: str, is_wanted: Callable[[Answer], bool]) -> Answer:
        """The first answer that is as wanted: what is fetched behind an answer takes a moment."""
        deadline = time.monotonic() + self.seconds
        while not is_wanted(answer := self.ask_name(name)):
            assert time.monotonic() < deadline, f"still rcode {answer.rcode}, {answer.texts}"
            time.sleep(0.01)
        return answer

    def settle(self) -> None:
        """Returns once what was asked of the upstream has come in: another question goes there and back behind it."""
        _ = self.script
        self.ask_name(self.name("settled"))

    def ask_all(self, wires: Sequence[bytes]) -> list[Answer | None]:
        """What comes back to questions sent all at once; None where nothing does."""
        with ExitStack() as stack:
            clients = [stack.enter_context(self.udp()) for _ in wires]
            for client, wire in zip(clients, wires, strict=True):
                client.send(wire)
            deadline = time.monotonic() + self.seconds
            return [_heard(client, deadline) for client in clients]

    def command(self, *words: str) -> str:
        """What a command of the server's own says; it has to succeed."""
        if self._command is None:
            raise NotApplicable("has no such command")
        return self._command(*words)

    def refuses_upstream(self, url: str) -> bool:
        """Whether it takes a config for wrong that has this upstream."""
        if self._refuses is None:
            raise NotApplicable("its config is not checked here")
        return self._refuses(url)

    def assert_silent(self, wire: bytes) -> None:
        """The next thing that is heard on the socket is the answer to the next question."""
        with self.udp() as client:
            client.send(wire)
            good = query("localhost.")
            client.send(good)
            try:
                heard = client.recv(MOST)
            except TimeoutError:
                raise AssertionError("the question behind it got no answer") from None
            assert heard[:2] == good[:2], f"answered: {heard[:16].hex(' ')}"

    @contextmanager
    def udp(self, host: str = "") -> Iterator[socket.socket]:
        """A UDP socket connected to the server, at another of its addresses if one is given."""
        at = host or self.host
        with socket.socket(_family(at), socket.SOCK_DGRAM) as client:
            client.settimeout(self.seconds)
            client.connect((at, self.port))
            yield client

    @contextmanager
    def tcp(self, source: str = "") -> Iterator[socket.socket]:
        """A TCP connection to the server, from another address of this machine if one is given."""
        origin = (source, 0) if source else None
        with socket.create_connection((self.host, self.port), self.seconds, origin) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            yield client


def _heard(client: socket.socket, deadline: float) -> Answer | None:
    client.settimeout(max(0.01, deadline - time.monotonic()))
    try:
        return Answer(client.recv(MOST))
    except TimeoutError:
        return None


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def read_exactly(client: socket.socket, count: int) -> bytes:
    """So many octets; fewer where the other side closed."""
    found = bytearray()
    while len(found) < count:
        try:
            part = client.recv(count - len(found))
        except ConnectionResetError:
            break
        except TimeoutError:
            raise AssertionError("no answer on the connection") from None
        if not part:
            break
        found += part
    return bytes(found)


def read_frame(client: socket.socket) -> Answer | None:
    """The next message; None where the other side closed."""
    length = read_exactly(client, 2)
    return Answer(read_exactly(client, int.from_bytes(length))) if len(length) == 2 else None


def is_closed(client: socket.socket) -> bool:
    """Whether the other side ends the connection without another octet."""
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
