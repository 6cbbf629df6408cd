"""What the build in Python remembers beside its table, and that it is bounded."""

from collections.abc import Iterator

import pytest

from smartdoh.fastpath import _python
from tests.builds import PYTHON, fast_path
from tests.scenario.fast import Rig, rig
from tests.scenario.messages import addresses, question

A = "www.example.com. 300 A 192.0.2.1"


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    monkeypatch.setattr("tests.scenario.fast.FastPath", fast_path(PYTHON))
    with rig() as made:
        yield made


def test_remembered_answers_are_bounded(fast: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """In number for each view, and when that is reached all that was remembered is let go of."""
    monkeypatch.setattr(_python, "REMEMBERED", 10)
    entries = [
        fast.store(question(f"n{n}.example.com."), f"n{n}.example.com. 300 A 192.0.2.1") for n in range(40)
    ]
    for n in range(40):
        fast.ask(question(f"n{n}.example.com."))
    held = [rendered for entry in entries for rendered in entry.rendered or () if rendered.tail]
    assert len(held) <= 10
    for n in range(40):
        assert addresses(fast.ask(question(f"n{n}.example.com."))) == ["192.0.2.1"]


def test_known_clients_are_bounded(fast: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_python, "KNOWN_CLIENTS", 3)
    fast.store(question(), A)
    for _ in range(2):
        for host in range(1, 20):
            answer = fast.fast.ask(question(), f"127.0.0.{host}")
            assert isinstance(answer, bytes)
    assert len(fast.fast._views) <= 3
    assert len(fast.fast._clients) <= 3
