"""The table of endpoints: told of in the docs, answered for all workers, and the source of the OpenAPI document."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from typing import Any, cast

import pytest

from smartdoh.control.api.endpoint import Endpoint
from smartdoh.control.api.table import ENDPOINTS
from smartdoh.control.workers.together import Together
from tests.fuzz.fuzz_control import ask
from tests.meta.tree import ROOT


def by_name(endpoint: Endpoint) -> str:
    return endpoint.name


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=by_name)
def test_the_docs_tell_of_it(endpoint: Endpoint) -> None:
    """As `GET /cache/NAME`."""
    told = re.sub(r"\{(\w+)\}", lambda found: found[1].upper(), endpoint.name)
    assert f"`{told}" in (ROOT / "docs" / "control.md").read_text("utf-8")


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=by_name)
def test_what_varies_in_its_path_is_said(endpoint: Endpoint) -> None:
    names = [param.name for param in endpoint.takes]
    assert len(set(names)) == len(names)
    assert set(re.findall(r"\{(\w+)\}", endpoint.path)) <= set(names)


def test_each_stands_once() -> None:
    names = [endpoint.name for endpoint in ENDPOINTS]
    assert len(set(names)) == len(names)


def test_all_workers_have_an_answer_to_what_the_first_alone_has_none_to() -> None:
    seat = SimpleNamespace(supervisor=1)
    together = Together(cast("Any", None), cast("Any", seat), (), cast("Any", None))
    wanted = {endpoint.name for endpoint in ENDPOINTS if endpoint.workers != "first"}
    assert set(together.handlers()) == wanted


def test_the_document_has_every_endpoint_and_only_shapes_that_it_defines() -> None:
    status, headers, said = ask("GET", b"/openapi.json", [])
    assert (status, headers[b"content-type"]) == (200, b"application/json")
    document = json.loads(said)
    assert document["openapi"].startswith("3.1")
    named = {f"{method.upper()} {path}" for path, of in document["paths"].items() for method in of}
    assert named == {endpoint.name for endpoint in ENDPOINTS}
    shapes = document["components"]["schemas"]
    assert {"Status", "Explanation", "KeptAnswer", "ListOutcome", "Problem"} <= set(shapes)
    assert set(re.findall(r"#/components/schemas/(\w+)", said.decode())) == set(shapes)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("/explain?nmae=a.example", "did you mean 'name'?"),
        ("/explain?name=a.example&name=b.example", "name: is said twice"),
        ("/explain?type=A", "name: is missing"),
        ("/status?x=1", "takes nothing"),
        ("/cache/a.example?below=perhaps", "'perhaps' is neither 1 nor 0"),
        ("/cache/a.example?name=b.example", "name: is said twice"),
        ("/explain?" + "&".join("name" for _ in range(40)), "at most 32 parts"),
    ],
)
def test_a_slip_in_a_parameter_is_told(target: str, words: str) -> None:
    status, _, said = ask("GET", target.encode(), [])
    assert status == 400
    assert words in json.loads(said)["error"]


@pytest.mark.parametrize(
    ("method", "target", "allow"),
    [
        ("PUT", "/cache/export", "GET, HEAD"),
        ("DELETE", "/cache/export", "GET, HEAD"),
        ("GET", "/reload", "POST"),
        ("PUT", "/cache/a.example", "DELETE, GET, HEAD"),
    ],
)
def test_a_path_says_which_methods_it_has(method: str, target: str, allow: str) -> None:
    status, headers, _ = ask(method, target.encode(), [])
    assert (status, headers[b"allow"]) == (405, allow.encode())


def test_head_walks_nothing() -> None:
    status, headers, said = ask("HEAD", b"/cache/export", [])
    assert (status, headers[b"content-type"], said) == (200, b"application/jsonl", b"")


def test_a_name_in_a_path_is_taken_whole() -> None:
    """A line's end in it is a part of it: what is flushed is never another name."""
    status, _, said = ask("GET", b"/cache/a.example%0A", [])
    assert (status, said) == (200, b"")
    assert ask("POST", b"/lists/ads%0A", [])[0] == 404
    assert ask("POST", b"/lists/", [])[0] == 404
