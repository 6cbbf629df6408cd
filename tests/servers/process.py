"""A server process: started, waited for, its log kept, ended by its own pid."""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

START_SECONDS = 15.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.02
LOG_LINES = 40  # of the log's end, shown where a start failed


class StartError(AssertionError):
    """A server did not come up; the message holds the end of its log."""


class ServerProcess:
    """One running program. Its output of both kinds goes to `log_file`."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        directory: Path,
        env: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.name = name
        self.log_file = directory / f"{name}.log"
        with self.log_file.open("ab") as log:
            self._popen = subprocess.Popen(
                list(argv),
                cwd=directory,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=tuple(pass_fds),
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def returncode(self) -> int | None:
        """The exit status once it has ended; a negative number is the signal that ended it."""
        return self._popen.poll()

    @property
    def log(self) -> str:
        """Everything the program has written so far."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def wait_until(self, is_ready: Callable[[], bool], seconds: float = START_SECONDS) -> None:
        """Returns once `is_ready()`; raises StartError where the program ends or takes too long."""
        deadline = time.monotonic() + seconds
        while not is_ready():
            if self.returncode is not None:
                raise StartError(f"{self.name} ended with {self.returncode}\n{self._log_end()}")
            if time.monotonic() > deadline:
                raise StartError(f"{self.name} was not ready in {seconds} s\n{self._log_end()}")
            time.sleep(POLL_SECONDS)

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        """The exit status, once it has ended by itself."""
        return self._popen.wait(seconds)

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to this process alone."""
        self._popen.send_signal(number)

    def stop(self) -> int:
        """Asks it to end, insists after a while, and gives the exit status."""
        if self.returncode is None:
            self._popen.terminate()
            try:
                self._popen.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._popen.kill()
        return self.wait()

    def _log_end(self) -> str:
        return "\n".join(self.log.splitlines()[-LOG_LINES:])
