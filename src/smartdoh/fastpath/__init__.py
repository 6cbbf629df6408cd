"""Answers that are known already: the table in memory, and the loop that answers from it.

`_python.py` is the specification; a compiled twin has to give the same answers through the same surface.
"""

from __future__ import annotations

from smartdoh.fastpath._python import RECHECK, FastPath, Statistics
from smartdoh.fastpath.entry import Entry

__all__ = ["RECHECK", "Entry", "FastPath", "Statistics"]
