"""Domains, networks, views and the router: pure look-ups."""

import ipaddress

import pytest

from smartdoh import config
from smartdoh.model import Query
from smartdoh.rules import networks as networks_module
from smartdoh.rules.domains import Domains
from smartdoh.rules.networks import Networks
from smartdoh.rules.router import Router
from smartdoh.rules.views import Views
from smartdoh.wire.names import from_text
from tests.scenario.messages import query

GROUPS = "".join(
    f'[groups.{name}]\nupstreams = ["https://192.0.2.1/dns-query"]\n' for name in ("main", "other")
)


def nets(*texts: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(text) for text in texts]


def routing(rules: str) -> config.RoutingSettings:
    return config.parse(f'[routing]\ndefault = "main"\nrules = [{rules}]\n' + GROUPS).routing


@pytest.mark.parametrize(
    ("name", "is_in"),
    [
        ("example.com", True),
        ("www.example.com", True),
        ("a.b.c.example.com", True),
        ("notexample.com", False),
        ("com", False),
        (".", False),
        ("example.com.org", False),
        ("xn--mnchen-3ya.example", True),
        ("www.xn--mnchen-3ya.example", True),
    ],
)
def test_a_domain_stands_for_itself_and_all_below(name: str, is_in: bool) -> None:
    assert (from_text(name) in Domains(["Example.COM.", "münchen.example"])) is is_in


def test_a_label_that_holds_a_domain_s_octets_is_not_below_it() -> None:
    assert b"\x0da\x07example\x03com\0" not in Domains(["example.com"])


def test_the_root_stands_for_everything_and_nothing_for_nothing() -> None:
    assert from_text("x.example") in Domains(["."])
    assert from_text("x.example") not in Domains([])
    assert not Domains([])
    assert Domains(["."])
    assert "example.com" not in Domains(["."])


@pytest.mark.parametrize(
    ("host", "is_in"),
    [
        ("10.0.0.1", True),
        ("10.255.255.255", True),
        ("11.0.0.0", False),
        ("fe80::1%eth0", True),
        ("fe80::1", True),
        ("::ffff:10.1.2.3", True),
        ("::ffff:11.1.2.3", False),
        ("::1", False),
        ("", False),
        ("nonsense", False),
        ("/run/socket", False),
    ],
)
def test_an_address_is_in_a_network(host: str, is_in: bool) -> None:
    found = Networks(nets("10.0.0.0/8", "fe80::/10"))
    assert [host in found for _ in range(2)] == [is_in, is_in]


def test_what_is_remembered_of_addresses_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks_module, "MOST_REMEMBERED", 10)
    found = Networks(nets("10.0.0.0/8"))
    for number in range(100):
        assert f"10.0.0.{number}" in found
        assert f"11.0.0.{number}" not in found
    assert len(found._verdicts) <= 10


def test_clients_that_no_rule_tells_apart_share_a_view() -> None:
    views = Views(nets("0.0.0.0/0", "::/0"), routing('{ domains = ["a.example"], group = "other" }').rules)
    assert views.view_of("10.0.0.1") == views.view_of("192.0.2.1") == views.view_of("2001:db8::1") == 0


def test_clients_that_a_rule_tells_apart_do_not() -> None:
    rules = (
        '{ clients = ["10.1.0.0/16"], group = "other" },'
        '{ clients = ["10.1.2.0/24", "10.2.0.0/16"], action = "block" }'
    )
    views = Views(nets("10.0.0.0/8"), routing(rules).rules)
    hosts = ("10.9.9.9", "10.1.0.1", "10.1.2.1", "10.2.0.1")
    assert len({views.view_of(host) for host in hosts}) == 4
    assert views.view_of("10.8.8.8") == views.view_of("10.9.9.9") == 0
    assert views.view_of("10.1.3.1") == views.view_of("10.1.0.1")


def test_who_may_not_ask_has_no_view() -> None:
    views = Views(nets("10.0.0.0/8"), routing('{ clients = ["192.0.2.0/24"], group = "other" }').rules)
    assert views.view_of("192.0.2.1") is None
    assert views.view_of("::1") is None
    assert views.view_of("10.0.0.1") == 0


def test_an_ipv4_client_on_an_ipv6_socket_is_the_same_client() -> None:
    views = Views(nets("10.0.0.0/8"), routing('{ clients = ["10.1.0.0/16"], group = "other" }').rules)
    assert views.view_of("::ffff:10.1.0.1") == views.view_of("10.1.0.1") == 1
    assert views.view_of("::ffff:192.0.2.1") is None


def from_host(asked: Query, host: str) -> Query:
    return asked._replace(host=host)


def test_the_first_rule_that_matches_decides() -> None:
    settings = routing(
        '{ domains = ["ads.example"], types = ["AAAA"], action = "block" },'
        '{ domains = ["example"], clients = ["10.0.0.0/8"], group = "other" },'
        '{ types = ["TYPE65280"], group = "other" }'
    )
    router = Router(settings.rules, settings.default)
    blocked = router.route(query("x.ads.example.", "AAAA"))
    assert (blocked.is_blocked, blocked.is_explicit, blocked.why) == (True, True, "routing.rules[0]")
    by_client = router.route(from_host(query("x.ads.example."), "10.1.1.1"))
    assert (by_client.group, by_client.is_blocked, by_client.why) == ("other", False, "routing.rules[1]")
    by_type = router.route(query("x.example.", "TYPE65280"))
    assert (by_type.group, by_type.is_explicit, by_type.why) == ("other", False, "routing.rules[2]")
    default = router.route(query("x.example."))
    assert (default.group, default.is_blocked, default.is_explicit, default.why) == (
        "main",
        False,
        False,
        "routing.default",
    )


def test_a_block_without_domains_is_not_explicit() -> None:
    settings = routing('{ types = ["HTTPS"], action = "block" }')
    route = Router(settings.rules, settings.default).route(query(rdtype="HTTPS"))
    assert (route.is_blocked, route.is_explicit) == (True, False)
