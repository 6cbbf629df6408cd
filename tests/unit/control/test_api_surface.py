"""What a web page could try with the control API, were it ever to reach its Unix socket."""

from __future__ import annotations

import json

import pytest

from tests.fuzz.fuzz_control import ask

PAGE = [(b"host", b"attacker.example"), (b"origin", b"https://attacker.example")]
ANSWERED = [
    "/status",
    "/statistics",
    "/upstreams",
    "/lists",
    "/cache",
    "/cache/export",
    "/explain?name=a.example",
]


@pytest.mark.parametrize("path", ["/reload", "/lists/ads"])
def test_nothing_changes_by_looking(path: str) -> None:
    """Not by GET, which a page can have a browser send anywhere, and not by HEAD or OPTIONS."""
    for method in ("GET", "HEAD", "OPTIONS", "PUT"):
        assert ask(method, path.encode(), [])[0] == 405


@pytest.mark.parametrize("path", ANSWERED)
def test_no_page_of_another_origin_may_read_it(path: str) -> None:
    status, headers, said = ask("GET", path.encode(), PAGE)
    assert status == 200
    assert not [name for name in headers if name.startswith(b"access-control-")]
    assert headers[b"content-type"] in (b"application/json", b"application/jsonl")
    assert b"attacker" not in said


@pytest.mark.parametrize("name", ["<script>x</script>.example", "a\\010b.example", "%00.example"])
def test_names_are_data(name: str) -> None:
    """In JSON, with what could end a line or begin a tag in a string; or refused with words."""
    _, headers, said = ask("GET", b"/explain?name=" + name.encode(), [])
    assert headers[b"content-type"] == b"application/json"
    assert b"\n" not in said
    json.loads(said)


def test_large_headers_and_bodies_are_refused_unread() -> None:
    assert ask("GET", b"/status", [(b"x", b"v" * 20_000)])[0] == 431
    assert ask("POST", b"/reload", [(b"content-length", b"70000")])[0] == 413
    assert ask("POST", b"/reload", [(b"content-length", b"many")])[0] == 413
