"""Everything at once: examples/split-routing.toml as it is shipped, in a small world where all that it names exists.

One story in order, for a proxy that finds host names itself (HTTP, as shipped) and for one that leaves that to
bootstrap (SOCKS5). Each part by itself is tested elsewhere; here they have to hold together.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import dns.rcode
import pytest

from tests.e2e.commands import run
from tests.e2e.messages import addresses, error_codes, error_text
from tests.e2e.shipped import ADS, GFWLIST, Shipped, ads, gfwlist, shipped, soon
from tests.servers.both_sides import HOSTS, LISTS_HOST, OTHERS_FAR, OTHERS_NEAR
from tests.servers.certificates import Authority
from tests.servers.internet import Site
from tests.servers.proxies import microsocks, tinyproxy

WITHIN = 1.0  # seconds from saving overrides to their effect
LIST_SECONDS = 40.0  # until a list is asked for again, however long it took to come so far
BLOCKED, NETWORK_ERROR = 15, 23  # Extended DNS Errors (RFC 8914)
STALE_TTL = 30  # RFC 8767 section 5

LISTED, FREE, OPEN = "listed.story.example", "free.listed.story.example", "open.story.example"
AD, SHOP, BRIEF = "tracker.story.example", "www.shop.example", "brief.listed.story.example"
RULE, EXCEPTION = f"||{LISTED}", f"@@||{FREE}"
NEAR = {
    LISTED: ["A 198.51.100.2"],
    FREE: ["A 198.51.100.3"],
    OPEN: ["A 198.51.100.4"],
    "example.org": ["A 198.51.100.5"],
    SHOP: ["A 45.10.0.1", "A 45.10.0.2", "A 45.10.0.3"],
}
FAR = {
    LISTED: ["A 203.0.113.2", "AAAA 2001:db8::2", "HTTPS 1 . alpn=h2"],
    f"www.{LISTED}": ["A 203.0.113.6"],
    FREE: ["A 203.0.113.3"],
    OPEN: ["A 203.0.113.7"],
    BRIEF: ["1 A 203.0.113.4"],
    "example.org": ["A 203.0.113.5"],
}
NEAREST = "45.10.0.3"  # of those that can prove to be the shop's


def listed() -> list[str]:
    return gfwlist("! ours", RULE, EXCEPTION)


def blocked() -> list[str]:
    return ads(f"0.0.0.0 {AD}")


@pytest.fixture(
    params=[(tinyproxy, "http", "open"), (microsocks, "socks5", "closed")], ids=["http", "socks5"]
)
def story(
    request: pytest.FixtureRequest, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shipped]:
    for name in ("XDG_RUNTIME_DIR", "RUNTIME_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    launch, scheme, on_missing = request.param
    with shipped(launch, authority, tmp_path, NEAR, FAR, scheme=scheme, on_missing=on_missing) as made:
        good = authority.issue("shop", "*.shop.example")
        made.sides.home.sites |= {
            "45.10.0.1": Site(delay=0.0, certificate=authority.issue("forged", "blocked.example")),
            "45.10.0.2": Site(delay=0.4, certificate=good),
            NEAREST: Site(delay=0.2, certificate=good),
        }
        made.serve_lists(listed(), blocked())
        yield made


def test_story(story: Shipped) -> None:
    first_start_without_network(story)
    network_comes(story)
    listed_names_go_through_the_proxy(story)
    others_go_direct(story)
    ads_are_blocked(story)
    fastest_that_proves_itself_is_kept(story)
    overrides_are_edited(story)
    overrides_end_and_are_for_some(story)
    broken_config_is_refused(story)
    cache_is_shown_and_flushed(story)
    killed_and_started_again_without_network(story)


def first_start_without_network(story: Shipped) -> None:
    """It starts, says what is missing, and does with listed names what on_missing says."""
    story.start()
    assert story.proxy.log.count("list is missing") == 2
    answer = story.ask(LISTED)
    found = story.explain(LISTED)
    assert found["lists_missing"] == ["gfwlist", "ads"]
    if story.on_missing == "closed":
        assert answer.rcode() == dns.rcode.REFUSED
        assert "gfwlist is missing" in error_text(answer)
        assert (found["decision"]["action"], found["decision"]["list"]) == ("refuse", "gfwlist")
    else:
        assert answer.rcode() == dns.rcode.SERVFAIL
        assert error_codes(answer) & {NETWORK_ERROR}
        assert (found["decision"]["why"], found["group"]["name"]) == ("routing.default", "direct")
    assert story.told("nas.home.arpa") == ["192.168.1.5"], "an override needs no network"


def network_comes(story: Shipped) -> None:
    """Both lists arrive, each by way of its group, and nothing but upstreams is asked of bootstrap."""
    story.sides.plug()
    soon(lambda: story.proxy.log.count('"list updated"'), 2, LIST_SECONDS)
    assert story.sides.far_lists.asked == [GFWLIST]
    assert story.sides.near_lists.asked == [ADS]
    assert story.explain(LISTED)["lists_missing"] == []


def listed_names_go_through_the_proxy(story: Shipped) -> None:
    sides = story.sides
    before = sides.asked_direct(LISTED)
    assert story.told(LISTED) == ["203.0.113.2"]
    assert story.told(LISTED, "AAAA") == ["2001:db8::2"]
    assert story.dig("+short", LISTED, "HTTPS").strip() == '1 . alpn="h2"'
    assert story.told(f"www.{LISTED}") == ["203.0.113.6"]
    assert story.told(BRIEF) == ["203.0.113.4"]
    assert sides.asked_direct(LISTED) == before
    assert not before or story.on_missing == "open"
    assert sides.asked_direct(f"www.{LISTED}") == sides.asked_direct(BRIEF) == 0
    assert sides.asked_proxied(LISTED) >= 3
    is_found_here = sides.proxy.scheme != "http"
    assert sides.proxy.connected_to(HOSTS["dns.google"] if is_found_here else "dns.google", 443)
    assert bool(sides.asked_bootstrap("dns.google")) == is_found_here
    assert not sides.asked_bootstrap(LISTS_HOST)
    found = story.explain(f"www.{LISTED}")
    decided(story, found, "ask", "gfwlist", listed(), RULE)
    assert found["group"]["name"] == "proxy"
    assert found["group"]["via"].endswith("://192.168.5.8:7899")
    assert found["let_through"] == []
    for name in some_of_the_real_list():
        assert story.told(name) == [OTHERS_FAR], name
        assert sides.asked_direct(name) == 0


def some_of_the_real_list() -> list[str]:
    """Names that the list plainly has, and that nothing else is said of."""
    lines = [line.strip() for line in listed()]
    plain = [
        line[2:] for line in lines if re.fullmatch(r"\|\|[a-z0-9-]+(\.[a-z0-9-]+)*\.(com|net|org)", line)
    ]
    other = " ".join(
        (*blocked(), *(line for line in lines if line.startswith("@@")), "example.com example.net")
    )
    names = [name for name in plain if name not in other]
    return random.Random(1).sample(names, min(10, len(names)))


def decided(story: Shipped, found: Any, action: str, name: str, lines: list[str], line: str) -> None:
    """What explain says is the very line of the list, in the file where it is kept."""
    decision = found["decision"]
    file = str(story.kept(name))
    place = (decision["list"], decision["file"], decision["line"], decision["text"])
    assert place == (name, file, lines.index(line) + 1, line)
    assert decision["action"] == action


def others_go_direct(story: Shipped) -> None:
    assert story.told(OPEN) == ["198.51.100.4"]
    assert story.told(FREE) == ["198.51.100.3"], "an exception of the list"
    assert story.told("www.corp.example") == [OTHERS_NEAR]
    assert story.explain(OPEN)["decision"]["why"] == "routing.default"
    assert story.explain("www.corp.example")["decision"]["why"] == "routing.rules[0]"
    found = story.explain(FREE)
    assert (found["decision"]["why"], found["group"]["name"]) == ("routing.default", "direct")
    [passed] = found["let_through"]
    line = listed().index(EXCEPTION) + 1
    assert (passed["file"], passed["line"]) == (str(story.kept("gfwlist")), line)
    assert f"gfwlist.txt line {line}: {EXCEPTION}" in run(story.proxy, "explain", FREE).stdout
    for name in (OPEN, FREE, "www.corp.example"):
        assert story.sides.asked_direct(name)
        assert story.sides.asked_proxied(name) == 0


def ads_are_blocked(story: Shipped) -> None:
    for rdtype, wanted in (("A", ["0.0.0.0"]), ("AAAA", ["::"]), ("HTTPS", [])):
        answer = story.ask(AD, rdtype)
        assert (answer.rcode(), addresses(answer)) == (dns.rcode.NOERROR, wanted)
        assert error_codes(answer) == {BLOCKED}
        assert "ads line" in error_text(answer)
    assert "EDE: 15 (Blocked)" in story.dig(AD)
    assert story.sides.asked_direct(AD) == story.sides.asked_proxied(AD) == 0
    found = story.explain(AD, "HTTPS")
    decided(story, found, "block", "ads", blocked(), f"0.0.0.0 {AD}")
    assert found["answered_here"]


def fastest_that_proves_itself_is_kept(story: Shipped) -> None:
    assert len(story.told(SHOP)) in (1, 3)
    soon(lambda: story.told(SHOP), [NEAREST])
    assert story.dig("+short", SHOP).split() == [NEAREST]
    found = story.explain(SHOP)["addresses"]
    assert [(row["address"], row["standing"]) for row in found] == [
        (NEAREST, "verified"),
        ("45.10.0.2", "verified"),
        ("45.10.0.1", "wrong certificate"),
    ]


def overrides_are_edited(story: Shipped) -> None:
    """The shipped file first, then one that an editor puts in its place, then one behind Kubernetes' symlinks."""
    assert story.told("example.org") == ["203.0.113.5"]
    assert story.told("www.example.net") == ["203.0.113.7"]
    assert story.told("x.ads.example.com") == ["0.0.0.0"]
    assert story.told(OPEN) == ["198.51.100.4"]
    story.save({OPEN: "proxy", AD: "allow", LISTED: "block"})
    soon(lambda: story.told(OPEN), ["203.0.113.7"], WITHIN)
    assert story.told(AD) == [OTHERS_NEAR]
    assert story.told(LISTED) == ["0.0.0.0"]
    assert story.told("example.org") == ["198.51.100.5"], "its override is gone"
    found = story.explain(LISTED)["decision"]
    assert (found["action"], found["list"]) == ("block", "")
    assert LISTED in found["why"]
    mount(story, "..1", {OPEN: "192.0.2.1"})
    (link := story.directory / "link").symlink_to("..data/overrides.json")
    link.replace(story.overrides)
    soon(lambda: story.told(OPEN), ["192.0.2.1"], WITHIN)
    assert story.told(LISTED) == ["203.0.113.2"]
    mount(story, "..2", {OPEN: "192.0.2.2"})
    soon(lambda: story.told(OPEN), ["192.0.2.2"], WITHIN)


def mount(story: Shipped, name: str, overrides: object) -> None:
    """As the kubelet writes a volume: a new folder, and a symlink to it that replaces the one to the old."""
    folder = story.directory / name
    folder.mkdir()
    (folder / "overrides.json").write_text(json.dumps(overrides))
    (link := story.directory / "..data_tmp").symlink_to(name)
    link.replace(story.directory / "..data")


def overrides_end_and_are_for_some(story: Shipped) -> None:
    """One machine gets at an ad for a second or two."""
    end = datetime.now(UTC) + timedelta(seconds=2)
    mount(story, "..3", {AD: {"is": "allow", "until": end.isoformat(), "clients": ["127.0.0.2"]}})
    soon(lambda: story.told(AD, source="127.0.0.2"), [OTHERS_NEAR], WITHIN)
    assert story.told(AD) == ["0.0.0.0"]
    assert story.told(OPEN) == ["198.51.100.4"], "its override is gone"
    soon(lambda: story.told(AD, source="127.0.0.2"), ["0.0.0.0"], 2 + WITHIN)


def broken_config_is_refused(story: Shipped) -> None:
    config = story.directory / "smartdoh.toml"
    sound = config.read_text()
    config.write_text(sound.replace('group = "proxy"', 'group = "prxy"'))
    assert "prxy" in run(story.proxy, "reload", status=2).stderr
    assert story.told(LISTED) == ["203.0.113.2"]
    assert story.told("listed-after.story.example") == [OTHERS_NEAR], "it goes on asking"
    config.write_text(sound)
    assert run(story.proxy, "reload").stdout == "reloaded\n"
    soon(lambda: story.told(SHOP), [NEAREST])


def cache_is_shown_and_flushed(story: Shipped) -> None:
    asked = story.sides.asked_direct(OPEN)
    assert story.told(OPEN) == ["198.51.100.4"]
    assert story.sides.asked_direct(OPEN) == asked, "kept, through the reload too"
    assert OPEN in exported(story)
    assert run(story.proxy, "cache", "flush", OPEN).stdout.startswith("1 answer forgotten")
    assert story.told(OPEN) == ["198.51.100.4"]
    assert story.sides.asked_direct(OPEN) > asked


def exported(story: Shipped) -> set[str]:
    rows = [json.loads(line) for line in run(story.proxy, "cache", "export").stdout.splitlines()]
    return {row["name"].rstrip(".") for row in rows}


def killed_and_started_again_without_network(story: Shipped) -> None:
    """Whatever was answered is answered, from disk."""
    names = [LISTED, f"www.{LISTED}", FREE, OPEN, "www.corp.example", "example.org", SHOP, BRIEF]
    names += some_of_the_real_list()
    before = {name: story.told(name) for name in names}
    soon(lambda: on_disk(story), True)
    story.proxy.kill()
    story.sides.pull()
    story.start()
    for name in names:
        answer = story.ask(name)
        assert answer.rcode() == dns.rcode.NOERROR, name
        assert set(before[name]) <= set(addresses(answer)), name
        assert 0 < answer.answer[0].ttl <= 300
    soon(lambda: story.ask(BRIEF).answer[0].ttl, STALE_TTL)
    assert story.told(LISTED, "AAAA") == ["2001:db8::2"]
    assert story.told(AD) == ["0.0.0.0"]
    soon(lambda: story.told(SHOP), [NEAREST])
    [kept] = [row for row in story.explain(LISTED)["cached"] if row["rcode"] == "NOERROR"]
    assert kept["records"] == [f"{LISTED}. {kept['records'][0].split()[1]} IN A 203.0.113.2"]
    assert "list is missing" not in story.proxy.log


def on_disk(story: Shipped) -> bool:
    """Whether all that is written behind has been written."""
    return not json.loads(run(story.proxy, "cache", "stats", "--json").stdout)["disk"]["waiting"]
