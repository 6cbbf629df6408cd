"""Who has logged in: random tokens that only browsers have, their hashes here, each with an end."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass

COOKIE = "smartdoh_session"
MOST = 64  # at a time; one more replaces the one that was used longest ago
IDLE = 12 * 3600.0  # seconds without a request
LONGEST = 7 * 86_400.0  # seconds since the log-in
TOKEN = 32  # octets


@dataclass(slots=True)
class Session:
    """One browser that has logged in."""

    begun: float
    used: float
    password: str  # the hash it was let in by: another password ends it


class Sessions:
    """All of them; gone when the process is."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[bytes, Session] = {}

    def __len__(self) -> int:
        return len(self._known)

    def begin(self, password_hash: str) -> str:
        """A new one's token."""
        token = secrets.token_urlsafe(TOKEN)
        now = self._clock()
        if len(self._known) >= MOST:
            oldest = min(self._known, key=lambda key: self._known[key].used)
            del self._known[oldest]
        self._known[_key(token)] = Session(now, now, password_hash)
        return token

    def is_good(self, token: str, password_hash: str) -> bool:
        """Whether the token is one of ours, by this password, and not over."""
        key = _key(token)
        session = self._known.get(key)
        if session is None:
            return False
        now = self._clock()
        is_over = now - session.used > IDLE or now - session.begun > LONGEST
        if is_over or session.password != password_hash:
            del self._known[key]
            return False
        session.used = now
        return True

    def end(self, token: str) -> None:
        """Somebody logged out."""
        self._known.pop(_key(token), None)


def _key(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
