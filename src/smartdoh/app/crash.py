"""Reports of what should never happen: files that say where it did, and nothing of what anybody asked.

A report holds types of exceptions and places in the code. The words of an exception, the values of variables and
the arguments of callbacks are left out, because they may hold names and addresses of clients.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import faulthandler
import hashlib
import os
import platform
import re
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from smartdoh import __version__
from smartdoh.app import logs
from smartdoh.fastpath import BUILD

FOLDER = "crashes"
MOST_FILES = 20
MOST_FRAMES = 60  # of one exception, the innermost
MOST_CAUSES = 10  # exceptions in one report
MOST_TOLD = 1000  # different failures that are told apart at a time
AGAIN = 60.0  # seconds after which the same failure is told of once more
FATAL = "fatal"  # what a file begins with that tells of a signal

_WORDS = re.compile(r"[A-Za-z ,'!]*")


class CrashReports:
    """The folder of reports of one process. That it cannot be written to changes nothing else."""

    def __init__(
        self, state_dir: Path, worker: int | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder = state_dir / FOLDER
        self._worker = worker
        self._clock = clock
        self._started = clock()
        self._told: dict[str, tuple[float, int]] = {}  # by fingerprint: when last, and how often since then
        self._fatal: int | None = None
        self._log = logs.get()

    def report(self, where: str, error: BaseException) -> None:
        """Write what is known of `error`, which ended `where` (a task's name), and log one line. Never raises."""
        with contextlib.suppress(Exception):
            self._report(where, error)

    def _report(self, where: str, error: BaseException) -> None:
        trace = "\n".join(_described(error))
        mark = hashlib.blake2b(trace.encode(), digest_size=6).hexdigest()
        now = self._clock()
        last, times = self._told.get(mark, (-AGAIN, 0))
        if now - last < AGAIN:
            self._told[mark] = last, times + 1
            return
        if len(self._told) >= MOST_TOLD:
            self._told.clear()
        self._told[mark] = now, 0
        path = self._write(f"crash-{mark}.txt", f"{self._head(where)}\n{trace}\n")
        self._log.error(
            "an error inside smartdoh",
            task=where,
            kind=type(error).__name__,
            at=_place(error),
            report=str(path or "cannot be written"),
            **({"more_of_them": times} if times else {}),
        )

    def catch_signals(self) -> None:
        """Have signals that end the process (SIGSEGV, SIGABRT by a watchdog and others) say where it was.

        What an earlier process left is set aside, and told of.
        """
        number = "" if self._worker is None else f"-{self._worker}"
        path = self._folder / f"{FATAL}{number}.txt"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if path.exists() and path.stat().st_size:
                self._set_aside(path)
            self._fatal = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError:
            return
        faulthandler.enable(self._fatal)

    def close(self) -> None:
        """Catch signals no longer."""
        if self._fatal is not None:
            faulthandler.disable()
            os.close(self._fatal)
            self._fatal = None

    def _set_aside(self, path: Path) -> None:
        ended = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        aside = path.with_stem(f"{path.stem}-{ended:%Y%m%d-%H%M%S}")
        path.rename(aside)
        self._make_room()
        self._log.warning("an earlier run was ended by a fatal signal", report=str(aside))

    def _head(self, where: str) -> str:
        lines = {
            "smartdoh": f"{__version__}, {BUILD} fast path",
            "python": f"{platform.python_version()} on {sys.platform} {platform.machine()}",
            "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}, {self._clock() - self._started:.0f} s after the start",
            "task": where,
        }
        return "".join(f"{name}: {value}\n" for name, value in lines.items())

    def _write(self, name: str, text: str) -> Path | None:
        path = self._folder / name
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            self._make_room()
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
        except OSError:
            return None
        return path

    def _make_room(self) -> None:
        """Remove the oldest, so that there is room for one more."""
        reports = [path for path in self._folder.glob("*.txt") if path.stat().st_size]
        reports.sort(key=lambda path: path.stat().st_mtime)
        for path in reports[: max(0, len(reports) - MOST_FILES + 1)]:
            path.unlink(missing_ok=True)


def hear_of_all(reports: CrashReports) -> None:
    """Have whatever nobody catches in this process reported, and nothing of it written to stderr."""

    def uncaught(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        reports.report("main", error)

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            reports.report(f"thread {args.thread.name if args.thread else ''}".strip(), args.exc_value)

    def unraisable(args: Any) -> None:
        if args.exc_value is not None:
            reports.report("unraisable", args.exc_value)

    sys.excepthook = uncaught
    threading.excepthook = in_thread
    sys.unraisablehook = unraisable
    reports.catch_signals()


def in_loop(reports: CrashReports) -> Callable[[asyncio.AbstractEventLoop, dict[str, Any]], None]:
    """The event loop's exception handler."""

    def handle(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        words = _WORDS.match(str(context.get("message", "")))
        if isinstance(error, BaseException):
            reports.report("event loop", error)
        else:  # asyncio's own words, as far as they cannot be anything else
            logs.get().error("an error inside smartdoh", task="event loop", kind=words[0] if words else "")

    return handle


def _described(error: BaseException) -> Iterator[str]:
    """Each exception of the chain, the first cause first: its frames, its type, and how long its words were."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain and len(chain) < MOST_CAUSES:
        chain.append(link)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    for number, each in enumerate(reversed(chain)):
        if number:
            yield "while that was handled, or because of it:"
        yield from _frames(each)
        yield _kind(each)
        if isinstance(each, BaseExceptionGroup):
            for inner in each.exceptions[:MOST_CAUSES]:
                yield "  one of them:"
                yield from (f"  {line}" for line in _described(inner))


def _frames(error: BaseException) -> Iterator[str]:
    frames = list(traceback.walk_tb(error.__traceback__))
    if len(frames) > MOST_FRAMES:
        yield f"  ({len(frames) - MOST_FRAMES} frames left out)"
    for frame, line in frames[-MOST_FRAMES:]:
        yield f"  {frame.f_globals.get('__name__', '?')}:{line} {frame.f_code.co_qualname}"


def _kind(error: BaseException) -> str:
    kind = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    number = error.errno if isinstance(error, OSError) else None
    if number is not None:
        return f"{kind}: {errno.errorcode.get(number, number)}"
    return f"{kind}, its words are left out"


def _place(error: BaseException) -> str:
    """The innermost place in our own code."""
    places = [
        f"{frame.f_globals['__name__']}:{line}"
        for frame, line in traceback.walk_tb(error.__traceback__)
        if str(frame.f_globals.get("__name__", "")).startswith("smartdoh")
    ]
    return places[-1] if places else "?"
