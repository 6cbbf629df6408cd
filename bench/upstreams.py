"""Scripted DoH upstreams in a process of their own: exact delays, rare stalls, and counters.

`python -m bench.upstreams BEHAVIOURS CHAIN KEY` serves one upstream for each port of the JSON object BEHAVIOURS
and prints `ready`; for each line on stdin it prints the counters since the line before, as JSON; it ends with
stdin. The loop waits in select(2), whose time-outs are exact to microseconds: epoll's are whole milliseconds.
"""

import asyncio
import json
import logging
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from selectors import SelectSelector
from typing import Any, Self, cast

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from bench.errors import BenchError
from bench.sites import Endpoint
from bench.workspace import Workspace, free_port

HEADER_BYTES = 12
RESPONSE_FLAGS = b"\x81\x80"  # QR, RD, RA
NAME_ERROR_FLAGS = b"\x81\x83"
MANY = 200  # addresses of a large answer
ANSWER_RECORD = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x0e\x10\x00\x04\xcb\x00\x71\x07"  # A 203.0.113.7, TTL 3600
EMPTY_OPT = b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00"  # root, OPT, 1232 bytes, no options


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How one upstream answers, in seconds; `stall_every` 0 means that it never stalls."""

    delay: float
    stall_every: int = 0
    stall: float = 0.0


@dataclass(slots=True)
class Counters:
    """What one upstream saw; `held` is how long each name took from its question's arrival to its answer's sending."""

    questions: int = 0
    stalled: int = 0
    connections: int = 0
    held: dict[str, float] = field(default_factory=dict)


def compose_answer(query: bytes) -> bytes:
    """The fixed answer to any question; an OPT record where the query had one.

    Names that begin with `nx` do not exist, and those that begin with `large` have many addresses.
    """
    end = HEADER_BYTES
    while query[end]:
        end += query[end] + 1
    question = query[HEADER_BYTES : end + 5]
    has_opt = query[10:12] != b"\x00\x00"
    label = query[HEADER_BYTES + 1 : HEADER_BYTES + 6]
    flags = NAME_ERROR_FLAGS if label.startswith(b"nx") else RESPONSE_FLAGS
    answers = 0 if flags is NAME_ERROR_FLAGS else MANY if label == b"large" else 1
    counts = b"\x00\x01" + answers.to_bytes(2) + b"\x00\x00" + has_opt.to_bytes(2)
    return query[:2] + flags + counts + question + answers * ANSWER_RECORD + (EMPTY_OPT if has_opt else b"")


def name_of(message: bytes) -> str:
    """The question's name, without the final dot."""
    labels, at = [], HEADER_BYTES
    while message[at]:
        labels.append(message[at + 1 : at + 1 + message[at]].decode("ascii"))
        at += message[at] + 1
    return ".".join(labels)


class ScriptedUpstream(asyncio.Protocol):
    """One HTTP/2 connection of a client."""

    def __init__(self, behaviour: Behaviour, counters: list[Counters]) -> None:
        self._behaviour = behaviour
        self._counters = counters  # one element, replaced when it is read
        self._http = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        self._bodies: dict[int, bytearray] = {}
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._counters[0].connections += 1
        self._http.initiate_connection()
        self._flush()

    def data_received(self, data: bytes) -> None:
        received = self._loop.time()
        for event in self._http.receive_data(data):
            match event:
                case h2.events.DataReceived(stream_id=int(stream)):
                    self._bodies.setdefault(stream, bytearray()).extend(event.data or b"")
                    self._http.acknowledge_received_data(event.flow_controlled_length or 0, stream)
                case h2.events.StreamEnded(stream_id=int(stream)):
                    self._schedule(stream, received)
                case h2.events.StreamReset(stream_id=int(stream)):
                    self._bodies.pop(stream, None)
                case _:
                    pass
        self._flush()

    def _schedule(self, stream: int, received: float) -> None:
        counters, behaviour = self._counters[0], self._behaviour
        counters.questions += 1
        answer = compose_answer(bytes(self._bodies.pop(stream)))
        is_stalled = behaviour.stall_every and counters.questions % behaviour.stall_every == 0
        counters.stalled += bool(is_stalled)
        delay = behaviour.stall if is_stalled else behaviour.delay
        self._loop.call_at(received + delay, self._answer, stream, answer, received)

    def _answer(self, stream: int, answer: bytes, received: float) -> None:
        if self._transport.is_closing():
            return
        headers = [
            (":status", "200"),
            ("content-type", "application/dns-message"),
            ("content-length", str(len(answer))),
        ]
        try:
            self._http.send_headers(stream, headers)
            self._http.send_data(stream, answer, end_stream=True)
        except h2.exceptions.ProtocolError:
            return  # the client has given this stream up
        self._flush()
        self._counters[0].held[name_of(answer)] = self._loop.time() - received

    def _flush(self) -> None:
        self._transport.write(self._http.data_to_send())


async def _serve(behaviours: dict[int, Behaviour], chain: str, key: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    context.set_alpn_protocols(["h2"])
    loop = asyncio.get_running_loop()
    counters: list[list[Counters]] = []
    for port, behaviour in behaviours.items():
        counters.append([Counters()])
        protocol = partial(ScriptedUpstream, behaviour, counters[-1])
        await loop.create_server(protocol, "127.0.0.1", port, ssl=context)
    stdin = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    print("ready", flush=True)
    while await stdin.readline():
        print(json.dumps([asdict(counted[0]) for counted in counters]), flush=True)
        for counted in counters:
            counted[0] = Counters()


def main(arguments: list[str]) -> None:
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # who asks may leave before the answer
    described, chain, key = arguments
    behaviours = {int(port): Behaviour(**behaviour) for port, behaviour in json.loads(described).items()}
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(SelectSelector())) as runner:
        runner.run(_serve(behaviours, chain, key))


@dataclass(frozen=True, slots=True)
class ScriptedUpstreams:
    """The running process, seen from the benchmark."""

    endpoints: tuple[Endpoint, ...]
    _process: subprocess.Popen[str]

    @classmethod
    def start(cls, workspace: Workspace, behaviours: list[Behaviour]) -> Self:
        certificates = workspace.certificates
        described = {free_port(): asdict(behaviour) for behaviour in behaviours}
        process = subprocess.Popen(
            [
                *("taskset", "-c", str(workspace.cores.upstream), sys.executable, "-m", "bench.upstreams"),
                json.dumps(described),
                *(str(certificates.chain_file), str(certificates.key_file)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        upstreams = cls(tuple(Endpoint(doh=port) for port in described), process)
        if upstreams._line() != "ready":
            raise BenchError("the scripted upstream did not start")
        return upstreams

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def take_counters(self) -> list[Counters]:
        """The counters of each upstream since they were last taken."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        found: list[dict[str, Any]] = json.loads(self._line())
        return [Counters(**counters) for counters in found]

    def send_signal(self, number: int) -> None:
        self._process.send_signal(number)

    def stop(self) -> None:
        self._process.communicate(timeout=10)


@contextmanager
def scripted_upstreams(workspace: Workspace, behaviours: list[Behaviour]) -> Iterator[ScriptedUpstreams]:
    """One upstream on a port of its own for each behaviour."""
    upstreams = ScriptedUpstreams.start(workspace, behaviours)
    try:
        yield upstreams
    finally:
        upstreams.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
