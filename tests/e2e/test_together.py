"""Everything at once: examples/split-routing.toml as it is shipped, in a small world where all that it names exists.

One story in order, for a proxy that finds host names itself (HTTP, as shipped) and for one that leaves that to
bootstrap (SOCKS5). Each part by itself is tested elsewhere; here they have to hold together.
"""

from __future__ import annotations

import base64
import json
import os
import random
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import dns.rcode
import pytest

from smartdoh.rules.lists.source import lines_of
from tests.e2e.messages import addresses, error_codes, error_text, question
from tests.e2e.test_control import explained, run
from tests.lists import DATA as OUR_DATA
from tests.meta.tree import ROOT
from tests.servers.both_sides import HOSTS, LISTS_HOST, OTHERS_FAR, OTHERS_NEAR, BothSides, both_sides
from tests.servers.certificates import Authority
from tests.servers.internet import Site, require_internet
from tests.servers.process import ServerProcess
from tests.servers.proxies import microsocks, tinyproxy
from tests.servers.required import require_server
from tests.servers.smartdoh import READY, STRICT_COMMAND, RunningProxy, environment

EXAMPLE = ROOT / "examples" / "split-routing.toml"
PORT = 5553  # as the example has it
SHIPPED_VIA = "http://192.168.5.8:7899"
GFWLIST = "/gfwlist/gfwlist/master/gfwlist.txt"
ADS = "/StevenBlack/hosts/master/hosts"
WITHIN = 1.0  # seconds from saving overrides to their effect
EVENTUALLY = 15.0  # seconds for what has no promise, on a busy machine
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


def as_shipped(via: str, on_missing: str, ca_file: Path) -> str:
    """The example with three differences: what is trusted, the proxy's kind, what holds while there is no list."""
    text = EXAMPLE.read_text("utf-8")
    text = re.sub(r"^\[groups\.\w+\]$", rf'\g<0>\nca_file = "{ca_file}"', text, flags=re.MULTILINE)
    assert text.count("\nca_file = ") == 2
    assert SHIPPED_VIA in text
    text = text.replace(SHIPPED_VIA, via)
    if on_missing == "closed":
        assert '# on_missing = "closed"' in text
        text = text.replace('# on_missing = "closed"', 'on_missing = "closed"')
    return text


def gfwlist() -> list[str]:
    """A list in AutoProxy's form, ours at its end: the real one where SMARTDOH_DATA names its folder."""
    real = os.environ.get("SMARTDOH_DATA")
    content = Path(real, "gfwlist.txt").read_bytes() if real else (OUR_DATA / "autoproxy.txt").read_bytes()
    return [*(line.decode() for line in lines_of(content, "autoproxy")), "! ours", RULE, EXCEPTION]


def ads() -> list[str]:
    """A hosts file, likewise."""
    real = os.environ.get("SMARTDOH_DATA")
    content = Path(real, "adservers.hosts").read_bytes() if real else (OUR_DATA / "hosts").read_bytes()
    return [*content.decode().splitlines(), f"0.0.0.0 {AD}"]


@dataclass(slots=True)
class Story:
    """The world, and smartdoh in it."""

    sides: BothSides
    directory: Path
    is_closed: bool
    proxies: list[RunningProxy] = field(default_factory=list)

    @property
    def proxy(self) -> RunningProxy:
        return self.proxies[-1]

    @property
    def overrides(self) -> Path:
        return self.directory / "overrides.json"

    def kept(self, name: str) -> Path:
        """The file of a list, in the state directory."""
        return self.directory / "state" / "lists" / f"{name}.txt"

    def start(self) -> None:
        """`smartdoh serve` at home, until it is ready."""
        config = self.directory / "smartdoh.toml"
        argv = [*STRICT_COMMAND, "serve", "--config", str(config)]
        name = f"smartdoh-{len(self.proxies)}"
        process = self.sides.home.run(
            lambda: ServerProcess(name, argv, self.directory, environment(self.directory))
        )
        self.proxies.append(RunningProxy(process, PORT))
        process.wait_until(lambda: READY.search(process.log) is not None)

    def ask(self, name: str, rdtype: str = "A", source: str | None = None) -> dns.message.Message:
        """What a client at home is told, at another of its addresses where `source` says so."""
        asked = question(f"{name}.", rdtype)
        return self.sides.home.run(
            lambda: dns.query.udp(asked, "127.0.0.1", port=PORT, timeout=10, source=source)
        )

    def told(self, name: str, rdtype: str = "A", source: str | None = None) -> list[str]:
        return addresses(self.ask(name, rdtype, source))

    def dig(self, *words: str) -> str:
        """What dig prints."""
        argv = [require_server("dig"), "@127.0.0.1", "-p", str(PORT), *words]
        return self.sides.home.run(
            lambda: subprocess.run(argv, check=True, capture_output=True, text=True).stdout
        )

    def explain(self, *words: str) -> Any:
        return explained(self.proxy, *words)

    def save(self, overrides: object) -> None:
        """As an editor does: a new file in place of the old."""
        new = self.overrides.with_name(".overrides.json.new")
        new.write_text(json.dumps(overrides))
        new.replace(self.overrides)


def soon(ask: Callable[[], object], wanted: object, seconds: float = EVENTUALLY) -> None:
    end = time.monotonic() + seconds
    while (got := ask()) != wanted:
        assert time.monotonic() < end, f"still {got}, not {wanted}"
        time.sleep(0.02)


@pytest.fixture(
    params=[(tinyproxy, "http", "open"), (microsocks, "socks5", "closed")], ids=["http", "socks5"]
)
def story(
    request: pytest.FixtureRequest, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Story]:
    require_internet()
    for name in ("XDG_RUNTIME_DIR", "RUNTIME_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    launch, scheme, on_missing = request.param
    world, config = tmp_path / "world", tmp_path / "config"
    world.mkdir()
    config.mkdir()
    via = SHIPPED_VIA.replace("http", scheme, 1)
    (config / "smartdoh.toml").write_text(as_shipped(via, on_missing, authority.ca_file))
    (config / "overrides.json").write_bytes((EXAMPLE.parent / "overrides.json").read_bytes())
    with both_sides(world, authority, launch, NEAR, FAR) as sides:
        assert sides.proxy.url_as(scheme) == via
        good = authority.issue("shop", "*.shop.example")
        sides.home.sites |= {
            "45.10.0.1": Site(delay=0.0, certificate=authority.issue("forged", "blocked.example")),
            "45.10.0.2": Site(delay=0.4, certificate=good),
            NEAREST: Site(delay=0.2, certificate=good),
        }
        sides.far_lists.files[GFWLIST] = base64.encodebytes("\n".join(gfwlist()).encode())
        sides.near_lists.files[ADS] = "\n".join(ads()).encode()
        told = Story(sides, config, on_missing == "closed")
        yield told
        for proxy in told.proxies:
            proxy.stop()


def test_story(story: Story) -> None:
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


def first_start_without_network(story: Story) -> None:
    """It starts, says what is missing, and does with listed names what on_missing says."""
    story.start()
    assert story.proxy.log.count("list is missing") == 2
    answer = story.ask(LISTED)
    found = story.explain(LISTED)
    assert found["lists_missing"] == ["gfwlist", "ads"]
    if story.is_closed:
        assert answer.rcode() == dns.rcode.REFUSED
        assert "gfwlist is missing" in error_text(answer)
        assert (found["decision"]["action"], found["decision"]["list"]) == ("refuse", "gfwlist")
    else:
        assert answer.rcode() == dns.rcode.SERVFAIL
        assert error_codes(answer) & {NETWORK_ERROR}
        assert (found["decision"]["why"], found["group"]["name"]) == ("routing.default", "direct")
    assert story.told("nas.home.arpa") == ["192.168.1.5"], "an override needs no network"


def network_comes(story: Story) -> None:
    """Both lists arrive, each by way of its group, and nothing but upstreams is asked of bootstrap."""
    story.sides.plug()
    soon(lambda: story.proxy.log.count('"list in force"'), 2)
    assert story.sides.far_lists.asked == [GFWLIST]
    assert story.sides.near_lists.asked == [ADS]
    assert story.explain(LISTED)["lists_missing"] == []


def listed_names_go_through_the_proxy(story: Story) -> None:
    sides = story.sides
    before = sides.asked_direct(LISTED)
    assert story.told(LISTED) == ["203.0.113.2"]
    assert story.told(LISTED, "AAAA") == ["2001:db8::2"]
    assert story.dig("+short", LISTED, "HTTPS").strip() == '1 . alpn="h2"'
    assert story.told(f"www.{LISTED}") == ["203.0.113.6"]
    assert story.told(BRIEF) == ["203.0.113.4"]
    assert sides.asked_direct(LISTED) == before
    assert not before or not story.is_closed
    assert sides.asked_direct(f"www.{LISTED}") == sides.asked_direct(BRIEF) == 0
    assert sides.asked_proxied(LISTED) == 3
    is_found_here = sides.proxy.scheme != "http"
    assert sides.proxy.connected_to(HOSTS["dns.google"] if is_found_here else "dns.google", 443)
    assert bool(sides.asked_bootstrap("dns.google")) == is_found_here
    assert not sides.asked_bootstrap(LISTS_HOST)
    found = story.explain(f"www.{LISTED}")
    decided(story, found, "ask", "gfwlist", gfwlist(), RULE)
    assert found["group"]["name"] == "proxy"
    assert found["group"]["via"].endswith("://192.168.5.8:7899")
    assert found["let_through"] == []
    for name in some_of_the_real_list():
        assert story.told(name) == [OTHERS_FAR], name
        assert sides.asked_direct(name) == 0


def some_of_the_real_list() -> list[str]:
    """Names that the list plainly has, and that nothing else is said of."""
    lines = [line.strip() for line in gfwlist()]
    plain = [
        line[2:] for line in lines if re.fullmatch(r"\|\|[a-z0-9-]+(\.[a-z0-9-]+)*\.(com|net|org)", line)
    ]
    other = " ".join((*ads(), *(line for line in lines if line.startswith("@@")), "example.com example.net"))
    names = [name for name in plain if name not in other]
    return random.Random(1).sample(names, min(10, len(names)))


def decided(story: Story, found: Any, action: str, name: str, lines: list[str], line: str) -> None:
    """What explain says is the very line of the list, in the file where it is kept."""
    decision = found["decision"]
    file = str(story.kept(name))
    place = (decision["list"], decision["file"], decision["line"], decision["text"])
    assert place == (name, file, lines.index(line) + 1, line)
    assert decision["action"] == action


def others_go_direct(story: Story) -> None:
    assert story.told(OPEN) == ["198.51.100.4"]
    assert story.told(FREE) == ["198.51.100.3"], "an exception of the list"
    assert story.told("www.corp.example") == [OTHERS_NEAR]
    assert story.explain(OPEN)["decision"]["why"] == "routing.default"
    assert story.explain("www.corp.example")["decision"]["why"] == "routing.rules[0]"
    found = story.explain(FREE)
    assert (found["decision"]["why"], found["group"]["name"]) == ("routing.default", "direct")
    [passed] = found["let_through"]
    line = gfwlist().index(EXCEPTION) + 1
    assert (passed["file"], passed["line"]) == (str(story.kept("gfwlist")), line)
    assert f"gfwlist.txt line {line}: {EXCEPTION}" in run(story.proxy, "explain", FREE).stdout
    for name in (OPEN, FREE, "www.corp.example"):
        assert story.sides.asked_direct(name) == 1
        assert story.sides.asked_proxied(name) == 0


def ads_are_blocked(story: Story) -> None:
    for rdtype, wanted in (("A", ["0.0.0.0"]), ("AAAA", ["::"]), ("HTTPS", [])):
        answer = story.ask(AD, rdtype)
        assert (answer.rcode(), addresses(answer)) == (dns.rcode.NOERROR, wanted)
        assert error_codes(answer) == {BLOCKED}
        assert "ads line" in error_text(answer)
    assert "EDE: 15 (Blocked)" in story.dig(AD)
    assert story.sides.asked_direct(AD) == story.sides.asked_proxied(AD) == 0
    found = story.explain(AD, "HTTPS")
    decided(story, found, "block", "ads", ads(), f"0.0.0.0 {AD}")
    assert found["answered_here"]


def fastest_that_proves_itself_is_kept(story: Story) -> None:
    assert len(story.told(SHOP)) in (1, 3)
    soon(lambda: story.told(SHOP), [NEAREST])
    assert story.dig("+short", SHOP).split() == [NEAREST]
    found = story.explain(SHOP)["addresses"]
    assert [(row["address"], row["standing"]) for row in found] == [
        (NEAREST, "verified"),
        ("45.10.0.2", "verified"),
        ("45.10.0.1", "wrong certificate"),
    ]


def overrides_are_edited(story: Story) -> None:
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


def mount(story: Story, name: str, overrides: object) -> None:
    """As the kubelet writes a volume: a new folder, and a symlink to it that replaces the one to the old."""
    folder = story.directory / name
    folder.mkdir()
    (folder / "overrides.json").write_text(json.dumps(overrides))
    (link := story.directory / "..data_tmp").symlink_to(name)
    link.replace(story.directory / "..data")


def overrides_end_and_are_for_some(story: Story) -> None:
    """One machine gets at an ad for a second or two."""
    end = datetime.now(UTC) + timedelta(seconds=2)
    mount(story, "..3", {AD: {"is": "allow", "until": end.isoformat(), "clients": ["127.0.0.2"]}})
    soon(lambda: story.told(AD, source="127.0.0.2"), [OTHERS_NEAR], WITHIN)
    assert story.told(AD) == ["0.0.0.0"]
    assert story.told(OPEN) == ["198.51.100.4"], "its override is gone"
    soon(lambda: story.told(AD, source="127.0.0.2"), ["0.0.0.0"], 2 + WITHIN)


def broken_config_is_refused(story: Story) -> None:
    config = story.directory / "smartdoh.toml"
    sound = config.read_text()
    config.write_text(sound.replace('group = "proxy"', 'group = "prxy"'))
    assert "prxy" in run(story.proxy, "reload", status=2).stderr
    assert story.told(LISTED) == ["203.0.113.2"]
    assert story.told("listed-after.story.example") == [OTHERS_NEAR], "it goes on asking"
    config.write_text(sound)
    assert run(story.proxy, "reload").stdout == "reloaded\n"
    soon(lambda: story.told(SHOP), [NEAREST])


def cache_is_shown_and_flushed(story: Story) -> None:
    asked = story.sides.asked_direct(OPEN)
    assert story.told(OPEN) == ["198.51.100.4"]
    assert story.sides.asked_direct(OPEN) == asked, "kept, through the reload too"
    assert OPEN in exported(story)
    assert run(story.proxy, "cache", "flush", OPEN).stdout.startswith("1 answer forgotten")
    assert story.told(OPEN) == ["198.51.100.4"]
    assert story.sides.asked_direct(OPEN) == asked + 1


def exported(story: Story) -> set[str]:
    rows = [json.loads(line) for line in run(story.proxy, "cache", "export").stdout.splitlines()]
    return {row["name"].rstrip(".") for row in rows}


def killed_and_started_again_without_network(story: Story) -> None:
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


def on_disk(story: Story) -> bool:
    """Whether all that is written behind has been written."""
    return not json.loads(run(story.proxy, "cache", "stats", "--json").stdout)["disk"]["waiting"]
