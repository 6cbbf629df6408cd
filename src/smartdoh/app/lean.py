"""structlog without rich: it would import that to draw tracebacks in colour, 9 MB of memory and a tenth of a second."""

from __future__ import annotations

import importlib
import sys


def import_structlog() -> None:
    """Import structlog as where rich is not installed, unless one of them is there already."""
    if "rich" in sys.modules or "structlog" in sys.modules:
        return
    sys.modules["rich"] = None  # type: ignore[assignment]  # how Python notes that a module cannot be had
    try:
        importlib.import_module("structlog")
    finally:
        del sys.modules["rich"]
