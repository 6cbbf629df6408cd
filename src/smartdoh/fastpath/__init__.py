"""Answers that are known already: the table in memory, and the loop that answers from it.

`_python.py` is the specification, `_native.pyx` the compiled twin: the same answers through the same surface. The
compiled one runs where it could be built, unless SMARTDOH_PURE_PYTHON is set.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from smartdoh.fastpath.entry import Entry
from smartdoh.fastpath.surface import RECHECK, Statistics

if TYPE_CHECKING:
    from smartdoh.fastpath._python import FastPath

    BUILD: str
elif os.environ.get("SMARTDOH_PURE_PYTHON", "") not in ("", "0"):
    from smartdoh.fastpath._python import FastPath

    BUILD = "Python (SMARTDOH_PURE_PYTHON is set)"
else:
    try:
        from smartdoh.fastpath._native import FastPath

        BUILD = "compiled"
    except ImportError:
        from smartdoh.fastpath._python import FastPath

        BUILD = "Python (the compiled one was not built)"

__all__ = ["BUILD", "RECHECK", "Entry", "FastPath", "Statistics"]
