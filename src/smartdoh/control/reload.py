"""`smartdoh reload`: the running proxy reads its config and lists again."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from smartdoh.control import client


def reload(config: Path, *, as_json: bool = False) -> None:
    """Reload. Raises NotRunningError, and RefusedError with the problem where the old config stays."""
    done = client.find(config, os.environ).post("/reload")
    if as_json:
        print(json.dumps(done, ensure_ascii=False))
        return
    for warning in done["warnings"]:
        print(f"smartdoh: warning: {warning}", file=sys.stderr)
    print("reloaded")
