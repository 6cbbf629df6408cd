"""The writer process: reads frames of its proxy and of other workers, gives the records to the outputs."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys

from smartdoh.app.journal import is_read_by_journal
from smartdoh.app.questions.writer.intake import Intake
from smartdoh.app.questions.writer.outputs import OUTPUTS
from smartdoh.app.questions.writer.plan import WriterPlan
from smartdoh.app.workers.plainlog import PlainLog

NICE = 19  # answers come first, also where they share a core with us

if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(
            number, signal.SIG_IGN
        )  # the end is that of the proxy, which has things to tell until then
    plan = WriterPlan.from_json(sys.stdin.read())
    with contextlib.suppress(OSError):
        os.nice(NICE)
    os.umask(0o077)
    to_journal = is_read_by_journal(os.environ)
    log = PlainLog(plan.log_level, as_text=plan.log_as_text, to_journal=to_journal)
    outputs = [OUTPUTS[kind](settings, log) for kind, settings in plan.outputs.items()]
    Intake(socket.socket(fileno=plan.proxy), plan.socket, outputs, log).run()
