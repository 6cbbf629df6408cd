"""Rules with lists: order, conditions, exceptions, lists that are missing, and what a route tells of its list."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from smartdoh.config.settings import Rule
from smartdoh.model import Rewrite
from smartdoh.rules.lists import NameSet
from smartdoh.rules.router import Router
from smartdoh.wire.codes import AAAA, NOERROR, A
from tests.lists import name_set, question


def rule(
    list_name: str | None = None,
    group: str | None = None,
    *,
    names: tuple[str, ...] = (),
    types: tuple[str, ...] = (),
    clients: tuple[str, ...] = (),
) -> Rule:
    """A rule for a group, or without one a rule that blocks."""
    networks = tuple(ip_network(client) for client in clients)
    return Rule(
        names=names,
        list=list_name,
        types=types,
        clients=networks,
        group=group,
        action=None if group else "block",
    )


@pytest.fixture(scope="module")
def lists() -> dict[str, NameSet | None]:
    """`gone` has never been loaded."""
    return {
        "ads": name_set(
            "||ads.example^\n@@||good.ads.example^\n||nas.example^$dnsrewrite=192.0.2.7\n", "adblock"
        ),
        "walled": name_set("||example\n@@||open.example\n", "autoproxy"),
        "gone": None,
    }


def router(lists: dict[str, NameSet | None], *rules: Rule, closed: tuple[str, ...] = ()) -> Router:
    return Router(rules, "direct", lists, closed)


def test_the_first_rule_that_matches_decides(lists: dict[str, NameSet | None]) -> None:
    both = rule("ads"), rule("walled", "proxy")
    assert router(lists, *both).route(question("x.ads.example")).is_blocked
    route = router(lists, *reversed(both)).route(question("x.ads.example"))
    assert (route.group, route.is_blocked) == ("proxy", False)


def test_an_exception_sends_the_name_on_to_the_next_rule(lists: dict[str, NameSet | None]) -> None:
    found = router(lists, rule("ads"), rule("walled", "proxy"))
    route = found.route(question("good.ads.example"))
    assert (route.group, route.is_blocked, route.list_name) == ("proxy", False, "walled")
    assert [
        (passed.rule, passed.list_name, passed.line)
        for passed in found.exceptions(question("good.ads.example"))
    ] == [("routing.rules[0]", "ads", 2)]
    assert list(found.exceptions(question("x.ads.example"))) == []


def test_past_all_rules_the_default_decides(lists: dict[str, NameSet | None]) -> None:
    found = router(lists, rule("ads"), rule("walled", "proxy"))
    assert found.route(question("a.open.example")).why == "routing.default"
    assert found.route(question("example.com")).why == "routing.default"


def test_a_route_tells_list_file_and_line(lists: dict[str, NameSet | None]) -> None:
    route = router(lists, rule("walled", "proxy")).route(question("a.example"))
    names = lists["walled"]
    assert names is not None
    assert (route.list_name, route.file, route.line) == ("walled", str(names.file), 1)
    assert route.why == "routing.rules[0]: walled line 1"
    assert not route.is_explicit


def test_all_that_a_rule_says_has_to_be_true(lists: dict[str, NameSet | None]) -> None:
    narrow = rule(
        "walled", "proxy", names=("ads.example",), types=("AAAA",), clients=("192.0.2.0/24", "2001:db8::/32")
    )
    found = router(lists, narrow)
    assert found.route(question("x.ads.example", AAAA, "192.0.2.9")).group == "proxy"
    assert found.route(question("x.ads.example", AAAA, "192.0.2.9")).is_explicit
    for other in (
        question("x.example", AAAA, "192.0.2.9"),
        question("x.ads.example", A, "192.0.2.9"),
        question("x.ads.example", AAAA, "198.51.100.9"),
    ):
        assert found.route(other).group == "direct"


def test_a_missing_list_is_as_if_its_rule_were_not_there(lists: dict[str, NameSet | None]) -> None:
    for missing in ("gone", "unknown"):
        found = router(lists, rule(missing), rule("walled", "proxy"))
        route = found.route(question("a.example"))
        assert (route.group, route.is_refused) == ("proxy", False)


def test_a_missing_list_that_fails_closed_refuses_what_would_be_looked_up(
    lists: dict[str, NameSet | None],
) -> None:
    found = router(lists, rule("gone", "proxy", types=("A",)), closed=("gone",))
    route = found.route(question("a.example"))
    assert route.is_refused
    assert route.why == "routing.rules[0]: list gone is missing"
    assert not found.route(question("a.example", AAAA)).is_refused


def test_a_loaded_list_that_would_fail_closed_refuses_nothing(lists: dict[str, NameSet | None]) -> None:
    found = router(lists, rule("walled", "proxy"), closed=("walled",))
    assert not found.route(question("example.com")).is_refused


def test_rules_that_block_can_be_passed_over(lists: dict[str, NameSet | None]) -> None:
    found = router(lists, rule("gone"), rule("ads"), rule("walled", "proxy"), closed=("gone",))
    assert found.route(question("x.ads.example")).is_refused
    assert found.route(question("x.ads.example"), may_block=False).group == "proxy"


def test_a_rewrite_is_for_rules_that_block(lists: dict[str, NameSet | None]) -> None:
    """A list that only chooses a group must not be able to answer in the group's place."""
    blocked = router(lists, rule("ads")).route(question("nas.example"))
    assert blocked.rewrite == Rewrite(NOERROR, ((A, bytes((192, 0, 2, 7))),))
    routed = router(lists, rule("ads", "proxy")).route(question("nas.example"))
    assert (routed.group, routed.rewrite) == ("proxy", None)


@pytest.mark.parametrize("count", [1, 31, 33, 500])
def test_few_names_and_many_in_a_rule(count: int) -> None:
    names = tuple(f"n{number}.example" for number in range(count))
    found = Router([rule(None, "proxy", names=names)], "direct")
    assert found.route(question("n0.example")).group == "proxy"
    assert found.route(question(f"x.n{count - 1}.example")).group == "proxy"
    assert found.route(question(f"n{count}.example")).group == "direct"
    assert found.route(question("evil-n0.example")).group == "direct"
    assert found.route(question(".")).group == "direct"
