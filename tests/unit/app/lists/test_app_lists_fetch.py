"""Fetching a list: over https alone, no further than it is sent, no more than is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from smartdoh.app.lists.fetch import MOST_REDIRECTS, Fetched, FetchError, Validators, Way, fetch
from smartdoh.upstream.trust import TrustStore
from tests.servers.certificates import Authority
from tests.servers.lists import ListServer
from tests.servers.ports import free_port

LARGEST = 1 << 20


@pytest.fixture
def server(authority: Authority) -> Iterator[ListServer]:
    """A server of lists with one line."""
    made = ListServer(authority)
    made.put("a.example")
    yield made
    made.close()


async def at_home(host: str) -> tuple[str, ...]:
    return ("127.0.0.1",)


def fetched(server: ListServer, authority: Authority, largest: int = LARGEST) -> Fetched | None:
    """What comes of one fetch."""
    trust = TrustStore(authority.ca_file)
    try:
        return asyncio.run(fetch(server.url, Way(at_home, trust), Validators(), largest))
    finally:
        trust.close()


def test_a_list_comes_whole(server: ListServer, authority: Authority) -> None:
    got = fetched(server, authority)
    assert got is not None
    assert got.content == b"a.example\n"


@pytest.mark.parametrize(
    "location", ["http://127.0.0.1:{}/list.txt", "file:///etc/passwd", "ftp://127.0.0.1:{}/list"]
)
def test_it_goes_nowhere_but_to_https(server: ListServer, authority: Authority, location: str) -> None:
    server.status, server.location = 302, location.format(free_port())
    with pytest.raises(FetchError, match=r"not https|HTTP 302"):
        fetched(server, authority)
    assert len(server.asked) == 1


def test_it_is_not_sent_round_for_ever(server: ListServer, authority: Authority) -> None:
    server.status, server.location = 302, "/again"
    with pytest.raises(FetchError, match="redirects"):
        fetched(server, authority)
    assert len(server.asked) == MOST_REDIRECTS + 1


@pytest.mark.parametrize("announced", [True, False])
def test_no_more_than_is_wanted(server: ListServer, authority: Authority, announced: bool) -> None:
    server.put("x" * 100_000)
    server.announces = announced
    with pytest.raises(FetchError):
        fetched(server, authority, largest=50_000)
