"""What the tests of whole programs share beyond the servers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.certificates import NAME_IN_ZONE, Authority
from tests.servers.lists import ListServer, at_home
from tests.servers.scripted import ScriptedServer


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """No login's runtime directory: sockets lie below the state directory of the test."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)


@pytest.fixture
def list_server(authority: Authority, upstream: ScriptedServer) -> Iterator[ListServer]:
    """A server of one list, whose host the upstream knows."""
    server = ListServer(authority)
    upstream.behave(at_home, name=f"{NAME_IN_ZONE}.")
    yield server
    server.close()
