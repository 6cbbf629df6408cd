"""How the thread that writes gives way: short pauses in which others have the core and the interpreter's lock."""

from __future__ import annotations

import select

PAUSE = 100e-6  # seconds


def pause() -> None:
    """Do nothing for a moment, without the interpreter's lock.

    select(2) counts from now. time.sleep counts up to a time of the clock, and fails where somebody shifts the clock
    of a process (faketime), which would end the thread.
    """
    select.select((), (), (), PAUSE)
