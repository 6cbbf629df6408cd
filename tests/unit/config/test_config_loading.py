"""Loading: where the file is looked for, defaults, paths, the environment, warnings."""

import dataclasses
import subprocess
import sys
from ipaddress import ip_network
from pathlib import Path

import pytest

from smartdoh.config import DEFAULT_PATHS, Endpoint, Rule, Settings, load, parse
from smartdoh.errors import ConfigError

GROUP = '[groups.direct]\nupstreams = ["https://1.1.1.1/dns-query"]\n'


def at(folder: Path, text: str = GROUP, mode: int = 0o600) -> Path:
    """A config file in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "smartdoh.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_every_key_but_upstreams_has_a_default() -> None:
    settings = parse(GROUP, environ={"HOME": "/home/me"})
    assert settings.listen.dns == (Endpoint("127.0.0.1", 5553),)
    assert settings.routing.default == "direct"
    assert settings.bootstrap.servers == ()
    assert settings.warnings == ()
    assert settings.path is None
    group = settings.groups["direct"]
    assert (group.strategy, group.timeout, group.via, group.ca_file) == ("hedged", 5.0, None, None)
    assert (group.fastest_ip, group.idle, group.trust_ad) == ("off", 120.0, True)
    assert (group.max_in_flight, group.hedge_percent) == (1000, 5)
    cache = settings.cache
    assert (cache.entries, cache.memory_entries, cache.prefetch) == (5_000_000, 500_000, True)
    assert (cache.min_ttl, cache.max_ttl, cache.stale, cache.stale_after) == (0.0, 86_400.0, 86_400.0, 0.0)
    assert (cache.negative_max, cache.failure) == (10_800.0, 5.0)
    assert cache.dir == settings.state_dir == Path("/home/me/.local/state/smartdoh")
    assert (settings.block.answer, settings.block.ttl) == ("null", 300.0)
    assert (settings.log.level, settings.log.queries, settings.log.format) == ("info", False, "auto")
    assert settings.local.zones_off == ()
    assert (settings.listen.tcp_connections, settings.listen.tcp_idle) == (512, 10.0)
    assert (settings.listen.rate, settings.listen.burst) == (0, 0)


def test_a_burst_is_two_seconds_worth_unless_it_is_given() -> None:
    assert parse(GROUP + "[listen]\nrate = 50").listen.burst == 100
    assert parse(GROUP + "[listen]\nrate = 50\nburst = 7").listen.burst == 7


def test_a_burst_without_a_rate_is_warned_of() -> None:
    settings = parse(GROUP + "[listen]\nburst = 7")
    assert settings.warnings == ("listen.burst: means nothing without listen.rate",)


def test_by_default_loopback_and_private_networks_may_ask() -> None:
    loopback = ["127.0.0.0/8", "::1/128"]
    private = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fe80::/10", "fc00::/7"]
    assert parse(GROUP).listen.allow == tuple(map(ip_network, loopback + private))


def test_settings_are_frozen() -> None:
    settings = parse(GROUP)
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.cache.entries = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        settings.groups["other"] = settings.groups["direct"]  # type: ignore[index]


def test_a_rule_in_full() -> None:
    settings = parse(
        GROUP
        + '[routing]\nrules = [{ domains = ["Corp.Example."], list = "ads", types = ["https"], '
        + 'clients = ["10.0.0.1"], group = "direct" }]\n[lists.ads]\nfile = "ads.txt"\n',
        folder=Path("/etc/smartdoh"),
    )
    assert settings.routing.rules == (
        Rule(
            names=("corp.example",),
            list="ads",
            types=("HTTPS",),
            clients=(ip_network("10.0.0.1/32"),),
            group="direct",
            action=None,
        ),
    )
    assert settings.lists["ads"].file == Path("/etc/smartdoh/ads.txt")


@pytest.mark.parametrize("via", ["http://127.0.0.1", "https://127.0.0.1", "socks5h://127.0.0.1"])
def test_a_proxy_that_resolves_names_needs_no_bootstrap(via: str) -> None:
    text = f'[groups.a]\nupstreams = ["https://dns.google"]\nvia = "{via}"'
    assert parse(text).groups["a"].via is not None


def test_what_the_proxy_calls_loopback_is_not_ours() -> None:
    text = '[groups.a]\nupstreams = ["https://127.0.0.1:5553"]\nvia = "http://10.0.0.1:8080"'
    assert parse(text).groups["a"].upstreams[0].port == 5553


@pytest.mark.parametrize("server", ["1.1.1.1", "1.1.1.1:53", "[2620:fe::fe]:53", "https://1.1.1.1/dns-query"])
def test_with_bootstrap_upstreams_may_have_names(server: str) -> None:
    text = f'[bootstrap]\nservers = ["{server}"]\n[groups.a]\nupstreams = ["https://dns.google"]'
    assert not parse(text).groups["a"].upstreams[0].is_address


def test_paths_are_relative_to_the_config_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = GROUP + (
        '[routing]\noverrides = "o.json"\n[cache]\ndir = "cache"\n'
        '[lists.a]\nfile = "a.txt"\n[lists.b]\nurl = "https://a.example/b"\n[lists.c]\nfile = "/srv/c.txt"\n'
    )
    at(tmp_path / "here", text)
    monkeypatch.chdir(tmp_path)
    settings = load(Path("here/smartdoh.toml"), {"STATE_DIRECTORY": "/var/lib/private/smartdoh:/other"})
    assert settings.path == tmp_path / "here/smartdoh.toml"
    assert settings.routing.overrides == tmp_path / "here/o.json"
    assert settings.cache.dir == tmp_path / "here/cache"
    assert settings.lists["a"].file == tmp_path / "here/a.txt"
    assert settings.lists["b"].file == Path("/var/lib/private/smartdoh/lists/b.txt")
    assert settings.lists["c"].file == Path("/srv/c.txt")


def test_nothing_is_kept_on_disk_where_the_directory_is_none() -> None:
    assert parse(GROUP + '[cache]\ndir = "none"').cache.dir is None


@pytest.mark.parametrize(
    ("environ", "state"),
    [
        ({"STATE_DIRECTORY": "/s", "XDG_STATE_HOME": "/x", "HOME": "/h"}, "/s"),
        ({"XDG_STATE_HOME": "/x", "HOME": "/h"}, "/x/smartdoh"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/h"}, "/h/.local/state/smartdoh"),
        ({"HOME": "/h"}, "/h/.local/state/smartdoh"),
        ({}, "/var/lib/smartdoh"),
    ],
)
def test_the_state_directory(environ: dict[str, str], state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert parse(GROUP, environ=environ).cache.dir == Path(state)


def test_without_a_path_the_first_of_the_default_places_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "xdg"), "HOME": str(tmp_path / "home")}
    in_home = at(tmp_path / "home/.config/smartdoh")
    assert load(None, {"HOME": environ["HOME"]}).path == in_home
    in_xdg = at(tmp_path / "xdg/smartdoh")
    assert load(None, environ).path == in_xdg
    here = at(tmp_path)
    assert load(None, environ).path == here


def test_without_any_file_the_error_says_where_it_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "smartdoh.config.places.DEFAULT_PATHS", (*DEFAULT_PATHS[:2], "/nowhere/smartdoh.toml")
    )
    with pytest.raises(ConfigError) as caught:
        load(None, {"HOME": "/h"})
    assert str(caught.value) == (
        f"config: there is no config file; looked for {tmp_path}/smartdoh.toml, "
        "/h/.config/smartdoh/smartdoh.toml, /nowhere/smartdoh.toml; name one with --config FILE"
    )


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "no.toml", {})
    assert str(caught.value) == f"{tmp_path}/no.toml: cannot be read: No such file or directory"


def test_a_folder_is_no_config(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {})
    assert str(caught.value) == f"{tmp_path}: cannot be read: Is a directory"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[listen]\nx = 1 2", "line 2, column 7: Expected newline or end of document after a statement"),
        (b"[listen]\n# caf\xe9\n", "line 2, column 6: is not UTF-8"),
        (b"#" * (1 << 20) + b"\n", "is longer than 1048576 bytes, which no config is"),
    ],
)
def test_a_file_that_is_no_toml(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "smartdoh.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    assert str(caught.value) == f"{path}: {message}"


def test_a_byte_order_mark_and_windows_lines_are_no_error(tmp_path: Path) -> None:
    path = tmp_path / "smartdoh.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GROUP.replace("\n", "\r\n").encode())
    assert load(path, {}).groups.keys() == {"direct"}


def overridden(**environ: str) -> Settings:
    return parse(
        GROUP + "[groups.my-Group]\nupstreams = ['https://9.9.9.9']\n[log]\nqueries = true\n", environ=environ
    )


def test_the_environment_overrides_the_file() -> None:
    settings = overridden(
        SMARTDOH_LISTEN__DNS='["127.0.0.1:5353"]',
        SMARTDOH_LOG__LEVEL="debug",
        SMARTDOH_LOG__QUERIES="false",
        SMARTDOH_CACHE__DIR="none",
        SMARTDOH_CACHE__ENTRIES="1_000",
        SMARTDOH_CACHE__STALE='"2d"',
        SMARTDOH_CACHE__MAX_TTL="2h",
        SMARTDOH_GROUPS__MY_GROUP__VIA="socks5h://127.0.0.1",
        SMARTDOH_GROUPS__THIRD__UPSTREAMS='["https://8.8.8.8"]',
        SMARTDOH_GROUPS__FOURTH="{ upstreams = ['https://8.8.4.4'] }",
        SMARTDOH_GROUPS__FOURTH__TIMEOUT="1s",
        SMARTDOH_ROUTING__RULES='[{ domains = ["a"], group = "third" }]',
    )
    assert settings.listen.dns == (Endpoint("127.0.0.1", 5353),)
    assert (settings.log.level, settings.log.queries) == ("debug", False)
    assert (settings.cache.dir, settings.cache.entries) == (None, 1000)
    assert (settings.cache.stale, settings.cache.max_ttl) == (172_800.0, 7_200.0)
    assert list(settings.groups) == ["direct", "my-Group", "fourth", "third"]
    assert str(settings.groups["my-Group"].via) == "socks5h://127.0.0.1:1080"
    assert settings.groups["fourth"].timeout == 1.0
    assert settings.routing.rules[0].group == "third"


def test_variables_that_are_not_ours_are_ignored() -> None:
    plain = overridden(HOME="/h")
    assert overridden(HOME="/h", SMARTDOH_PURE_PYTHON="1", SMARTDOH_X="y", OTHER__LISTEN="z") == plain


def test_an_empty_variable_is_an_empty_text() -> None:
    assert (
        parse(GROUP + 'via = "http://1.1.1.1"', environ={"SMARTDOH_GROUPS__DIRECT__VIA": ""})
        .groups["direct"]
        .via
        is None
    )


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0"])
def test_an_open_resolver_is_warned_of(network: str) -> None:
    (warning,) = parse(f'{GROUP}[listen]\nallow = ["10.0.0.0/8", "{network}"]').warnings
    assert warning == (
        f"listen.allow: '{network}' lets everyone ask who can reach this machine; "
        "open resolvers are used to attack others (RFC 5358)"
    )


def test_a_list_without_a_rule_is_warned_of() -> None:
    assert parse(GROUP + '[lists.ads]\nfile = "a"').warnings == ("lists.ads: no rule uses this list",)


@pytest.mark.parametrize(("mode", "warned"), [(0o644, False), (0o664, False), (0o646, True), (0o666, True)])
def test_a_config_that_everyone_can_change_is_warned_of(tmp_path: Path, mode: int, warned: bool) -> None:
    path = at(tmp_path, mode=mode)
    warning = f"{path}: every user of this machine can change the config; chmod o-w mends it"
    assert load(path, {}).warnings == ((warning,) if warned else ())


def test_loading_brings_no_heavy_packages_along() -> None:
    """The program answers within 0.6 s of its start; what these cost is measured in tenths of it."""
    heavy = {"pydantic_settings", "pydantic.v1", "dns", "rich", "typer", "asyncio"}
    program = f"import sys, smartdoh.config; print(*sorted({heavy!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize(
    ("upstreams", "said", "is_private"),
    [
        (["192.168.1.1", "[fd00::1]:8443"], "", True),
        (["127.0.0.1"], "", True),
        (["192.168.1.1", "1.1.1.1"], "", False),
        (["dns.corp.example"], "", False),
        (["dns.corp.example"], "private = true", True),
        (["192.168.1.1"], "private = false", False),
    ],
)
def test_a_group_is_private_if_all_its_servers_are(upstreams: list[str], said: str, is_private: bool) -> None:
    urls = [f"https://{host}/dns-query" for host in upstreams]
    settings = parse(f'[bootstrap]\nservers = ["1.1.1.1"]\n[groups.a]\nupstreams = {urls}\n{said}\n')
    assert settings.groups["a"].is_private is is_private


def test_a_list_of_addresses_is_used_by_a_group() -> None:
    group = '[groups.a]\nupstreams = ["https://1.1.1.1"]\n'
    lists = '[lists.ips]\nfile = "ips"\nformat = "addresses"\n'
    assert parse(group + lists).warnings == ("lists.ips: no group uses this list",)
    assert parse(group + 'bogus_nxdomain = "ips"\n' + lists).warnings == ()
