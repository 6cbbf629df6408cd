"""The router decides as the rules do when they are gone through one by one, by text."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, ip_address

from hypothesis import given, settings
from hypothesis import strategies as st

from smartdoh.config.settings import Rule
from smartdoh.rules.router import Router
from smartdoh.wire.codes import AAAA, A
from tests.lists import name_set, question

LABELS = st.sampled_from(("a", "b", "ab", "evila"))
NAMES = st.lists(LABELS, min_size=1, max_size=3).map(".".join)
LISTS = ("one", "two", "missing", "closed")
CLIENTS = ("192.0.2.1", "192.0.2.200", "198.51.100.1")
TYPES = {"A": A, "AAAA": AAAA}


@dataclass(frozen=True)
class Listed:
    """A line of a list in AutoProxy's format."""

    name: str
    is_exception: bool

    def __str__(self) -> str:
        return "@@" * self.is_exception + "||" + self.name


CONTENTS = st.lists(st.builds(Listed, NAMES, st.booleans()), max_size=5)
RULES = st.lists(
    st.builds(
        Rule,
        names=st.lists(NAMES, max_size=2).map(tuple),
        list=st.none() | st.sampled_from(LISTS),
        types=st.lists(st.sampled_from(sorted(TYPES)), max_size=1).map(tuple),
        clients=st.lists(
            st.sampled_from((IPv4Network("192.0.2.0/25"), IPv4Network("192.0.2.0/24"))), max_size=1
        ).map(tuple),
        group=st.sampled_from(("g", "h")),
        action=st.none(),
    ).flatmap(lambda rule: st.sampled_from((rule, _blocking(rule)))),
    max_size=6,
)


def _blocking(rule: Rule) -> Rule:
    return Rule(
        names=rule.names, list=rule.list, types=rule.types, clients=rule.clients, group=None, action="block"
    )


def is_within(name: str, above: str) -> bool:
    return ("." + name).endswith("." + above)


def expected(
    rules: list[Rule], contents: dict[str, list[Listed]], name: str, qtype: int, host: str, may_block: bool
) -> tuple[int | None, bool]:
    """The number of the rule that decides, None for the default, and whether it refuses."""
    for number, rule in enumerate(rules):
        if rule.names and not any(is_within(name, above) for above in rule.names):
            continue
        if rule.types and qtype not in {TYPES[each] for each in rule.types}:
            continue
        if rule.clients and not any(ip_address(host) in network for network in rule.clients):
            continue
        if rule.action == "block" and not may_block:
            continue
        if rule.list == "closed":
            return number, True
        if rule.list is not None:
            about = [line for line in contents.get(rule.list, ()) if is_within(name, line.name)]
            if not about or any(line.is_exception for line in about):
                continue
        return number, False
    return None, False


@settings(deadline=None)
@given(
    rules=RULES,
    one=CONTENTS,
    two=CONTENTS,
    name=NAMES,
    qtype=st.sampled_from((A, AAAA)),
    host=st.sampled_from(CLIENTS),
    may_block=st.booleans(),
)
def test_the_router_is_the_rules_one_by_one(
    rules: list[Rule],
    one: list[Listed],
    two: list[Listed],
    name: str,
    qtype: int,
    host: str,
    may_block: bool,
) -> None:
    contents = {"one": one, "two": two}
    sets = {key: name_set("\n".join(map(str, lines)), "autoproxy") for key, lines in contents.items()}
    router = Router(rules, "default", {**sets, "closed": None}, closed=("closed",))
    route = router.route(question(name, qtype, host), may_block=may_block)
    number, is_refused = expected(rules, contents, name, qtype, host, may_block)
    if number is None:
        assert (route.why, route.group, route.is_blocked) == ("routing.default", "default", False)
        return
    rule = rules[number]
    assert route.why.split(":")[0] == f"routing.rules[{number}]"
    assert (route.is_refused, route.is_blocked) == (is_refused, rule.action == "block")
    assert route.group == (rule.group or "default")
    assert route.is_explicit == bool(rule.names)
    if rule.list in contents and not is_refused:
        line = contents[rule.list][route.line - 1]
        assert is_within(name, line.name)
        assert not line.is_exception
