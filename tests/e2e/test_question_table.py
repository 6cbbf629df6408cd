"""What each kind of question gets, asked from outside over UDP and TCP: malformed, special, local, plain."""

import socket
import struct
from collections.abc import Iterator

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.reversename
import pytest

import smartdoh as product
from tests.conftest import GROUP, StartProxy, settings_for
from tests.e2e.messages import addresses, frame, question, read_frame, read_frame_bytes
from tests.servers.certificates import Authority
from tests.servers.scripted import ScriptedServer
from tests.servers.smartdoh import RunningProxy, start_proxy

NAME = b"\x03one\x08smartdoh\x07example\x00"
A_IN = b"\x00\x01\x00\x01"
OPT = b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00"
RD = 0x0100
UNKNOWN_OPTION = dns.edns.OptionType.make(65_001)
TRANSPORTS = ["udp", "tcp"]
REVERSE_PRIVATE = [
    "0.0.0.1",
    "10.0.0.1",
    "10.255.255.255",
    "127.0.0.2",
    "169.254.1.1",
    "172.16.0.1",
    "172.31.255.1",
    "192.0.2.1",
    "192.168.0.1",
    "192.168.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "255.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "::",
    "::1",
    "fd00::1",
    "fe80::1",
    "febf::1",
    "2001:db8::1",
]  # RFC 6303 sections 4.2 to 4.6, RFC 7793
REVERSE_PUBLIC = [
    "9.9.9.9",
    "172.15.0.1",
    "172.32.0.1",
    "100.63.0.1",
    "100.128.0.1",
    "192.167.0.1",
    "2001:db9::1",
]


@pytest.fixture(scope="module")
def server(authority: Authority) -> Iterator[ScriptedServer]:
    """The upstream of the shared proxy."""
    with ScriptedServer(authority.good) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(
    server: ScriptedServer, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningProxy]:
    """One proxy for the whole table: what one question does must not reach the next."""
    running = start_proxy(settings_for(server.url, authority=authority), tmp_path_factory.mktemp("proxy"))
    yield running
    running.stop()


def header(
    flags: int = RD, counts: tuple[int, int, int, int] = (1, 0, 0, 0), message_id: int = 0x5151
) -> bytes:
    return struct.pack("!6H", message_id, flags, *counts)


def exchange_bytes(proxy: RunningProxy, transport: str, wire: bytes) -> bytes:
    """The first thing that comes back for these bytes."""
    if transport == "udp":
        with proxy.udp_socket() as client:
            client.send(wire)
            return client.recv(65_535)
    with proxy.tcp_socket() as stream:
        stream.sendall(frame(wire))
        answer = read_frame_bytes(stream)
        assert answer is not None, "closed without an answer"
        return answer


def exchange(proxy: RunningProxy, transport: str, wire: bytes) -> dns.message.Message:
    """The first message that comes back for these bytes."""
    return dns.message.from_wire(exchange_bytes(proxy, transport, wire))


def ask(proxy: RunningProxy, transport: str, query: dns.message.Message) -> dns.message.Message:
    return proxy.udp(query) if transport == "udp" else proxy.tcp(query)


SILENT = {
    "nothing": b"",
    "one byte": b"\x00",
    "eleven bytes": header()[:11],
    "an answer": header(0x8180) + NAME + A_IN,
    "an answer without a question": header(0x8180, (0, 0, 0, 0)),
}


@pytest.mark.parametrize("kind", list(SILENT))
def test_udp_silence(proxy: RunningProxy, kind: str) -> None:
    """The next thing heard on the socket is the answer to the next question, not to this."""
    with proxy.udp_socket() as client:
        client.send(SILENT[kind])
        query = question("localhost.")
        client.send(query.to_wire())
        assert dns.message.from_wire(client.recv(65_535)).id == query.id


@pytest.mark.parametrize("kind", list(SILENT))
def test_tcp_silence(proxy: RunningProxy, kind: str) -> None:
    """Over TCP the connection may go on or end, but nothing answers such bytes."""
    with proxy.tcp_socket() as client:
        query = question("localhost.")
        client.sendall(frame(SILENT[kind]))
        try:
            client.sendall(frame(query.to_wire()))
            answer = read_frame(client)
        except (ConnectionResetError, BrokenPipeError):
            return
        assert answer is None or answer.id == query.id


FORMAT_ERRORS = {
    "no question": header(counts=(0, 0, 0, 0)),
    "two questions": header(counts=(2, 0, 0, 0)) + (NAME + A_IN) * 2,
    "question missing": header(),
    "label runs past the end": header() + b"\x3fabc",
    "name without an end": header() + b"\x03abc",
    "label type 0x40": header() + b"\x43abc\x00" + A_IN,
    "pointer to itself": header() + b"\xc0\x0c" + A_IN,
    "pointer forwards": header() + b"\xc0\x20" + A_IN + bytes(16),
    "name over 255 bytes": header() + (b"\x3f" + b"a" * 63) * 4 + b"\x00" + A_IN,
    "question cut short": header() + NAME + b"\x00",
    "trailing junk": header() + NAME + A_IN + b"junk",
    "two OPT records": header(counts=(1, 0, 0, 2)) + NAME + A_IN + OPT * 2,
    "OPT that is not at the root": header(counts=(1, 0, 0, 1)) + NAME + A_IN + b"\x01a" + OPT,
    "OPT whose options run past its end": header(counts=(1, 0, 0, 1)) + NAME + A_IN
    + b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x04\x00\x0a\x00\x40",
    "OPT announced but missing": header(counts=(1, 0, 0, 1)) + NAME + A_IN,
}  # fmt: skip


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("kind", list(FORMAT_ERRORS))
def test_formerr(proxy: RunningProxy, kind: str, transport: str) -> None:
    wire = FORMAT_ERRORS[kind]
    answer = exchange(proxy, transport, wire)
    assert answer.rcode() == dns.rcode.FORMERR
    assert answer.id == 0x5151
    assert not answer.answer
    assert len(answer.to_wire()) <= max(len(wire), 12)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("opcode", [1, 2, 3, 4, 5, 6, 15])
def test_other_opcodes(proxy: RunningProxy, opcode: int, transport: str) -> None:
    for wire in (header(opcode << 11) + NAME + A_IN, header(opcode << 11, (0, 0, 0, 0))):
        answer = exchange_bytes(proxy, transport, wire)
        message_id, flags = struct.unpack_from("!2H", answer)
        assert message_id == 0x5151
        assert dns.opcode.from_flags(flags) == opcode
        assert flags & 0xF == dns.rcode.NOTIMP
        assert len(answer) <= len(wire)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("version", [1, 2, 255])
def test_newer_edns(proxy: RunningProxy, version: int, transport: str) -> None:
    answer = ask(proxy, transport, question("one", use_edns=version))
    assert answer.rcode() == dns.rcode.BADVERS
    assert answer.edns == 0
    assert not answer.answer


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("rdtype", ["AXFR", "IXFR"])
def test_transfers_are_refused(proxy: RunningProxy, rdtype: str, transport: str) -> None:
    query = dns.message.make_query("smartdoh.example.", rdtype)
    assert exchange(proxy, transport, query.to_wire()).rcode() == dns.rcode.REFUSED


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_any_is_answered_small(proxy: RunningProxy, server: ScriptedServer, transport: str) -> None:
    answer = ask(proxy, transport, question("several", "ANY"))
    assert answer.rcode() == dns.rcode.NOERROR
    [rrset] = answer.answer
    assert rrset.rdtype == dns.rdatatype.HINFO
    assert rrset[0].cpu == b"RFC8482"
    assert not server.asked("several.smartdoh.example.", "ANY")


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", ["version.bind.", "id.server.", "VERSION.BIND."])
def test_chaos_names_the_product(proxy: RunningProxy, name: str, transport: str) -> None:
    query = dns.message.make_query(name, "TXT", "CH")
    answer = ask(proxy, transport, query)
    assert answer.rcode() == dns.rcode.NOERROR
    assert b"smartdoh" in answer.answer[0][0].strings[0].lower()


def test_other_chaos_names_stay_here(proxy: RunningProxy, server: ScriptedServer) -> None:
    answer = proxy.udp(dns.message.make_query("authors.bind.", "TXT", "CH"))
    assert answer.rcode() == dns.rcode.REFUSED
    assert not server.asked("authors.bind.", "TXT")


def test_hidden_version(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    proxy = smartdoh(upstream.url, sections={"listen": {"hide_version": True}})
    for name in ("version.bind.", "id.server."):
        answer = proxy.udp(dns.message.make_query(name, "TXT", "CH"))
        assert answer.rcode() == dns.rcode.REFUSED
        assert product.__version__.encode() not in answer.to_wire()


LOCALHOST = [("A", ["127.0.0.1"]), ("AAAA", ["::1"]), ("TXT", []), ("MX", [])]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", ["localhost.", "www.LocalHost."])
@pytest.mark.parametrize(("rdtype", "wanted"), LOCALHOST)
def test_localhost(proxy: RunningProxy, name: str, rdtype: str, wanted: list[str], transport: str) -> None:
    answer = ask(proxy, transport, question(name, rdtype))
    assert answer.rcode() == dns.rcode.NOERROR
    assert addresses(answer) == wanted


ABSENT = ["a.invalid.", "a.test.", "a.b.test.", "hidden.onion.", "printer.local.",
          "nas.home.arpa.", "printer.", "PRINTER."]  # fmt: skip


@pytest.mark.parametrize("name", ABSENT)
@pytest.mark.parametrize("rdtype", ["A", "AAAA"])
def test_special_names_do_not_exist(
    proxy: RunningProxy, server: ScriptedServer, name: str, rdtype: str
) -> None:
    answer = proxy.udp(question(name, rdtype))
    assert answer.rcode() == dns.rcode.NXDOMAIN
    assert not answer.answer
    assert any(rrset.rdtype == dns.rdatatype.SOA for rrset in answer.authority), "nothing to cache it by"
    assert not server.asked(name, rdtype)


def test_no_designated_resolver(proxy: RunningProxy, server: ScriptedServer) -> None:
    answer = proxy.udp(question("_dns.resolver.arpa.", "SVCB"))
    assert (answer.rcode(), answer.answer) == (dns.rcode.NOERROR, [])  # RFC 9462 section 4
    assert not server.asked("_dns.resolver.arpa.", "SVCB")


@pytest.mark.parametrize("address", REVERSE_PRIVATE)
def test_private_reverse_names_stay_here(proxy: RunningProxy, server: ScriptedServer, address: str) -> None:
    name = dns.reversename.from_address(address).to_text()
    answer = proxy.udp(question(name, "PTR"))
    assert answer.rcode() in {dns.rcode.NXDOMAIN, dns.rcode.NOERROR}
    assert not server.asked(name, "PTR")


@pytest.mark.parametrize("address", REVERSE_PUBLIC)
def test_public_reverse_names_are_asked(proxy: RunningProxy, server: ScriptedServer, address: str) -> None:
    name = dns.reversename.from_address(address).to_text()
    proxy.udp(question(name, "PTR"))
    assert server.asked(name, "PTR") >= 1


def test_an_explicit_rule_sends_a_local_name_upstream(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    rules = [{"domains": ["home.arpa"], "group": GROUP}]
    proxy = smartdoh(upstream.url, sections={"routing": {"default": GROUP, "rules": rules}})
    proxy.udp(question("nas.home.arpa."))
    proxy.udp(question("printer.local."))
    assert upstream.asked("nas.home.arpa.") == 1
    assert upstream.asked("printer.local.") == 0


def test_outsiders_are_refused(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    proxy = smartdoh(upstream.url, sections={"listen": {"allow": ["127.0.0.2/32"]}})
    assert proxy.tcp(question("one")).rcode() == dns.rcode.REFUSED
    with proxy.udp_socket() as client, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as insider:
        for number in range(500):
            client.send(question("one", id=number).to_wire())
        insider.settimeout(10)
        insider.bind(("127.0.0.2", 0))
        insider.sendto(question("one").to_wire(), ("127.0.0.1", proxy.port))
        assert dns.message.from_wire(insider.recv(65_535)).rcode() == dns.rcode.NOERROR
        heard = drain(client)
    assert {answer.rcode() for answer in heard} <= {dns.rcode.REFUSED}
    assert len(heard) < 250, "REFUSED is not bounded: good for amplification"
    assert upstream.asked("one.smartdoh.example.") == 1


def drain(client: socket.socket) -> list[dns.message.Message]:
    """What has already arrived on a socket."""
    client.setblocking(False)
    found = []
    while True:
        try:
            found.append(dns.message.from_wire(client.recv(65_535)))
        except BlockingIOError:
            return found


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("recursion_desired", [True, False])
@pytest.mark.parametrize("round_number", [1, 2])
def test_header_and_question_come_back(
    proxy: RunningProxy, transport: str, recursion_desired: bool, round_number: int
) -> None:
    """Also from the cache: id, RD, CD, the question as it was spelled, and no more (RFC 1035, 4343)."""
    spelled = b"\x03OnE\x08SmartDoH\x07eXaMpLe\x00"
    flags = (RD if recursion_desired else 0) | 0x0010 | 0x0040  # CD, and Z which must not come back
    wire = header(flags, message_id=0x7000 + round_number) + spelled + A_IN
    with proxy.udp_socket() as client:
        client.send(wire)
        raw = client.recv(65_535)
    answer = exchange(proxy, transport, wire)
    assert raw[12 : 12 + len(spelled) + 4] == spelled + A_IN
    assert answer.id == 0x7000 + round_number
    assert bool(answer.flags & dns.flags.RD) == recursion_desired
    assert answer.flags & dns.flags.QR
    assert answer.flags & dns.flags.RA
    assert answer.flags & dns.flags.CD
    assert not answer.flags & dns.flags.AA
    assert not int(answer.flags) & 0x0040
    assert answer.opt is None, "an OPT that nobody had sent (RFC 6891 section 7)"


def test_unknown_edns_options_and_flags_are_ignored(proxy: RunningProxy) -> None:
    options = [dns.edns.GenericOption(UNKNOWN_OPTION, content) for content in (b"whatever", b"")]
    answer = proxy.udp(question("one", options=options, ednsflags=0x4FFF))
    assert answer.rcode() == dns.rcode.NOERROR
    assert answer.edns == 0
    assert answer.ednsflags & 0x7FFF == 0
    assert not answer.options


@pytest.mark.parametrize(("payload", "limit"), [(512, 512), (100, 512), (1232, 1232), (65_535, 1232)])
def test_udp_answers_fit_what_was_announced(proxy: RunningProxy, payload: int, limit: int) -> None:
    with proxy.udp_socket() as client:
        client.send(question("long", "TXT", payload=payload).to_wire())
        wire = client.recv(65_535)
    assert len(wire) <= limit
    assert dns.message.from_wire(wire).flags & dns.flags.TC
    assert not proxy.tcp(question("long", "TXT")).flags & dns.flags.TC


def test_udp_without_edns_gets_512_bytes(proxy: RunningProxy) -> None:
    with proxy.udp_socket() as client:
        client.send(question("long", "TXT", use_edns=-1).to_wire())
        wire = client.recv(65_535)
    assert len(wire) <= 512
    assert dns.message.from_wire(wire).flags & dns.flags.TC
