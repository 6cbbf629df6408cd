"""`smartdoh reload`: the running proxy reads its config and lists again."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from smartdoh.control import client


def reload(config: Path) -> None:
    """Reload. Raises NotRunningError, and RefusedError with the problem where the old config stays."""
    done = client.find(config, os.environ).post("/reload")
    for warning in done["warnings"]:
        print(f"smartdoh: warning: {warning}", file=sys.stderr)
    print("reloaded")
