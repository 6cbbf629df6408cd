"""The ancestor's config.toml, converted: every key of it, and what it could hold that is no good."""

from __future__ import annotations

import contextlib
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smartdoh.config import parse
from smartdoh.control.ancestor import NoServerError, converted
from smartdoh.control.convert import convert, to_toml
from smartdoh.errors import ConfigError

OLD = """
[doh_servers]
direct_servers = ["https://dns.example/dns-query", "https://192.0.2.1/dns-query"]
proxy_servers = ["https://192.0.2.2/dns-query"]
bootstrap_server = "192.0.2.53"
[dns]
host = "0.0.0.0"
port = 5353
[cache]
max_size = 1000
path = "dns_cache.json"
save_interval = 72
[proxy]
enable_proxy = true
http = "http://192.0.2.8:7899"
https = "http://192.0.2.9:7899"
rule_file = "gfwlist.txt"
rule_file_url = "https://lists.example/gfwlist.txt"
[logging]
default_log_level = "WARNING"
query_log_level = "ERROR"
"""


def changed(**sections: dict[str, Any] | None) -> dict[str, Any]:
    """The old config with keys changed, or with None taken out."""
    content = tomllib.loads(OLD)
    for section, keys in sections.items():
        if keys is None:
            del content[section]
            continue
        content[section] |= keys
        content[section] = {key: value for key, value in content[section].items() if value is not None}
    return content


def test_every_key_of_the_shipped_config() -> None:
    result = converted(tomllib.loads(OLD))
    made = parse(to_toml(result, "config.toml"))
    assert [str(endpoint) for endpoint in made.listen.dns] == ["0.0.0.0:5353"]
    assert list(made.groups) == ["direct", "proxy"]
    direct, proxy = made.groups["direct"], made.groups["proxy"]
    assert [upstream.host for upstream in direct.upstreams] == ["dns.example", "192.0.2.1"]
    assert (direct.strategy, direct.fastest_ip) == ("parallel", "only")
    assert direct.via is None
    assert str(proxy.via) == "http://192.0.2.9:7899"
    [rule] = made.routing.rules
    assert (rule.list, rule.group, made.routing.default) == ("gfwlist", "proxy", "direct")
    kept = made.lists["gfwlist"]
    assert (kept.format, kept.url, kept.file.name) == (
        "autoproxy",
        "https://lists.example/gfwlist.txt",
        "gfwlist.txt",
    )
    assert made.cache.entries == 1000
    assert (made.log.level, made.log.queries) == ("warning", False)
    keys = {note.partition(":")[0] for note in result.notes}
    assert keys == {"dns.host", "proxy.http", "cache.path", "cache.save_interval", "logging"}


def test_a_proxy_that_was_off_gets_no_names() -> None:
    result = converted(changed(proxy={"enable_proxy": False}))
    made = parse(to_toml(result, "x"))
    assert made.routing.rules == ()
    assert "proxy" in made.groups
    assert any("enable_proxy was false" in note for note in result.notes)


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (changed(doh_servers={"bootstrap_server": None}), "bootstrap_server: is missing"),
        (changed(doh_servers={"proxy_servers": None}), "proxy.enable_proxy: left out"),
        (
            changed(doh_servers={"proxy_servers": ["ftp://x"]}),
            "doh_servers.proxy_servers: left out: 'ftp://x'",
        ),
        (changed(proxy={"https": "gopher://x"}), "proxy.https: left out"),
        (changed(proxy={"rule_file": None, "rule_file_url": None}), "proxy.rule_file: is missing"),
        (changed(proxy={"rule_file_url": "nonsense"}), "proxy.rule_file: left out"),
        (changed(cache={"max_size": -1}), "cache.max_size: left out"),
        (changed(cache={"max_size": "many"}), "cache.max_size: left out: 'many'"),
        (changed(dns={"port": 99_999}), "dns: left out"),
        (changed(logging={"default_log_level": "LOUD"}), "'LOUD' is no level"),
        (changed(cache={"what": 1}), "cache.what: left out: it is not known"),
        ({**changed(), "new": {"a": 1}, "b": 2}, "new.a: left out: it is not known"),
    ],
)
def test_what_could_not_be_carried_over_is_told(content: dict[str, Any], note: str) -> None:
    result = converted(content)
    assert any(note in told for told in result.notes), result.notes
    text = to_toml(result, "x")
    assert parse(text).groups
    assert all(f"# - {told}" in text for told in result.notes)


@pytest.mark.parametrize("content", [{}, {"doh_servers": 3}, {"doh_servers": {"direct_servers": [1, "x"]}}])
def test_without_a_server_there_is_no_config(content: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"doh_servers\.direct_servers"):
        converted(content)


@pytest.mark.parametrize("content", [None, b"[x", b"\xff", b"a" * ((1 << 20) + 1)])
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "old.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"old\.toml"):
        convert(path)


def test_comments_hold_no_line_breaks() -> None:
    result = converted({**changed(), "a\nlisten = 3\nb": 1})
    assert parse(to_toml(result, "old\n[x].toml")).groups


SCALARS = st.sampled_from(
    [None, True, 0, -1, 1 << 70, 1.5, "", "x", "::", "https://192.0.2.1", "http://h:1", "\n", "\x7f"]
)
VALUES = SCALARS | st.text(max_size=8) | st.lists(SCALARS, max_size=3) | st.just({"a": 1})
KEYS = [(section, key) for section, keys in tomllib.loads(OLD).items() for key in keys]


@settings(suppress_health_check=[HealthCheck.too_slow])  # the first text takes a second: a table is made
@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4))
def test_whatever_the_values_the_result_is_a_sound_config(values: dict[tuple[str, str], object]) -> None:
    content = tomllib.loads(OLD)
    for (section, key), value in values.items():
        content[section][key] = value
    with contextlib.suppress(NoServerError):
        assert parse(to_toml(converted(content), "config.toml")).groups


def test_the_default_server_alone_is_enough() -> None:
    result = converted({"doh_servers": {"direct_servers": ["https://192.0.2.1"]}})
    assert [str(endpoint) for endpoint in parse(to_toml(result, "x")).listen.dns] == ["127.0.0.1:53"]
