"""The world that examples/split-routing.toml is written for, in small: every address and port of it answers.

`home` is where smartdoh runs. A cable leads to the `near` side, with the servers for bootstrap, those of the group
"direct" and the host of the lists as that group's servers name it. Another leads to the proxy and no further: the proxy
stands on the `far` side, where the servers of the group "proxy" are, and the host of the lists as those name it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.certificates import Authority
from tests.servers.files import FileServer
from tests.servers.internet import Internet
from tests.servers.namespaces import Cable, Inside, Namespace
from tests.servers.ports import is_listening
from tests.servers.process import ServerProcess
from tests.servers.proxies import ViaProxy
from tests.servers.required import require_server

LISTS_HOST = "raw.githubusercontent.com"
LISTS_NEAR, LISTS_FAR = "185.199.109.133", "185.199.108.133"
BOOTSTRAP = ("223.5.5.5", "1.1.1.1")
DIRECT = ("1.12.12.12", "223.5.5.5")
PROXY = ("8.8.8.8",)  # 1.1.1.1 is not there, so that the one which has to be found by its name is needed
PROXY_HOST, PROXY_PORT = "192.168.5.8", 7899
HOSTS = {"doh.pub": DIRECT[0], "dns.alidns.com": DIRECT[1], "dns.google": PROXY[0]}
DNS, HTTPS = 53, 443
OTHERS_NEAR, OTHERS_FAR = "198.51.100.99", "203.0.113.99"  # every name that is not told otherwise
TTL = 300

Records = Mapping[str, Sequence[str]]
"""Names without their last dot; of each, records as `A 192.0.2.1`, with a TTL before that where it is another."""

LaunchProxy = Callable[..., AbstractContextManager[ViaProxy]]


@dataclass(frozen=True, slots=True)
class BothSides:
    """The world while it is there. Nothing is plugged in at first."""

    home: Internet
    bootstrap: ServerProcess
    direct: ServerProcess
    proxied: ServerProcess
    near_lists: FileServer
    far_lists: FileServer
    proxy: ViaProxy
    cables: tuple[Cable, ...]

    def plug(self) -> None:
        """The network comes."""
        for cable in self.cables:
            cable.plug()

    def pull(self) -> None:
        """The network goes: nobody is reached any more."""
        for cable in self.cables:
            cable.pull()

    def asked_direct(self, name: str) -> int:
        """How many questions for a name the servers of "direct" had."""
        return self.direct.log.count(f" {name}. ")

    def asked_proxied(self, name: str) -> int:
        """How many questions for a name the servers of "proxy" had."""
        return self.proxied.log.count(f"query: {name} ")

    def asked_bootstrap(self, name: str) -> int:
        """How many questions for a name, however it was spelled, the servers for bootstrap had."""
        return self.bootstrap.log.lower().count(f" {name}. ")


@contextmanager
def both_sides(
    directory: Path, authority: Authority, launch: LaunchProxy, near: Records, far: Records
) -> Iterator[BothSides]:
    """The world, with what the groups' servers say of names, and a proxy that `launch` starts."""
    certificates = [
        authority.issue("near", *HOSTS), authority.issue("far", *HOSTS, *PROXY), authority.issue("lists", LISTS_HOST)
    ]  # fmt: skip
    for name in ("bootstrap", "direct", "proxied"):
        (directory / name).mkdir()
    with ExitStack() as stack:
        home = stack.enter_context(Internet())
        near_side = stack.enter_context(Namespace(*sorted({*BOOTSTRAP, *DIRECT, LISTS_NEAR})))
        far_side = stack.enter_context(Namespace(*PROXY, LISTS_FAR))
        isp = Cable("isp", home, "10.78.0.2/24", near_side, "10.78.0.1/24", ("default",)).lay()
        lan = Cable("lan", home, "192.168.5.2/24", far_side, f"{PROXY_HOST}/24").lay()

        def serve(side: Inside, name: str, argv: list[str], address: str, port: int) -> ServerProcess:
            process = side.run(lambda: ServerProcess(name, argv, directory / name))
            stack.callback(process.stop)
            process.wait_until(lambda: side.run(lambda: is_listening(port, address)))
            return process

        def lists(side: Inside, address: str) -> FileServer:
            return stack.enter_context(side.run(lambda: FileServer(address, HTTPS, certificates[2])))

        bootstrap = _unbound(directory / "bootstrap", [f"{address}@{DNS}" for address in BOOTSTRAP],
                             {name: [f"A {address}"] for name, address in HOSTS.items()})  # fmt: skip
        tls = f"""\
    https-port: {HTTPS}
    tls-service-key: "{certificates[0].key}"
    tls-service-pem: "{certificates[0].chain}"
"""
        direct = _unbound(directory / "direct", [f"{address}@{HTTPS}" for address in DIRECT],
                          {LISTS_HOST: [f"A {LISTS_NEAR}"], **near}, tls)  # fmt: skip
        proxied = _bind(directory / "proxied", {LISTS_HOST: [f"A {LISTS_FAR}"], **far}, certificates[1].key,
                        certificates[1].chain)  # fmt: skip
        hosts = directory / "hosts"
        hosts.write_text(f"{PROXY[0]} dns.google\n{LISTS_FAR} {LISTS_HOST}\n")
        launched = launch(directory, host=PROXY_HOST, port=PROXY_PORT, prefix=_with_hosts(hosts))
        proxy = far_side.run(launched.__enter__)
        stack.callback(launched.__exit__, None, None, None)
        yield BothSides(
            home,
            serve(near_side, "bootstrap", bootstrap, BOOTSTRAP[0], DNS),
            serve(near_side, "direct", direct, DIRECT[0], HTTPS),
            serve(far_side, "proxied", proxied, PROXY[0], HTTPS),
            lists(near_side, LISTS_NEAR),
            lists(far_side, LISTS_FAR),
            proxy,
            (isp, lan),
        )


def _with_hosts(hosts: Path) -> tuple[str, ...]:
    """A command before a command, which then has these hosts and no others."""
    script = 'mount --bind "$0" /etc/hosts && exec "$@"'
    return (require_server("unshare"), "-m", "sh", "-c", script, str(hosts))


def _unbound(home: Path, interfaces: Sequence[str], records: Records, more: str = "") -> list[str]:
    """Unbound with these records; any other name has one address, nobody is asked."""
    zones = {".": [f"A {OTHERS_NEAR}"], **records}
    lines = [f'    local-zone: "{name}" {"redirect" if name == "." else "static"}' for name in zones]
    lines += [
        f"    local-data: '{name} {_with_ttl(record)}'" for name, found in zones.items() for record in found
    ]
    config = home / "unbound.conf"
    config.write_text(
        "\n".join(
            [
                "server:",
                *(f"    interface: {interface}" for interface in interfaces),
                "    access-control: 0.0.0.0/0 allow",
                '    module-config: "iterator"',
                "    do-not-query-address: 0.0.0.0/0",
                "    do-not-query-address: ::/0",
                "    num-threads: 1",
                "    use-syslog: no",
                '    logfile: ""',
                "    log-queries: yes",
                '    chroot: ""',
                '    username: ""',
                f'    directory: "{home}"',
                '    pidfile: ""',
                more,
                *lines,
                "remote-control:",
                "    control-enable: no",
                "",
            ]
        )
    )
    return [require_server("unbound"), "-d", "-p", "-c", str(config)]


def _bind(home: Path, records: Records, key: Path, chain: Path) -> list[str]:
    """BIND 9 with a root of its own that has these records, and one address for any other name."""
    lines = [f"{name}. {_with_ttl(record)}" for name, found in records.items() for record in found]
    above = {name.partition(".")[2] for name in records}
    above |= {name.partition(".")[2] for name in above}
    stars = [f"*.{name} {TTL} IN A {OTHERS_FAR}" for name in {"", *(f"{name}." for name in above if name)}]
    soa = [
        ". 300 IN SOA ns.test. host.test. 1 7200 3600 1209600 60",
        ". 300 IN NS ns.test.",
        "ns.test. 300 IN A 8.8.8.8",
    ]
    zone = home / "root.zone"
    zone.write_text("\n".join([*soa, *stars, *lines, ""]))
    config = home / "named.conf"
    config.write_text(
        f"""\
tls local-tls {{ key-file "{key}"; cert-file "{chain}"; }};
http local-http {{ endpoints {{ "/dns-query"; }}; }};
options {{
    directory "{home}";
    managed-keys-directory "{home}";
    pid-file none;
    session-keyfile none;
    listen-on port {HTTPS} tls local-tls http local-http {{ {"; ".join(PROXY)}; }};
    listen-on-v6 {{ none; }};
    recursion no;
    notify no;
    querylog yes;
    dnssec-validation no;
    empty-zones-enable no;
    allow-query {{ any; }};
}};
controls {{ }};
zone "." {{ type primary; file "{zone}"; }};
"""
    )
    return [require_server("named"), "-g", "-n", "1", "-c", str(config)]


def _with_ttl(record: str) -> str:
    ttl, _, rest = record.partition(" ")
    return f"{ttl} IN {rest}" if ttl.isdigit() else f"{TTL} IN {record}"
