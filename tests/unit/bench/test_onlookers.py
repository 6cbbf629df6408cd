"""Those who look on while something is measured: what nobody saw was not watched."""

import threading
from collections.abc import Iterator

import pytest

from bench import onlookers
from bench.errors import BenchError
from bench.onlookers import Onlooker
from bench.scenarios.watched import OFF, WATCHED
from smartdoh.config import parse

GROUP = '[groups.main]\nupstreams = ["https://192.0.2.1/dns-query"]\n'


def test_it_begins_when_something_was_seen_and_ends_when_told() -> None:
    more = threading.Event()

    def look() -> Iterator[object]:
        yield 1
        more.wait(10)
        while True:
            yield 2

    onlooker = Onlooker(look)
    with onlooker.looking():
        assert onlooker.seen == 1
        more.set()
    assert onlooker.seen > 1


@pytest.mark.parametrize("seen", [0, 1])
def test_who_sees_nothing_is_an_error(seen: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onlookers, "PATIENCE", 0.1)
    with pytest.raises(BenchError), Onlooker(lambda: iter(range(seen))).looking():
        pass


@pytest.mark.parametrize("name", list(WATCHED))
def test_what_is_switched_on_is_a_config(name: str) -> None:
    settings = parse(GROUP + WATCHED[name].config(9153))
    assert (settings.metrics.listen is not None) is WATCHED[name].metrics
    assert settings.query_log.enabled is WATCHED[name].query_log
    assert OFF in WATCHED
