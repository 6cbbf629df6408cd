"""Every kind of error in a config, with the exact line people read."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import trustme

from smartdoh.config import BadConfigError, checks, parse
from smartdoh.errors import ConfigError

GROUP = '[groups.direct]\nupstreams = ["https://1.1.1.1/dns-query"]\n'
URL = "https://HOST[:PORT][/PATH], the host a name or an address (IPv6 in brackets)"
ENDPOINT = "an address with a port, as 127.0.0.1:5553 or [::1]:5553; without a port, 53"
NETWORK = "a network or an address, as 192.168.0.0/16, fd00::/8 or ::1"
DOMAIN = "a name in ASCII without a leading dot or star; it stands for itself and all below it"
BOOTSTRAP = "1.1.1.1, 1.1.1.1:53, [2620:fe::fe]:53, https://ADDRESS/dns-query"
PROXY = "http://, https://, socks5://, socks5h://"
SOME_BOOTSTRAP = '[bootstrap] servers = ["1.1.1.1"], or an address in place of the name'
SOME_GROUP = 'at least one, as [groups.direct] with upstreams = ["https://1.1.1.1/dns-query"]'
PEM = "a readable file with at least one PEM certificate"


def errors_of(text: str, folder: Path | None = None, environ: Mapping[str, str] | None = None) -> list[str]:
    """The lines of the error that the config's text raises."""
    with pytest.raises(ConfigError) as caught:
        parse(text, folder=folder, environ=environ)
    return str(caught.value).splitlines()


def in_group(line: str) -> str:
    return GROUP + line


def section(name: str, line: str) -> str:
    return f"{GROUP}[{name}]\n{line}\n"


def rule(text: str) -> str:
    return section("routing", f"rules = [{text}]")


SHAPES = [
    ("", f"groups: there is no group; allowed: {SOME_GROUP}"),
    ("groups = {}", f"groups: there is no group; allowed: {SOME_GROUP}"),
    ("[groups.direct]", "groups.direct.upstreams: is missing; allowed: at least one"),
    ("[groups.direct]\nupstreams = []", "groups.direct.upstreams: [] is empty; allowed: at least one"),
    ("groups = 1", "groups: 1 is not a table; allowed: tables with names"),
    ("[groups]\ndirect = 1", "groups.direct: 1 is not a table; allowed: a table of keys and values"),
    ("listen = 5\n" + GROUP, "listen: 5 is not a table; allowed: a table of keys and values"),
    (section("listen", 'dns = "x"'), "listen.dns: 'x' is not a list; allowed: a list in [ ]"),
    (rule("1"), "routing.rules[0]: 1 is not a table; allowed: a table of keys and values"),
    (
        '[groups."my group"]\nupstreams = ["https://1.1.1.1"]',
        "groups.'my group': 'my group' is not a name; allowed: letters, digits, _ and -",
    ),
]

UNKNOWN_KEYS = [
    (section("listen", "dsn = 1"), "listen.dsn: unknown key; did you mean listen.dns?"),
    ("[listn]\n" + GROUP, "listn: unknown key; did you mean listen?"),
    (in_group("time_out = 1"), "groups.direct.time_out: unknown key; did you mean groups.direct.timeout?"),
    (section("listen", "upstreams = 1"), "listen.upstreams: unknown key; did you mean groups.*.upstreams?"),
    (section("log", "ttl = 1"), "log.ttl: unknown key; did you mean block.ttl?"),
    (section("log", "zzz = 1"), "log.zzz: unknown key; known here: level, queries, format"),
    (rule('{ name = ["a"] }'), "routing.rules[0].name: unknown key; known here: "
     "domains, list, types, clients, group, action"),
    (section("log", '"a b" = 1'), "log.'a b': unknown key; known here: level, queries, format"),
]  # fmt: skip

VALUES = [
    (section("listen", 'dns = ["localhost:53"]'),
     f"listen.dns[0]: 'localhost:53' is not an address; allowed: {ENDPOINT}"),
    (section("listen", 'dns = ["127.0.0.1:1", "::1:53"]'),
     f"listen.dns[1]: '::1:53' is an IPv6 address without brackets; allowed: {ENDPOINT}"),
    (section("listen", "dns = [53]"), f"listen.dns[0]: 53 is not text in quotes; allowed: {ENDPOINT}"),
    (section("listen", "dns = []"), "listen.dns: [] is empty; allowed: at least one"),
    (section("listen", 'allow = ["lan"]'), f"listen.allow[0]: 'lan' is not a network; allowed: {NETWORK}"),
    (section("listen", "allow = []"), "listen.allow: [] is empty; allowed: at least one"),
    (section("listen", 'hide_version = "yes"'),
     "listen.hide_version: 'yes' is neither true nor false; allowed: true, false"),
    (section("listen", "tcp_connections = 0"),
     "listen.tcp_connections: 0 is out of range; allowed: 1 to 65536"),
    (section("listen", "tcp_connections = true"),
     "listen.tcp_connections: true is not a whole number; allowed: 1 to 65536"),
    (section("cache", "entries = 1.5"),
     "cache.entries: 1.5 is not a whole number; allowed: 1 to 1000000000"),
    (in_group("timeout = 5"), "groups.direct.timeout: 5 is not a duration in quotes; allowed: "
     '"10ms" to "1m", in ms, s, m, h or d'),
    (in_group('timeout = "5 s"'), "groups.direct.timeout: '5 s' is not a duration; allowed: "
     '"10ms" to "1m", in ms, s, m, h or d'),
    (in_group('timeout = "0s"'), "groups.direct.timeout: '0s' is too short; allowed: "
     '"10ms" to "1m", in ms, s, m, h or d'),
    (in_group('timeout = "1h"'), "groups.direct.timeout: '1h' is too long; allowed: "
     '"10ms" to "1m", in ms, s, m, h or d'),
    (section("cache", 'failure = "10m"'), "cache.failure: '10m' is too long; allowed: "
     '"1s" to "5m", in ms, s, m, h or d'),
    (in_group('strategy = "fast"'),
     "groups.direct.strategy: 'fast' is not known; allowed: 'hedged', 'parallel', 'failover'"),
    (in_group('fastest_ip = true'),
     "groups.direct.fastest_ip: true is not known; allowed: 'off', 'first', 'only'"),
    (in_group("hedge_percent = 101"), "groups.direct.hedge_percent: 101 is out of range; allowed: 0 to 100"),
    (in_group('via = "ftp://x"'), f"groups.direct.via: 'ftp://x' is not a proxy URL; allowed: {PROXY}"),
    (in_group('via = "ftp://me:secret@x"'),
     f"groups.direct.via: 'ftp://***@x' is not a proxy URL; allowed: {PROXY}"),
    (in_group('via = ["http://me:secret@x"]'),
     f"groups.direct.via: ['http://***@x'] is not text in quotes; allowed: {PROXY}"),
    (in_group('ca_file = "a\\u0000b"'),
     "groups.direct.ca_file: 'a\\x00b' is not a path; allowed: a path, relative to the config file"),
    ('[groups.a]\nupstreams = ["http://1.1.1.1/dns-query"]',
     f"groups.a.upstreams[0]: 'http://1.1.1.1/dns-query' is not encrypted; allowed: {URL}"),
    ('[groups.a]\nupstreams = ["https://me:pw@1.1.1.1/"]',
     f"groups.a.upstreams[0]: 'https://***@1.1.1.1/' has a user name or password; allowed: {URL}"),
    (section("bootstrap", 'servers = ["dns.google"]'),
     f"bootstrap.servers[0]: 'dns.google' is not an address; allowed: {BOOTSTRAP}"),
    (section("bootstrap", 'servers = ["https://dns.google/dns-query"]'),
     "bootstrap.servers[0]: 'https://dns.google/dns-query' has a host name, which nothing could resolve; "
     f"allowed: {BOOTSTRAP}"),
    (section("bootstrap", 'servers = ["udp://1.1.1.1"]'),
     f"bootstrap.servers[0]: 'udp://1.1.1.1' is not an https URL; allowed: {BOOTSTRAP}"),
    (rule('{ domains = ["*.a"], group = "direct" }'),
     f"routing.rules[0].domains[0]: '*.a' is not a domain name; allowed: {DOMAIN}"),
    (rule('{ types = ["AAA"], group = "direct" }'),
     "routing.rules[0].types[0]: 'AAA' is not a record type; allowed: "
     "a record type, as A, AAAA, HTTPS or TYPE65"),
    (rule('{ clients = ["me"], group = "direct" }'),
     f"routing.rules[0].clients[0]: 'me' is not a network; allowed: {NETWORK}"),
    (rule('{ domains = ["a"], action = "drop" }'),
     "routing.rules[0].action: 'drop' is not known; allowed: 'block'"),
    (section("lists.ads", 'url = "http://a.example/l"'),
     "lists.ads.url: 'http://a.example/l' is not encrypted; allowed: an https:// URL"),
    (section("lists.ads", 'format = "rpz"'), "lists.ads.format: 'rpz' is not known; allowed: "
     "'autoproxy', 'adblock', 'hosts', 'dnsmasq', 'domains', 'addresses'"),
    (section("lists.ads", 'on_missing = "fail"'),
     "lists.ads.on_missing: 'fail' is not known; allowed: 'open', 'closed'"),
    (section("block", 'answer = "none"'),
     "block.answer: 'none' is not known; allowed: 'null', 'nxdomain', 'refused'"),
    (section("cache", "dir = 5"), "cache.dir: 5 is not text in quotes; allowed: "
     'a directory, "none", or "" for the state directory'),
    (section("log", 'level = "loud"'),
     "log.level: 'loud' is not known; allowed: 'debug', 'info', 'warning', 'error'"),
    (section("log", "level = 1979-05-27"), "log.level: datetime.date(1979, 5, 27) is not known; allowed: "
     "'debug', 'info', 'warning', 'error'"),
    (section("local", 'zones_off = ["ä"]'),
     f"local.zones_off[0]: 'ä' has letters outside ASCII; allowed: {DOMAIN}"),
    (section("cache", f"entries = 0x{'f' * 5000}"),
     "cache.entries: a very long number is out of range; allowed: 1 to 1000000000"),
]  # fmt: skip

TOGETHER = [
    (section("listen", 'dns = ["127.0.0.1", "127.0.0.1:53"]'),
     "listen.dns[1]: '127.0.0.1:53' is there twice; allowed: each one once"),
    ('[groups.a]\nupstreams = ["https://1.1.1.1", "https://1.1.1.1:443/dns-query"]',
     "groups.a.upstreams[1]: 'https://1.1.1.1/dns-query' is there twice; allowed: each one once"),
    ('[groups.a]\nupstreams = ["https://127.0.0.1:5553"]',
     "groups.a.upstreams[0]: 'https://127.0.0.1:5553/dns-query' is an address we listen on ourselves; "
     "allowed: another server"),
    (section("bootstrap", 'servers = ["127.0.0.1:5553"]'),
     "bootstrap.servers[0]: '127.0.0.1:5553' is an address we listen on ourselves; allowed: another server"),
    ("[dashboard]\nlisten = '127.0.0.1:9153'\n[metrics]\nlisten = '127.0.0.1:9153'\n"
     "[groups.a]\nupstreams = ['https://1.1.1.1']",
     "metrics.listen: '127.0.0.1:9153' is where the dashboard is, too; allowed: another port"),
    (section("metrics", 'listen = "127.0.0.1:5553"'),
     "metrics.listen: '127.0.0.1:5553' is an address that questions are taken on; allowed: another port"),
    ('[groups.block]\nupstreams = ["https://1.1.1.1"]',
     "groups.block: 'block' has another meaning in overrides.json; allowed: any other name"),
    ('[groups.a]\nupstreams = ["https://dns.google"]',
     "groups.a.upstreams[0]: 'https://dns.google/dns-query' has a host name and nothing resolves it; "
     f"allowed: {SOME_BOOTSTRAP}"),
    ('[groups.a]\nupstreams = ["https://dns.google"]\nvia = "socks5://127.0.0.1"',
     "groups.a.upstreams[0]: 'https://dns.google/dns-query' has a host name and nothing resolves it; "
     f"allowed: {SOME_BOOTSTRAP}"),
    ('[groups.a]\nupstreams = ["https://dns.google"]\nvia = "socks5h://me:secret@proxy.example"',
     "groups.a.via: 'socks5h://proxy.example:1080' has a host name and nothing resolves it; "
     f"allowed: {SOME_BOOTSTRAP}"),
    (section("routing", 'default = "proxy"'), "routing.default: 'proxy' is not a group; allowed: direct"),
    (rule('{ domains = ["a"], group = "proxy" }'),
     "routing.rules[0].group: 'proxy' is not a group; allowed: direct"),
    (rule('{ list = "ads", action = "block" }'),
     "routing.rules[0].list: 'ads' is not a list; allowed: none, there is no [lists.NAME]"),
    (rule('{ list = "adds", action = "block" }') + '[lists.ads]\nfile = "a"',
     "routing.rules[0].list: 'adds' is not a list; allowed: ads"),
    (rule('{ list = "ips", action = "block" }') + '[lists.ips]\nfile = "a"\nformat = "addresses"',
     "routing.rules[0].list: 'ips' is not a list of names; allowed: none, there is no [lists.NAME]"),
    (section("groups.a", 'upstreams = ["https://1.1.1.1"]\nbogus_nxdomain = "ads"\n[lists.ads]\nfile = "a"'),
     "groups.a.bogus_nxdomain: 'ads' is not a list of addresses (format = \"addresses\"); "
     "allowed: none, there is no [lists.NAME] of addresses (format = \"addresses\")"),
    (section("lists.ips", 'file = "a"\nformat = "addresses"\non_missing = "closed"'),
     "lists.ips.on_missing: 'closed' is for lists of names: no question is looked up in this one; allowed: open"),
    (rule('{ domains = ["a"] }'),
     "routing.rules[0]: the rule has neither group nor action; allowed: exactly one of them"),
    (rule('{ domains = ["a"], group = "direct", action = "block" }'),
     "routing.rules[0]: the rule has both group and action; allowed: exactly one of them"),
    (rule('{ group = "direct" }'), "routing.rules[0]: the rule says nothing about when it applies; allowed: "
     "domains, list, types or clients; for everything else there is routing.default"),
    (section("lists.ads", 'format = "hosts"'),
     "lists.ads: the list comes from nowhere; allowed: url, file or both"),
    (section("cache", 'min_ttl = "1h"\nmax_ttl = "5m"'),
     "cache.min_ttl: '1h' is longer than cache.max_ttl; allowed: at most \"5m\""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line"), SHAPES + UNKNOWN_KEYS + VALUES + TOGETHER)
def test_one_thing_wrong_is_one_line(text: str, line: str) -> None:
    assert errors_of(text) == [line]


def test_all_that_is_wrong_is_said_at_once() -> None:
    text = '[groups.a]\nupstreams = ["ftp://x"]\ntimeout = "soon"\n[cache]\nprefetch = 1\nmin = 2\n'
    assert errors_of(text) == [
        f"groups.a.upstreams[0]: 'ftp://x' is not an https URL; allowed: {URL}",
        'groups.a.timeout: \'soon\' is not a duration; allowed: "10ms" to "1m", in ms, s, m, h or d',
        "cache.prefetch: 1 is neither true nor false; allowed: true, false",
        "cache.min: unknown key; did you mean cache.min_ttl?",
    ]


def test_the_error_carries_its_problems() -> None:
    with pytest.raises(BadConfigError) as caught:
        parse('[groups.a]\nupstreams = ["https://dns.google"]\n[routing]\ndefault = "b"')
    assert [problem.key for problem in caught.value.problems] == ["groups.a.upstreams[0]", "routing.default"]
    assert caught.value.key == "groups.a.upstreams[0]"


def test_a_long_value_is_shortened() -> None:
    (line,) = errors_of(in_group(f'strategy = "{"x" * 10_000}"'))
    assert len(line) < 250


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = ", "line 1, column 5: Invalid value"),
        ("[listen]\ndns == 1", "line 2, column 6: Invalid value"),
        ("[listen]\n[listen]", "line 2, column 8: Cannot declare ('listen',) twice"),
        ("[listen]\ndns = [", "line 2, column 8: Invalid value"),
        ("a = 1\na = 2", "line 2, column 6: Cannot overwrite a value"),
        ('a = "x', "line 1, column 7: Unterminated string"),
        ("a = " + "[" * 5000, "is nested too deeply"),
        ("a = " + "9" * 5000, "holds a number that is too long"),
    ],
)
def test_what_is_no_toml_is_placed(text: str, line: str) -> None:
    assert errors_of(text) == [f"config: {line}"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "holds no certificate"),
        (b"no PEM at all", "holds no certificate"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "holds no certificate"),
    ],
)
def test_a_ca_file_without_certificates(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    line = f"groups.direct.ca_file: '{path}' {reason}; allowed: {PEM}"
    assert errors_of(in_group('ca_file = "ca.pem"'), tmp_path) == [line]


def test_a_folder_is_no_ca_file(tmp_path: Path) -> None:
    line = f"groups.direct.ca_file: '{tmp_path}' cannot be read: Is a directory; allowed: {PEM}"
    assert errors_of(in_group('ca_file = "."'), tmp_path) == [line]


def test_a_key_is_no_certificate(tmp_path: Path) -> None:
    certificate = trustme.CA().issue_cert("a.example")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    line = f"groups.direct.ca_file: '{tmp_path}/key.pem' holds no certificate; allowed: {PEM}"
    assert errors_of(in_group('ca_file = "key.pem"'), tmp_path) == [line]


def test_a_ca_file_with_a_certificate(tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    settings = parse(in_group('ca_file = "ca.pem"'), folder=tmp_path)
    assert settings.groups["direct"].ca_file == tmp_path / "ca.pem"


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("SMARTDOH_LISTEN__DSN", "1", "listen.dsn: unknown key; did you mean listen.dns?"),
        ("SMARTDOH_LISTN__DNS", "1", "listn: unknown key; did you mean listen?"),
        ("SMARTDOH_LISTEN__DNS", "1.1.1.1", "listen.dns: '1.1.1.1' is not a list; allowed: a list in [ ]"),
        (
            "SMARTDOH_GROUPS__DIRECT__VIA",
            "ftp://x",
            f"groups.direct.via: 'ftp://x' is not a proxy URL; allowed: {PROXY}",
        ),
        ("SMARTDOH_LOG__LEVEL__X", "1", "log.level: {'x': 1} is not known"),
        ("SMARTDOH_ROUTING__DEFAULT", "nobody", "routing.default: 'nobody' is not a group; allowed: direct"),
        ("SMARTDOH__LOG__LEVEL", "info", "_log: unknown key; did you mean log?"),
        (
            "SMARTDOH_LOG__QUERIES",
            "yes",
            "log.queries: 'yes' is neither true nor false; allowed: true, false",
        ),
        ("SMARTDOH_CACHE__ENTRIES", "9" * 5000, "cache.entries: '99"),
        ("SMARTDOH_CACHE__ENTRIES", "[" * 5000, "cache.entries: '[["),
        ("SMARTDOH_LOG__LEVEL", "1\nx = 2", r"log.level: '1\nx = 2' is not known"),
        ("SMARTDOH_LOG__LEVEL", "\udcff", r"log.level: '\udcff' is not UTF-8; allowed: text"),
        ("SMARTDOH_GROUPS__NEW__TIMEOUT", "5s", "groups.new.upstreams: is missing; allowed: at least one"),
    ],
)
def test_an_error_names_the_variable_that_caused_it(variable: str, value: str, line: str) -> None:
    (error,) = errors_of(GROUP, environ={variable: value})
    assert error.startswith(line)
    assert error.endswith(f" (set by {variable})")


@pytest.mark.parametrize(
    ("via", "upstream", "is_sound"),
    [
        ("socks5://proxy.example:1080", "https://doh.example/dns-query", False),
        ("socks5h://proxy.example:1080", "https://doh.example/dns-query", True),
        ("socks5://192.0.2.1:1080", "https://doh.example/dns-query", True),
        ("socks5://proxy.example:1080", "https://192.0.2.2/dns-query", True),
    ],
)
def test_not_both_the_proxy_and_what_lies_behind_it_are_names(
    via: str, upstream: str, is_sound: bool
) -> None:
    """Only one of them could be found by bootstrap; the other would be looked up by the system's resolver."""
    text = f'[bootstrap]\nservers = ["192.0.2.53"]\n[groups.g]\nupstreams = ["{upstream}"]\nvia = "{via}"\n'
    if is_sound:
        parse(text)
        return
    with pytest.raises(ConfigError, match=r"groups\.g\.via: .*socks5h://, or the proxy by its address"):
        parse(text)


def test_dnstap_without_protobuf(monkeypatch: pytest.MonkeyPatch) -> None:
    """An extra that nobody has installed is said before anything begins."""
    text = section("dnstap", 'socket = "/tap.sock"')
    parse(text)
    monkeypatch.setattr(checks, "find_spec", lambda _: None)
    assert errors_of(text) == [
        "dnstap.socket: '/tap.sock' needs protobuf, which is not installed; "
        "allowed: after pip install smartdoh[dnstap]"
    ]
    parse(GROUP)


def test_the_identity_of_dnstap() -> None:
    (error,) = errors_of(section("dnstap", 'identity = "a\\nb"'))
    assert error == "dnstap.identity: 'a\\nb' is no name; allowed: at most 255 characters"
