"""How many files and sockets this process may have open."""

from __future__ import annotations

import contextlib
import resource


def allow(count: int) -> None:
    """Have the system let us open `count`, where it lets us raise our limit so far, or else as many as it lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
