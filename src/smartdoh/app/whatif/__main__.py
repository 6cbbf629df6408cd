"""`python -m smartdoh.app.whatif CONFIG LIST FILE COMPILED`: why a new version of a list shall not be used, as JSON.

It is the guard's own process: replaying a million names takes seconds, in which answers go on.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from smartdoh import config
from smartdoh.app.questions.log.schema import FILE
from smartdoh.app.whatif import guard
from smartdoh.app.whatif.asked import asked_since
from smartdoh.app.whatif.lists import compiled
from smartdoh.app.whatif.replay import with_list
from smartdoh.errors import SmartDohError
from smartdoh.rules.lists import open_list

NICE = 10  # answers come first


def main(arguments: list[str]) -> int:
    """0, or 1 with one line on stderr."""
    path, name, file, form = arguments
    os.nice(NICE)
    try:
        settings = config.load(Path(path), os.environ)
        wanted = settings.lists[name]
        new = open_list(Path(file), wanted.format, Path(form))
        since = time.time() - guard.DAYS * 86_400
        with asked_since(settings.query_log.dir / FILE, since) as log:
            outcome = with_list(log.rows, settings, compiled(settings), name, new)
    except (SmartDohError, OSError, KeyError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    print(json.dumps(guard.objections(outcome, wanted.guard)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
