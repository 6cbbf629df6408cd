"""`python -m smartdoh.app.leaks CONFIG LIST LIMIT`: what is told of a list, as JSON, computed beside the answers."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from smartdoh import config
from smartdoh.app.leaks.report import report
from smartdoh.errors import SmartDohError

NICE = 10  # answers come first


def main(arguments: list[str]) -> int:
    """0, or 1 with one line on stderr."""
    path, name, limit = arguments
    os.nice(NICE)
    try:
        print(json.dumps(report(config.load(Path(path), os.environ), name, int(limit))))
    except (SmartDohError, OSError, KeyError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
