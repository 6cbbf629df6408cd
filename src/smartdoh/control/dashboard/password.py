"""The dashboard's password: only its argon2id hash is kept, in a file for its owner alone, or in the config."""

from __future__ import annotations

from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from smartdoh.config.places import PASSWORD_FILE
from smartdoh.durable import write_privately

SHORTEST = 8  # characters, NIST SP 800-63B section 5.1.1.1
LONGEST = 1024  # characters
LARGEST_FILE = 1024  # octets
UNREADABLE = "unreadable"  # as a hash: no password has it

_HASHER = PasswordHasher()  # argon2id as RFC 9106 section 4 has it for little memory: 64 MiB, 3 passes


def refusal(password: str) -> str:
    """Why this cannot be a password; empty if it can."""
    if len(password) < SHORTEST:
        return f"a password has at least {SHORTEST} characters"
    if len(password) > LONGEST:
        return f"a password has at most {LONGEST} characters"
    return ""


def hashed(password: str) -> str:
    """Its hash, salted."""
    return _HASHER.hash(password)


def keep(state_dir: Path, password_hash: str) -> Path:
    """Write the hash down, for its owner alone; where it is. Raises OSError."""
    path = state_dir / PASSWORD_FILE
    write_privately(path, password_hash.encode() + b"\n")
    return path


def is_right(password: str, password_hash: str) -> bool:
    """Whether the hash is this password's. Takes tens of milliseconds, and 64 MiB meanwhile."""
    try:
        return _HASHER.verify(password_hash, password[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False


class Secret:
    """The hash in force: the config's, else the file's as it is now."""

    def __init__(self, configured: str, state_dir: Path, *, is_needed: bool) -> None:
        """`is_needed`: without a password nobody gets in, instead of everybody."""
        self.is_needed = is_needed
        self._configured = configured
        self._path = state_dir / PASSWORD_FILE
        self._read = ""
        self._stamp: tuple[int, int] | None = None

    @property
    def hash(self) -> str:
        """Empty where there is none."""
        return self._configured or self._of_file()

    @property
    def is_asked_for(self) -> bool:
        """Whether one has to log in: also where there may be a password, and nobody can tell."""
        return self.is_needed or bool(self.hash)

    def _of_file(self) -> str:
        try:
            status = self._path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return ""
        except OSError:
            return UNREADABLE
        stamp = (status.st_mtime_ns, status.st_ino)
        if stamp != self._stamp:
            self._stamp, self._read = stamp, _content(self._path)
        return self._read


def _content(path: Path) -> str:
    """What stands in the file. One that cannot be read is a password that nobody knows."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_FILE).decode("ascii", "replace").strip() or UNREADABLE
    except OSError:
        return UNREADABLE
