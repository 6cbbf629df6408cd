"""What is told of lists: lines, age and trouble, from what is in force and from their files."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from smartdoh.app.lists.fetch import Validators
from smartdoh.app.lists.state import ListState
from smartdoh.app.lists.store import ListFiles
from smartdoh.config import parse
from smartdoh.control.metrics.states import ListOf, list_of

URL = "https://192.0.2.1/ads.txt"


@pytest.fixture
def state(tmp_path: Path) -> ListState:
    file = tmp_path / "ads.txt"
    text = f"""
        [groups.main]
        upstreams = ["https://192.0.2.1/dns-query"]
        [lists.ads]
        url = "{URL}"
        file = "{file}"
        format = "domains"
    """
    settings = parse(text).lists["ads"]
    return ListState(settings, ListFiles(settings))


def test_one_that_was_never_fetched(state: ListState) -> None:
    assert list_of(state, time.time()) == ListOf(None, None, is_failing=False, is_set_aside=False)


def test_its_age_counts_from_when_its_server_was_last_asked(state: ListState) -> None:
    state.files.file.write_text("ads.example\n")
    state.files.remember(URL, Validators())
    state.problem = "HTTP 500"
    found = list_of(state, time.time() + 86_400)
    assert found.is_failing
    assert found.age == pytest.approx(86_400, abs=60)


def test_one_that_was_set_aside(state: ListState) -> None:
    state.files.file.write_text("ads.example\n")
    state.files.new.write_text("<html>")
    state.files.set_aside(["it is a page"])
    assert list_of(state, time.time()).is_set_aside
