"""Any request to the control API: an answer in JSON that says what is wrong, never an error of ours.

The input is lines: the method, the path with its query, headers; behind an empty line the body.
"""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import unquote_to_bytes

from smartdoh import config
from smartdoh.app.build import build
from smartdoh.app.questions.hub import Hub
from smartdoh.app.questions.watching import Watching
from smartdoh.control.api.application import application
from smartdoh.control.api.limits import LARGEST_BODY
from smartdoh.tasks import Tasks
from tests.fuzz.harnesses import run_file

CONFIG = """
[groups.main]
upstreams = ["https://127.0.0.1:1/dns-query"]
[cache]
dir = "none"
memory_entries = 100
[routing]
overrides = "/nonexistent/overrides.json"
rules = [{ list = "ads", action = "block" }]
[lists.ads]
file = "/nonexistent/ads.txt"
"""
METHODS = ("GET", "POST", "DELETE", "HEAD", "PUT", "OPTIONS")
EXPECTED = (200, 307, 400, 404, 405, 409, 413, 431)


def check(data: bytes) -> None:
    """What holds for any request."""
    head, _, body = data.partition(b"\n\n")
    first, *rest = head.split(b"\n")
    method, _, target = first.partition(b" ")
    headers = [
        (name.strip().lower(), value.strip()) for name, _, value in (line.partition(b":") for line in rest)
    ]
    status, about, said = ask(method.decode("latin-1").upper(), target, headers, body)
    assert status in EXPECTED, f"HTTP {status}: {said!r}"
    length = dict(headers).get(b"content-length", b"")
    assert not (length.isdigit() and int(length[:20]) > LARGEST_BODY and status == 200)
    if status >= 400 and said and status != 405:
        assert set(json.loads(said)) == {"error"}
    elif status == 200:
        is_events = about[b"content-type"].startswith(b"text/event-stream")
        for line in said.splitlines():
            if not is_events:
                json.loads(line)
            elif line.startswith(b"data: "):
                json.loads(line.removeprefix(b"data: "))


def ask(
    method: str, target: bytes, headers: list[tuple[bytes, bytes]], body: bytes = b""
) -> tuple[int, dict[bytes, bytes], bytes]:
    """The status, headers and body that a request gets from the API of a proxy that has no lists and no disk."""
    return _LOOP.run_until_complete(_request(_scope(method, target, headers), body))


def _scope(method: str, target: bytes, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    """As a server of ASGI would make it."""
    path, _, query = target.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method if method in METHODS else "GET",
        "scheme": "http",
        "path": unquote_to_bytes(path).decode("utf-8", "replace"),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": headers,
        "server": None,
        "client": None,
    }


async def _request(scope: dict[str, Any], body: bytes) -> tuple[int, dict[bytes, bytes], bytes]:
    sent: list[Any] = []
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await _API(scope, receive, send)
    said = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], dict(sent[0].get("headers", ())), said


async def _api() -> Any:
    bugs: list[BaseException] = []
    tasks = Tasks(lambda name, error: bugs.append(error))
    runtime = build(config.parse(CONFIG), tasks)
    hub = Hub()

    async def reload() -> None:
        """The config is text: there is no file to read again."""

    server = SimpleNamespace(
        runtime=runtime,
        listening=[],
        started=0.0,
        reload=reload,
        hub=hub,
        live=Watching(hub, dict, tasks),
    )
    return application(cast("Any", server))


_LOOP = asyncio.new_event_loop()
_API = _LOOP.run_until_complete(_api())

if __name__ == "__main__":
    run_file(__file__)
