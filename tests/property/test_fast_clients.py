"""Whoever asks gets the view that the policy says, in both builds, also from sockets that speak both families."""

import socket
from ipaddress import IPv4Network, IPv6Network, ip_network

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smartdoh.rules.networks import Networks
from smartdoh.rules.views import Views
from tests.builds import BUILDS, fast_path
from tests.scenario.messages import question
from tests.scenario.world import Clock

HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.130", "127.1.2.3", "127.255.0.9")
NETWORKS = (
    *("127.0.0.0/8", "127.0.0.1/32", "127.0.0.2/31", "127.0.0.128/25", "127.1.0.0/16", "0.0.0.0/0"),
    *("10.0.0.0/8", "::/0", "::1/128", "::ffff:0:0/96", "2001:db8::/32"),
)
SOME = st.lists(st.sampled_from(NETWORKS).map(ip_network), max_size=4).map(tuple)


def told_apart(
    allow: tuple[IPv4Network | IPv6Network, ...], sets: list[tuple[IPv4Network | IPv6Network, ...]]
) -> Views:
    views = Views(allow, ())
    views.tell_apart(tuple(group) for group in sets)
    return views


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(allow=SOME, sets=st.lists(SOME, max_size=3, unique=True))
def test_the_view_is_the_policy_s(
    build: str,
    family: socket.AddressFamily,
    allow: tuple[IPv4Network | IPv6Network, ...],
    sets: list[tuple[IPv4Network | IPv6Network, ...]],
) -> None:
    views, oracle = told_apart(allow, sets), told_apart(allow, sets)
    fast = fast_path(build)(entries=10, view_of=views.view_of, clock=Clock(), sets=views.sets)
    with socket.socket(family, socket.SOCK_DGRAM) as server:
        if family == socket.AF_INET6:
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        server.bind(("::" if family == socket.AF_INET6 else "127.0.0.1", 0))
        server.setblocking(False)
        port = server.getsockname()[1]
        for _ in range(2):  # the second time they are known
            for host in HOSTS:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                    client.bind((host, 0))
                    client.sendto(question(), ("127.0.0.1", port))
                    misses = fast.drain(server)
                wanted = oracle.view_of(host)
                assert [query.view for query, _ in misses] == ([] if wanted is None else [wanted])


@pytest.mark.parametrize("build", BUILDS)
def test_another_generation_is_asked_anew(build: str) -> None:
    views = [0]
    everybody = (Networks([ip_network("127.0.0.0/8")]),)
    fast = fast_path(build)(entries=10, view_of=lambda host: views[0], clock=Clock(), sets=lambda: everybody)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        server.bind(("127.0.0.1", 0))
        server.setblocking(False)
        for view in (0, 7):
            views[0] = view
            fast.next_generation()
            client.sendto(question(), server.getsockname())
            ((query, _),) = fast.drain(server)
            assert query.view == view
