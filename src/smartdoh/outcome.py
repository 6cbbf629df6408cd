"""What became of a question, in one word for each: as counters, logs and views call it.

An answer that is kept has the outcome of how it came about, whoever gets it from the table: data is HIT there, and
STALE once it has expired; what a rule blocks is BLOCKED each time that it is asked for.
"""

from __future__ import annotations

HIT, STALE, BLOCKED, MISS, LOCAL, REFUSED, FAILED = range(7)
"""Data that was known, fresh or not; blocked by a rule or list; data that was fetched; answered here, of ourselves;
not answered, as who asked may not or nobody may; no answer was to be had."""

NAMES = (
    "hit",
    "stale",
    "blocked",
    "miss",
    "local",
    "refused",
    "failed",
)  # in files of the log of questions, too
MOST = 8  # as many fit into the numbers by which answers are counted
