"""`python -m smartdoh.rules.lists LIST FORMAT OUT`: the compiler in a process of its own, its report as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

from smartdoh.rules.lists.compiler import compile_list

if TYPE_CHECKING:
    from smartdoh.config.settings import ListFormat


def main(arguments: list[str]) -> int:
    """0, or 1 with one line on stderr."""
    path, list_format, out = arguments
    try:
        report = compile_list(Path(path), cast("ListFormat", list_format), Path(out))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{path}: {error}\n")
        return 1
    sys.stdout.write(json.dumps(report.as_json()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
