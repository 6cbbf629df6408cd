"""The file of a list as it lies on disk: its lines, and what tells one state of it from another."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from smartdoh.config.settings import ListFormat

_MARKS = (b"\xef\xbb\xbf",)  # UTF-8's byte order mark
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_BASE64 = re.compile(rb"[A-Za-z0-9+/\s]+={0,2}\s*")


class Stamp(NamedTuple):
    """One state of a file: as long as size and time are the same, nobody reads it again."""

    size: int
    mtime_ns: int
    digest: str = ""  # SHA-256 of the file; empty where it was not read

    @classmethod
    def of(cls, path: Path) -> Stamp:
        """Without reading it. Raises OSError."""
        found = path.stat()
        return cls(found.st_size, found.st_mtime_ns)


def read(path: Path, list_format: ListFormat) -> tuple[list[bytes], Stamp]:
    """The lines of the list, and the state they were read in. Raises OSError."""
    with path.open("rb") as file:
        found = os.fstat(file.fileno())
        content = file.read()
    stamp = Stamp(len(content), found.st_mtime_ns, hashlib.sha256(content).hexdigest())
    return lines_of(content, list_format), stamp


def lines_of(content: bytes, list_format: ListFormat) -> list[bytes]:
    """The lines of a list, in base64 or not; an end without a line feed is no line more."""
    for mark in _MARKS:
        content = content.removeprefix(mark)
    if list_format == "autoproxy":
        content = _decoded(content)
    lines = content.split(b"\n")
    return lines if lines[-1] else lines[:-1]


def line_text(path: Path, list_format: ListFormat, line: int) -> str | None:
    """The text of a line as `Match.line` counts them; None if the file is not there or not as long any more."""
    try:
        lines, _ = read(path, list_format)
    except OSError:
        return None
    return lines[line - 1].decode("utf-8", "replace").strip() if 0 < line <= len(lines) else None


def _decoded(content: bytes) -> bytes:
    """What a list in base64 stands for; as it is where it is none, or would be no text."""
    if not _BASE64.fullmatch(content):
        return content
    try:
        decoded = base64.b64decode(b"".join(content.split()), validate=True)
        decoded.decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return content
    return content if _CONTROL.search(decoded) else decoded
