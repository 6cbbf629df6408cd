"""Lists for tests: text that goes through a file and its compiled form, as every list does."""

from __future__ import annotations

import tempfile
from pathlib import Path

from smartdoh.config.settings import ListFormat
from smartdoh.model import Query
from smartdoh.rules.lists import Match, NameSet, compile_list, open_list
from smartdoh.wire.names import from_text

DATA = Path(__file__).parent / "data" / "lists"


def name_set(text: str | bytes, list_format: ListFormat) -> NameSet:
    """The list that `text` is. Its files are gone by the time it is asked, which it does not need them for."""
    with tempfile.TemporaryDirectory() as folder:
        path, compiled = Path(folder, "list"), Path(folder, "compiled")
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        compile_list(path, list_format, compiled)
        return open_list(path, list_format, compiled)


def lookup(names: NameSet, name: str, qtype: int = 1) -> Match | None:
    """What the list says of a name as people write it."""
    return names.match(from_text(name), qtype)


def is_listed(names: NameSet, name: str, qtype: int = 1) -> bool:
    """Whether the name is on the list, exceptions apart."""
    match = lookup(names, name, qtype)
    return match is not None and not match.is_exception


def question(name: str, qtype: int = 1, host: str = "127.0.0.1") -> Query:
    """A query as the router sees it: the wire is of no interest to it."""
    return Query(b"", 0x0100, from_text(name), qtype, 1, 0, None, 0, host, b"")
