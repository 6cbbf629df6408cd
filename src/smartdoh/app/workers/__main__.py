"""`python -m smartdoh.app.workers PLAN` is the supervisor; `smartdoh serve` becomes it."""

from __future__ import annotations

import os
import sys

from smartdoh.app.journal import is_read_by_journal
from smartdoh.app.notify import Notifier
from smartdoh.app.workers.plainlog import PlainLog
from smartdoh.app.workers.seat import Plan
from smartdoh.app.workers.supervisor import Supervisor

if __name__ == "__main__":
    plan = Plan.from_json(sys.argv[1])
    to_journal = is_read_by_journal(os.environ)
    log = PlainLog(plan.log_level, as_text=plan.log_as_text, to_journal=to_journal)
    sys.exit(Supervisor(plan, log, Notifier(os.environ)).run())
