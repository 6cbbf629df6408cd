"""When the watch says that the network is another: in virtual time, with ways and clocks that the test sets."""

from __future__ import annotations

import asyncio
import ipaddress
import os

import pytest

from smartdoh.app.network import netlink
from smartdoh.app.network.clocks import Clocks
from smartdoh.app.network.netlink import Way
from smartdoh.app.network.watch import PATIENCE, QUIET, SETTLE, NetworkWatch
from smartdoh.app.network.ways import best_way_to, by_source, have_changed, ways
from tests import virtual_time
from tests.servers.namespaces import Namespace, ip

ONE, TWO = "192.0.2.1", "192.0.2.2"
HERE, THERE = Way(b"\x0a\0\0\1", b"", 2), Way(b"\x0a\0\0\2", b"", 3)


class Story:
    """A watch, and what it said."""

    def __init__(self) -> None:
        self.addresses = {ONE, TWO}
        self.ways: dict[str, Way | None] = {ONE: HERE, TWO: HERE}
        self.clocks = Clocks(0.0, 0.0, 0.0)
        self.renewed: list[bool] = []
        self.looks = 0
        self.watch = NetworkWatch(
            lambda: self.addresses, self.renewed.append, way_to=self.way_to, clocks=lambda: self.clocks
        )
        self.watch.look_again()

    def way_to(self, address: str) -> Way | None:
        self.looks += 1
        return self.ways[address]


def test_news_that_change_no_way_are_none() -> None:
    async def play() -> None:
        story = Story()
        story.watch.news()
        await asyncio.sleep(2 * QUIET)
        assert story.looks == 4
        assert not story.renewed

    virtual_time.run(play())


@pytest.mark.parametrize(
    "way", [THERE, None, HERE._replace(gateway=b"\x0a\0\0\xfe"), HERE._replace(has_carrier=False)]
)
def test_one_way_that_is_another_renews_all_once(way: Way | None) -> None:
    async def play() -> None:
        story = Story()
        story.ways[TWO] = way
        for _ in range(3):
            story.watch.news()
            await asyncio.sleep(QUIET / 2)
        assert not story.renewed
        await asyncio.sleep(QUIET)
        assert story.renewed == [True]

    virtual_time.run(play())


def test_news_without_an_end_do_not_put_it_off_for_ever() -> None:
    async def play() -> None:
        story = Story()
        story.ways[ONE] = THERE
        for _ in range(1 + int(PATIENCE / QUIET * 2)):
            story.watch.news()
            await asyncio.sleep(QUIET / 2)
        assert story.renewed == [True]

    virtual_time.run(play())


def test_addresses_that_come_and_go_are_no_change() -> None:
    """Bootstrap found another one: that it is reached at all is nothing new."""
    assert not have_changed({ONE: HERE}, {ONE: HERE, TWO: THERE})
    assert not have_changed({ONE: HERE, TWO: THERE}, {ONE: HERE})
    assert have_changed({ONE: HERE, TWO: None}, {ONE: HERE, TWO: THERE})


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (Clocks(1.0, 1.0, 1.0), []),
        (Clocks(11.0, 11.0, 11.0), [True]),
        (Clocks(100.0, 1.0, 100.0), [True]),
        (Clocks(3601.0, 1.0, 1.0), [False]),
    ],
)
def test_clocks_that_jump(after: Clocks, said: list[bool]) -> None:
    """Connections survive another date; what fell due in a pause has its turn before all is renewed."""

    async def play() -> None:
        story = Story()
        before, story.clocks = story.clocks, after
        assert story.watch.tick(before) == after
        assert not story.renewed
        await asyncio.sleep(2 * SETTLE)
        assert story.renewed == said

    virtual_time.run(play())


@pytest.fixture(scope="module")
def island() -> Namespace:
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    return Namespace()


def test_the_kernels_ways(island: Namespace) -> None:
    """As ip(8) sets them: none, then with source, gateway and link; a cable that is out shows."""
    with island as place:
        assert place.run(lambda: netlink.way_to(ONE)) is None
        place.run(lambda: ip("link", "add", "near", "type", "veth", "peer", "name", "far"))
        place.run(lambda: ip("address", "add", "10.0.0.2/24", "dev", "near"))
        place.run(lambda: ip("link", "set", "far", "up"))
        place.run(lambda: ip("link", "set", "near", "up"))
        place.run(lambda: ip("route", "add", "default", "via", "10.0.0.1"))
        found = place.run(lambda: netlink.way_to(ONE))
        assert found is not None
        packed = [ipaddress.ip_address(text).packed for text in ("10.0.0.2", "10.0.0.1")]
        assert [found.source, found.gateway] == packed
        assert found.has_carrier
        place.run(lambda: ip("link", "set", "far", "down"))
        assert place.run(lambda: netlink.way_to(ONE)) == found._replace(has_carrier=False)
        assert place.run(lambda: by_source(ONE)) == Way(packed[0])


def test_what_cannot_be_asked_has_no_way() -> None:
    assert ways(["nonsense", ""], best_way_to()) == {"nonsense": None, "": None}


def test_loopback_has_a_way_on_every_system() -> None:
    for way_to in (best_way_to(), by_source):
        found = way_to("127.0.0.1")
        assert found is not None
        assert found.source == b"\x7f\0\0\1"
