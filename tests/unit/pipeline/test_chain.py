"""A name that leads to a blocked one."""

from datetime import UTC, datetime
from pathlib import Path

import dns.rcode
import pytest

from smartdoh import config
from smartdoh.config import Settings
from smartdoh.model import Answer, Query
from smartdoh.pipeline.chain import MOST_ALIASES, blocks_aliases
from smartdoh.rules.decide import Decisions
from smartdoh.rules.lists import NameSet, compile_list, compiled_path, open_list
from smartdoh.rules.overrides_file import parse_overrides
from smartdoh.rules.router import Router
from smartdoh.wire.edns import read_extended_error
from tests.scenario.messages import addresses, answer_to, query
from tests.unit.pipeline.test_pipeline_stages import said

CONFIG = """
[groups.main]
upstreams = ["https://192.0.2.1/dns-query"]
[routing]
rules = [
  { domains = ["good.tracker.example"], group = "main" },
  { domains = ["tracker.example"], action = "block" },
  { list = "ads", action = "block" },
]
[lists.ads]
file = "ads.txt"
format = "adblock"
"""
ADS = """||listed.example^
||rewritten.example^$dnsrewrite=NOERROR;A;192.0.2.9
||aliased.example^$dnsrewrite=elsewhere.example
@@||shop.example.org^
"""
WWW = "www.example.com."


@pytest.fixture(scope="module")
def ads(tmp_path_factory: pytest.TempPathFactory) -> NameSet:
    """The list, compiled."""
    file: Path = tmp_path_factory.mktemp("ads") / "ads.txt"
    file.write_text(ADS)
    compile_list(file, "adblock", compiled_path(file))
    return open_list(file, "adblock", compiled_path(file))


class Blocking:
    """The shaper of a config, with its list and overrides."""

    def __init__(self, ads: NameSet, overrides: str = "", block: str = "") -> None:
        self.settings: Settings = config.parse(CONFIG + block)
        routing = self.settings.routing
        router = Router(routing.rules, routing.default, {"ads": ads})
        self.decisions = Decisions(router, lambda: datetime.now(UTC))
        if overrides:
            self.decisions.overrides = parse_overrides(overrides, ["main"], "overrides")
        self.shape = blocks_aliases(self.decisions, self.settings.block)

    def of(self, asked: Query, *targets: str, rdata: str = "A 203.0.113.1") -> Answer:
        """What becomes of an answer with these aliases, one leading to the next."""
        owners = [asked_name(asked), *targets]
        chain = [f"{owner} 60 CNAME {target}" for owner, target in zip(owners, targets, strict=False)]
        given = answer_to(asked, *chain, f"{owners[-1]} 600 {rdata}")
        made = self.shape(asked, self.decisions.route(asked), given)
        self.is_untouched = made is given
        return made


def asked_name(asked: Query) -> str:
    from smartdoh.wire.names import to_text  # noqa: PLC0415

    return to_text(asked.name)


@pytest.mark.parametrize("target", ["tracker.example.", "a.TRACKER.example.", "x.listed.example."])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_target_decides(ads: NameSet, target: str, place: int) -> None:
    chain = ["a.example.net.", "b.example.net.", "c.example.net."]
    chain[place] = target
    blocking = Blocking(ads)
    made = blocking.of(query(edns=True), *chain)
    assert addresses(said(made)) == ["0.0.0.0"]
    assert str(said(made).answer[0].name) == WWW
    assert said(made).answer[0].ttl == 60, "no longer than the alias"
    code, text = read_extended_error(made.ede) or (0, "")
    assert code == 15
    assert text.endswith(f", by alias {target.lower()}")


@pytest.mark.parametrize("rdtype", ["AAAA", "HTTPS", "TXT"])
def test_whatever_is_asked_for(ads: NameSet, rdtype: str) -> None:
    rdata = {"AAAA": "AAAA 2001:db8::1", "HTTPS": "HTTPS 1 . alpn=h2", "TXT": "TXT x"}[rdtype]
    made = Blocking(ads).of(query(rdtype=rdtype), "tracker.example.", rdata=rdata)
    assert addresses(said(made)) == (["::"] if rdtype == "AAAA" else [])
    assert "tracker" not in said(made).to_text()


def test_an_alias_that_leads_nowhere_is_blocked_too(ads: NameSet) -> None:
    blocking, asked = Blocking(ads), query()
    given = answer_to(asked, f"{WWW} 60 CNAME tracker.example.")
    assert addresses(said(blocking.shape(asked, blocking.decisions.route(asked), given))) == ["0.0.0.0"]


@pytest.mark.parametrize(
    ("block", "rcode"),
    [('[block]\nanswer = "nxdomain"', "NXDOMAIN"), ('[block]\nanswer = "refused"', "REFUSED")],
)
def test_it_is_answered_as_a_blocked_name_is(ads: NameSet, block: str, rcode: str) -> None:
    assert said(Blocking(ads, block=block).of(query(), "tracker.example.")).rcode() == dns.rcode.from_text(
        rcode
    )


def test_what_the_list_wants_answered_for_the_target(ads: NameSet) -> None:
    assert addresses(said(Blocking(ads).of(query(), "rewritten.example."))) == ["192.0.2.9"]
    assert addresses(said(Blocking(ads).of(query(), "aliased.example."))) == ["0.0.0.0"]


def test_rules_before_it_let_a_target_through(ads: NameSet) -> None:
    blocking = Blocking(ads)
    blocking.of(query(), "good.tracker.example.")
    assert blocking.is_untouched


@pytest.mark.parametrize(
    "overrides",
    [
        f'{{"{WWW}": "allow"}}',
        f'{{"{WWW}": "main"}}',
        '{"tracker.example": "allow"}',
        '{"=tracker.example": "main"}',
    ],
)
def test_the_users_word_is_the_last(ads: NameSet, overrides: str) -> None:
    blocking = Blocking(ads, overrides)
    blocking.of(query(), "tracker.example.")
    assert blocking.is_untouched


def test_the_user_may_block_a_target(ads: NameSet) -> None:
    blocking = Blocking(ads, '{"cdn.example": "block"}')
    assert addresses(said(blocking.of(query(), "a.cdn.example."))) == ["0.0.0.0"]


def test_an_exception_of_the_list_holds_for_what_the_name_leads_to(ads: NameSet) -> None:
    blocking = Blocking(ads)
    blocking.of(query("shop.example.org."), "listed.example.")
    assert blocking.is_untouched
    assert addresses(said(blocking.of(query("shop.example.org."), "tracker.example."))) == ["0.0.0.0"], (
        "another rule"
    )


def test_answers_without_blocked_targets_are_left_alone(ads: NameSet) -> None:
    blocking = Blocking(ads)
    for targets in ((), ("a.example.net.",), ("a.example.net.", "b.example.net.")):
        blocking.of(query(), *targets)
        assert blocking.is_untouched


def test_more_aliases_than_any_name_has(ads: NameSet) -> None:
    """Each costs a look at the rules, and behind a thousand of them a blocked one could hide."""
    chain = [f"n{number}.example.net." for number in range(MOST_ALIASES)]
    blocking = Blocking(ads)
    blocking.of(query(), *chain)
    assert blocking.is_untouched
    assert addresses(said(blocking.of(query(), *chain, "one.too.many."))) == ["0.0.0.0"]
