"""The scripted server as a process of its own, for benchmarks: any name gets an address, after a delay.

    python -m tests.servers.scripted --port 8443 --delay 0.02 --stall-every 100 --stall 1.0

It writes a certificate authority to --ca-file, prints `ready PORT`, and at SIGTERM or SIGINT one line of JSON
with what it saw.
"""

import argparse
import asyncio
import json
import signal
import tempfile
from pathlib import Path

from tests.servers.certificates import Authority
from tests.servers.scripted.replies import Reply, Request
from tests.servers.scripted.server import ScriptedServer

HEADER = 12
QR_RD_RA = b"\x81\x80"
ONE_ADDRESS = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x01\x2c\x00\x04\xcb\x00\x71\x07"  # TTL 300, 203.0.113.7
COUNTS = b"\x00\x01\x00\x01\x00\x00\x00\x00"


def compose(query: bytes) -> bytes:
    """An answer with one address to any well-made query: cheap, for measuring."""
    end = HEADER
    while query[end]:
        end += 1 + query[end]
    return query[:2] + QR_RD_RA + COUNTS + query[HEADER : end + 5] + ONE_ADDRESS


class FixedServer(ScriptedServer):
    """Answers every name alike, with a delay, and stalls some."""

    delay = 0.0
    stall = 1.0
    stall_every = 0
    seen = 0

    def handle(self, request: Request) -> Reply:
        """No table and no record: this one is measured against."""
        self.seen += 1
        is_stalled = self.stall_every and self.seen % self.stall_every == 0
        return Reply(body=compose(request.wire), delay=self.stall if is_stalled else self.delay)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers.scripted")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument(
        "--ca-file", type=Path, required=True, help="where the certificate authority is written"
    )
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--stall-every", type=int, default=0, help="every n-th question stalls; 0 for none")
    parser.add_argument("--stall", type=float, default=1.0, help="seconds before a stalled answer")
    return parser.parse_args()


async def run(options: argparse.Namespace, directory: Path) -> None:
    """Serves until a signal, then says what was seen."""
    authority = Authority(directory)
    options.ca_file.write_bytes(authority.ca_file.read_bytes())
    server = FixedServer(authority.good, port=options.port)
    server.delay, server.stall, server.stall_every = options.delay, options.stall, options.stall_every
    serving = asyncio.create_task(server.serve())
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    print(f"ready {server.port}", flush=True)
    await ended.wait()
    serving.cancel()
    await server.shut()
    print(json.dumps({"requests": server.seen, "connections": server.connections}), flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        asyncio.run(run(arguments(), Path(made)))
