"""Configurations of the four DoH servers: each writes its files and returns the command that runs it.

All of them run in the foreground, keep their files in their own directory, and have everything that looks
outside switched off: trust anchors, root priming, security polling, time checks.
"""

from dataclasses import dataclass
from pathlib import Path

from tests.servers.certificates import Certificate
from tests.servers.ports import has_ipv6
from tests.servers.zone import ORIGIN, ZONE_TEXT


@dataclass(frozen=True, slots=True)
class Place:
    """Where one server is to run, and with what."""

    program: str
    home: Path
    doh_port: int
    plain_port: int
    certificate: Certificate
    path: str
    backend_port: int
    extra: str

    def write(self, name: str, text: str) -> Path:
        """A file in the server's own directory."""
        file = self.home / name
        file.write_text(text)
        return file

    def write_zone(self) -> Path:
        """The tests' zone as a master file."""
        return self.write("smartdoh.zone", ZONE_TEXT)


def unbound(place: Place) -> list[str]:
    """Unbound with the zone as an authoritative one; any other name is refused, nobody is asked."""
    config = place.write(
        "unbound.conf",
        f"""\
server:
    interface: 127.0.0.1@{place.doh_port}
    {f"interface: ::1@{place.doh_port}" if has_ipv6() else ""}
    interface: 127.0.0.1@{place.plain_port}
    https-port: {place.doh_port}
    http-endpoint: "{place.path}"
    tls-service-key: "{place.certificate.key}"
    tls-service-pem: "{place.certificate.chain}"
    access-control: 127.0.0.0/8 allow
    access-control: ::1/128 allow
    module-config: "iterator"
    do-not-query-localhost: yes
    do-not-query-address: 0.0.0.0/0
    do-not-query-address: ::/0
    local-zone: "." refuse
    local-zone: "{ORIGIN}" transparent
    num-threads: 1
    use-syslog: no
    logfile: ""
    verbosity: 1
    chroot: ""
    username: ""
    directory: "{place.home}"
    pidfile: ""
auth-zone:
    name: "{ORIGIN}"
    zonefile: "{place.write_zone()}"
    for-downstream: yes
    for-upstream: no
    fallback-enabled: no
remote-control:
    control-enable: no
{place.extra}
""",
    )
    return [place.program, "-d", "-p", "-c", str(config)]


def bind9(place: Place) -> list[str]:
    """BIND 9 as a server of the zone alone, without recursion."""
    ipv6 = f"listen-on-v6 port {place.doh_port} tls local-tls http local-http {{ ::1; }};"
    config = place.write(
        "named.conf",
        f"""\
tls local-tls {{ key-file "{place.certificate.key}"; cert-file "{place.certificate.chain}"; }};
http local-http {{ endpoints {{ "{place.path}"; }}; }};
options {{
    directory "{place.home}";
    managed-keys-directory "{place.home}";
    pid-file none;
    session-keyfile none;
    listen-on port {place.plain_port} {{ 127.0.0.1; }};
    listen-on port {place.doh_port} tls local-tls http local-http {{ 127.0.0.1; }};
    {ipv6 if has_ipv6() else "listen-on-v6 { none; };"}
    recursion no;
    notify no;
    dnssec-validation no;
    empty-zones-enable no;
    allow-query {{ 127.0.0.0/8; ::1; }};
}};
controls {{ }};
zone "{ORIGIN}" {{ type primary; file "{place.write_zone()}"; }};
{place.extra}
""",
    )
    return [place.program, "-g", "-n", "1", "-c", str(config)]


def dnsdist(place: Place) -> list[str]:
    """dnsdist in front of the plain backend; with port 0 there is none, and `extra` says what it answers.

    It does not check the backend's health: on a busy machine that check is late, and then every question gets 403.
    """
    addresses = ["127.0.0.1", "[::1]"] if has_ipv6() else ["127.0.0.1"]
    backend = f"newServer('127.0.0.1:{place.backend_port}'):setUp()"
    listeners = "\n".join(
        f"addDOHLocal('{address}:{place.doh_port}', '{place.certificate.chain}', '{place.certificate.key}', "
        f"'{place.path}')"
        for address in addresses
    )
    config = place.write(
        "dnsdist.conf",
        f"""\
setSecurityPollSuffix("")
setLocal('127.0.0.1:{place.plain_port}')
setACL({{'127.0.0.0/8', '::1/128'}})
{listeners}
{backend if place.backend_port else ""}
{place.extra}
""",
    )
    return [place.program, "--supervised", "--disable-syslog", "-C", str(config)]


def knot_resolver(place: Place) -> list[str]:
    """Knot Resolver that stubs the zone to the plain backend and refuses every other name."""
    ipv6 = f"net.listen('::1', {place.doh_port}, {{ kind = 'doh2' }})" if has_ipv6() else ""
    config = place.write(
        "kresd.conf",
        f"""\
for _, name in ipairs({{'ta_update', 'ta_signal_query', 'priming', 'detect_time_skew'}}) do
    modules.unload(name)
end
trust_anchors.remove('.')
net.tls('{place.certificate.chain}', '{place.certificate.key}')
net.listen('127.0.0.1', {place.doh_port}, {{ kind = 'doh2' }})
{ipv6}
net.listen('127.0.0.1', {place.plain_port}, {{ kind = 'dns' }})
policy.add(policy.suffix(policy.STUB({{'127.0.0.1@{place.backend_port}'}}), {{todname('{ORIGIN}')}}))
policy.add(policy.all(policy.REFUSE))
cache.size = 4 * MB
{place.extra}
""",
    )
    return [place.program, "-n", "-c", str(config), str(place.home)]
