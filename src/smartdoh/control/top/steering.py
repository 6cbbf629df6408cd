"""What a key does to the running proxy: the request, and what to say of it. Blocking calls, made in a thread."""

from __future__ import annotations

from io import StringIO
from typing import Any
from urllib.parse import quote, urlencode

from rich.console import Console

from smartdoh.control import explain
from smartdoh.control.client import Proxy
from smartdoh.control.top import words
from smartdoh.control.top.rows import Row

REST = 600  # seconds
WIDTH = 104  # characters of an explanation


def why(proxy: Proxy, row: Row) -> str:
    """Why the name gets its answer. Raises RefusedError or NotRunningError, as all of these do."""
    wanted = {"name": row.name, "type": row.qtype or "A", "client": row.client or "127.0.0.1"}
    found: Any = proxy.get(f"/explain?{urlencode(wanted)}")
    written = StringIO()
    explain.show(found, Console(file=written, width=WIDTH, highlight=False, color_system=None))
    return "\n".join(words.plain(line) for line in written.getvalue().splitlines())


def override(proxy: Proxy, name: str, value: str) -> str:
    """Block or allow a name and all below it."""
    key = name.removesuffix(".")
    proxy.put(f"/overrides/{quote(key, safe='')}", {"value": value})
    return f"{words.plain(key)}: {value}"


def forget(proxy: Proxy, name: str) -> str:
    """Forget what is kept of a name."""
    done: Any = proxy.delete(f"/cache/{quote(name, safe='')}")
    removed = done["removed"]
    return f"{removed} answer{'' if removed == 1 else 's'} of {words.name(name)} forgotten"


def rest(proxy: Proxy, group: str, upstream: str) -> str:
    """Ask an upstream nothing for a while."""
    proxy.post(f"{_at(group, 'rest')}?{urlencode({'upstream': upstream, 'seconds': REST})}")
    return f"{words.plain(upstream)} rests for {REST // 60} minutes"


def wake(proxy: Proxy, group: str, upstream: str) -> str:
    """Ask an upstream again."""
    proxy.post(f"{_at(group, 'wake')}?{urlencode({'upstream': upstream})}")
    return f"{words.plain(upstream)} is asked again"


def _at(group: str, what: str) -> str:
    return f"/groups/{quote(group, safe='')}/{what}"
