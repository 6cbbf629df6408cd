"""What networks do: packets that vanish, connections that are forgotten, links and addresses that come and go."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.fault import Fault, New
from tests.faults.stage import Stage
from tests.servers.certificates import HOST_NAME
from tests.servers.internet import PUBLIC4, PUBLIC6, Site
from tests.servers.namespaces import ip
from tests.servers.plain import plain_server
from tests.servers.zone import Answers

HERE4, HERE6, ANY4 = "10.77.0.1", "fd77::1", "0.0.0.0"  # where those behind the public addresses are
SITE4, OTHER4, SITE6 = "45.10.0.5", "45.10.0.6", "2a00:77::5"
DELAY = 0.02  # seconds, there and back again
HEARD = 0.1  # seconds in which word of a closed connection has arrived
GONE = Site(is_gone=True)


def public(stage: Stage, *addresses: str, on_disk: bool = False) -> None:
    """An upstream behind each of these public addresses, and a proxy that knows them."""
    certificate = stage.authority.issue("public", SITE4, OTHER4, SITE6)
    urls = []
    for address in addresses:
        stage.internet.sites[address] = Site(delay=DELAY)
        host = HERE6 if ":" in address else ANY4
        server = stage.add_upstream(certificate, host=host)
        urls.append(server.url_at(f"[{address}]" if ":" in address else address))
    stage.serve(*urls, sections={"cache": {"dir": stage.cache}} if on_disk else None)


def one(stage: Stage) -> None:
    """One upstream at a distance."""
    public(stage, SITE4)


def one_on_disk(stage: Stage) -> None:
    """One upstream at a distance, and a cache on disk."""
    public(stage, SITE4, on_disk=True)


def two(stage: Stage) -> None:
    """Two upstreams at a distance."""
    public(stage, SITE4, OTHER4)


@contextmanager
def vanishes(stage: Stage) -> Iterator[None]:
    """Packets to and from the first upstream are lost without a word, those of open connections too."""
    stage.internet.sites[SITE4] = GONE
    yield
    stage.internet.sites[SITE4] = Site(delay=DELAY)


@contextmanager
def syns_vanish(stage: Stage) -> Iterator[None]:
    """The same, and there is no connection."""
    stage.upstream.drop_all()
    time.sleep(HEARD)
    with vanishes(stage):
        yield


@contextmanager
def forgotten(stage: Stage) -> Iterator[None]:
    """A NAT forgets all connections; new ones work."""
    stage.internet.forget_connections()
    yield


@contextmanager
def link_down(_: Stage) -> Iterator[None]:
    """The link is down, its routes and IPv6 addresses with it; then it comes back as a DHCP client brings it."""
    ip("link", "set", "public", "down")
    yield
    ip("link", "set", "public", "up")
    ip("address", "replace", f"{HERE6}/128", "dev", "public", "nodad")
    ip("route", "replace", PUBLIC4, "dev", "public", "src", HERE4)
    ip("route", "replace", PUBLIC6, "dev", "public", "src", HERE6)


@contextmanager
def down_at_boot(stage: Stage) -> Iterator[None]:
    """The machine starts without a network."""
    with link_down(stage):
        stage.restart()
        yield


@contextmanager
def route_away(_: Stage) -> Iterator[None]:
    """The route is gone and the link stays."""
    ip("route", "del", PUBLIC4)
    yield
    ip("route", "replace", PUBLIC4, "dev", "public", "src", HERE4)


@contextmanager
def address_changes(stage: Stage) -> Iterator[None]:
    """What is sent now comes from another address, and what the old one had open is forgotten on the way."""
    ip("address", "add", "10.77.0.2/32", "dev", "public")
    ip("route", "replace", PUBLIC4, "dev", "public", "src", "10.77.0.2")
    stage.internet.forget_connections()
    yield


def by_name(stage: Stage) -> None:
    """One upstream with an IPv4 and an IPv6 address, which its name has."""
    zone = f"@ 300 IN SOA ns host 1 2 3 4 5\n@ 300 IN A {SITE4}\n@ 300 IN AAAA {SITE6}\n"
    known = stage.open.enter_context(plain_server(Answers(zone, origin=f"{HOST_NAME}.")))
    stage.internet.sites |= {SITE4: Site(delay=DELAY), SITE6: Site(delay=DELAY)}
    server = stage.add_upstream(host=HERE4)
    stage.add_upstream(host=HERE6, port=server.port)
    stage.serve(server.url_at(HOST_NAME), sections={"bootstrap": {"servers": [known.address]}})


@contextmanager
def ipv6_vanishes(stage: Stage) -> Iterator[None]:
    """IPv6 packets are lost without a word, and there is no connection."""
    for server in stage.upstreams:
        server.drop_all()
    time.sleep(HEARD)
    stage.internet.sites[SITE6] = GONE
    yield
    stage.internet.sites[SITE6] = Site(delay=DELAY)


FAULTS = (
    Fault(
        name="IPv6 broken",
        world=by_name,
        during=ipv6_vanishes,
        new=New.DATA,
        new_within=1.0,
        needs_internet=True,
    ),
    Fault(name="SYNs vanish", world=one, during=syns_vanish, new_within=5.5, needs_internet=True),
    Fault(
        name="SYNs vanish, another upstream",
        world=two,
        during=syns_vanish,
        new=New.DATA,
        new_within=2.5,
        needs_internet=True,
    ),
    Fault(
        name="connection dies silently",
        world=one,
        during=vanishes,
        new_within=5.5,
        seconds=8.0,
        needs_internet=True,
    ),
    Fault(
        name="connection dies silently, another upstream",
        world=two,
        during=vanishes,
        new=New.DATA,
        new_within=3.0,
        seconds=8.0,
        needs_internet=True,
    ),
    Fault(
        name="NAT forgets the connection",
        world=one,
        during=forgotten,
        new=New.DATA,
        new_within=4.0,
        needs_internet=True,
    ),
    Fault(
        name="address changes",
        world=one,
        during=address_changes,
        new=New.DATA,
        new_within=4.0,
        needs_internet=True,
    ),
    Fault(name="network down", world=one, during=link_down, seconds=8.0, needs_internet=True),
    Fault(name="route away", world=one, during=route_away, seconds=8.0, needs_internet=True),
    Fault(
        name="network down at boot", world=one_on_disk, during=down_at_boot, seconds=8.0, needs_internet=True
    ),
)
