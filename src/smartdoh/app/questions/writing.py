"""The writer process as the proxy sees it: started, watched, started again with growing pauses, ended with the proxy.

Of several workers the first one starts it, and the others connect to it: one process that writes one database, with
one memory for names, rather than several that wait for each other's lock. What is asked while there is no writer is
held for the next one, see `sending`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from smartdoh import unixsocket
from smartdoh.app import logs
from smartdoh.app.ledger import Ledger
from smartdoh.app.questions.hub import Hub
from smartdoh.app.questions.log.schema import FILE
from smartdoh.app.questions.sending import Sending
from smartdoh.app.questions.writer.plan import WriterPlan
from smartdoh.app.workers.child import OF_THE_MANAGER, reason
from smartdoh.app.workers.pauses import Pauses
from smartdoh.config import Settings

SOCKET = "writer.sock"  # in the query log's directory
LAST_WORDS = 3.0  # seconds that the end waits for what is to be written
CONNECT_EVERY = 1.0  # seconds between two tries of a worker that is not the first
DYING = 1.0  # seconds between the end of a writer's socket and its own

Outputs = dict[str, dict[str, Any]]


def wanted_outputs(settings: Settings) -> Outputs:
    """The settings of each output that the config asks for, as `writer.outputs` takes them."""
    wanted: Outputs = {}
    log = settings.query_log
    if log.enabled:
        wanted["lines"] = {
            "path": str(log.dir / FILE),
            "days": log.days,
            "size": log.size,
            "privacy": log.privacy,
            "exclude": list(log.exclude),
        }
    if wants_ledger(settings):
        wanted["ledger"] = {"path": str(log.dir / FILE), "size": log.size, "exclude": list(log.exclude)}
    if settings.dnstap.socket is not None:
        wanted["dnstap"] = {
            "path": str(settings.dnstap.socket),
            "identity": settings.dnstap.identity,
            "privacy": log.privacy,
            "exclude": list(log.exclude),
        }
    return wanted


def wants_ledger(settings: Settings) -> bool:
    """Whether it is counted which names leave."""
    return settings.query_log.enabled and settings.query_log.ledger


class Writing:
    """Has what is asked written, as the config in force wants it."""

    def __init__(self, hub: Hub, worker: int | None, ledger: Ledger | None = None) -> None:
        """`worker` is the number of this one among several; None: there are no others."""
        self._hub = hub
        self._worker = worker
        self._plan: tuple[Outputs, str, bool, Path] | None = None
        self._changed = asyncio.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self.sending = Sending(ledger)

    def serve(self, settings: Settings) -> None:
        """Write as these settings say from now on. What stays as it is goes on undisturbed."""
        outputs = wanted_outputs(settings)
        as_text = logs.is_for_people(settings.log.format)
        meet = settings.query_log.dir / SOCKET
        plan = (outputs, settings.log.level, as_text, meet) if outputs else None
        if plan == self._plan:
            if plan is not None:
                self._hub.add_output(self.sending)  # again, if it was taken away since
            return
        if self._plan is not None:
            self._hub.look()
        self._plan = plan
        self._changed.set()
        self.sending.end()
        if plan is None:
            self._hub.remove_output(self.sending)
        else:
            self._hub.add_output(self.sending)

    async def follow(self) -> None:
        """Keep a writer in reach for as long as one is wanted."""
        pauses = Pauses()
        while True:
            self._changed.clear()
            if self._plan is None:
                self.sending.drop()
                await self._changed.wait()
                continue
            begun = time.monotonic()
            try:
                self.sending.use(await self._reach())
                await self.sending.gone.wait()
                why = await asyncio.to_thread(self._ended)
            except OSError as error:
                why = error.strerror or str(error)
            if self._changed.is_set():
                pauses = Pauses()
                continue
            await self._rest(why, pauses.next(time.monotonic() - begun))

    async def end(self) -> None:
        """Have all written that was asked, and the writer end."""
        self._hub.look()
        if self.sending.holds and self._plan is not None:  # the end came before the writer, or between two
            with contextlib.suppress(OSError):
                self.sending.use(await self._reach())
        await self.sending.finish(LAST_WORDS / 2)
        if self._process is not None:
            await asyncio.to_thread(_wait_for, self._process)

    @property
    def _starts(self) -> bool:
        """Whether it is this worker that starts the writer."""
        return self._worker in (None, 0)

    async def _rest(self, why: str, pause: float) -> None:
        """Wait before the next try, or until something else is wanted."""
        if self._starts:
            logs.get().warning("the writer of the query log ended", reason=why, pause_s=pause)
        else:
            pause = CONNECT_EVERY
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._changed.wait()

    async def _reach(self) -> socket.socket:
        """A socket to the writer. Raises OSError."""
        assert self._plan is not None  # noqa: S101 - else nobody asks
        outputs, level, as_text, meet = self._plan
        if not self._starts:
            return unixsocket.connect(meet, 0.0)
        ours, theirs = socket.socketpair()
        others = str(meet) if self._worker is not None else ""
        with theirs:
            plan = WriterPlan(theirs.fileno(), others, outputs, level, as_text)
            try:
                self._process = await asyncio.to_thread(_start, plan)
            except BaseException:
                ours.close()
                raise
        return ours

    def _ended(self) -> str:
        """Why the writer ended; called when its socket did."""
        if self._process is None:
            return "its worker ended"
        try:
            self._process.wait(DYING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        return reason(self._process.returncode)


def _wait_for(process: subprocess.Popen[bytes]) -> None:
    """Wait for its end; one that has much to write yet is left to it, and ends by itself."""
    try:
        process.wait(LAST_WORDS)
    except subprocess.TimeoutExpired:
        process.returncode = 0  # nobody is to wait for it any more


def _start(plan: WriterPlan) -> subprocess.Popen[bytes]:
    """Start the process, which nothing of this one's is for but one socket. Raises OSError."""
    Path(plan.socket or ".").parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    safe = ["-P"] if sys.flags.safe_path else []
    warnings = [word for option in sys.warnoptions for word in ("-W", option)]
    process = subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, *safe, *warnings, "-m", "smartdoh.app.questions.writer"],
        env={name: value for name, value in os.environ.items() if name not in OF_THE_MANAGER},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        pass_fds=(plan.proxy,),
        process_group=0,  # Ctrl-C is for the proxy
    )
    assert process.stdin is not None  # noqa: S101 - a pipe was asked for
    with contextlib.suppress(BrokenPipeError), process.stdin:  # it ended: whoever watches it says so
        process.stdin.write(plan.to_json().encode())
    return process
