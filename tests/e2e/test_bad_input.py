"""Bytes that nobody should send, by the thousand: the proxy goes on, and answers the next one right."""

import contextlib
import random
import threading

import dns.exception
import dns.message
import dns.rcode
import pytest

from tests.conftest import StartProxy
from tests.e2e.messages import addresses, ask_together, frame, question, until
from tests.servers.scripted import ScriptedServer, replies
from tests.servers.scripted.replies import Reply, Request
from tests.servers.smartdoh import RunningProxy

SEED = 20_260_101
PACKETS = 3_000
MEBIBYTE = 1 << 20
WANTED = ["203.0.113.1"]
QUERIES = [
    question("one"),
    question("several", "AAAA", use_edns=-1),
    question("odd", "TYPE65400", want_dnssec=True),
    question("localhost."),
    dns.message.make_query("version.bind.", "TXT", "CH"),
]


def mutated(wire: bytes, chance: random.Random) -> bytes:
    """The message with a few bytes changed, cut, doubled or added."""
    changed = bytearray(wire)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(changed) + 1)
        match chance.randrange(4):
            case 0:
                changed[place : place + 1] = bytes([chance.randrange(256)])
            case 1:
                del changed[place:]
            case 2:
                changed += changed[place : place + 20]
            case _:
                changed[place:place] = chance.choice([b"\xc0\x0c", b"\xff\xff", b"\0", b"\x3f", b"\xc0\x00"])
        changed = changed or bytearray(b"\0")
    return bytes(changed)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_mutated_queries(upstream: ScriptedServer, smartdoh: StartProxy, transport: str) -> None:
    chance = random.Random(SEED)
    proxy = smartdoh(upstream.url)
    proxy.udp(question("one"))
    memory = proxy.rss
    sent = [mutated(chance.choice(QUERIES).to_wire(), chance) for _ in range(PACKETS)]
    if transport == "udp":
        with proxy.udp_socket() as client:
            for number, wire in enumerate(sent):
                client.send(wire)
                if number % 100 == 0:
                    assert addresses(proxy.udp(question("one"))) == WANTED
    else:
        for start in range(0, PACKETS, 60):
            with proxy.tcp_socket() as stream, contextlib.suppress(ConnectionError):
                stream.sendall(b"".join(frame(wire) for wire in sent[start : start + 60]))
            assert addresses(proxy.tcp(question("one"))) == WANTED
    assert addresses(proxy.udp(question("one"))) == WANTED
    assert proxy.rss - memory < 32 * MEBIBYTE


def test_mutated_answers(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    """Whatever they are taken for, a client gets a message that parses and is about its own question."""
    chance, lock = random.Random(SEED), threading.Lock()

    def broken(_request: Request, answer: dns.message.Message) -> Reply:
        with lock:
            return Reply(body=mutated(replies.wire_of(answer), chance))

    upstream.behave(broken)
    proxy = smartdoh(upstream.url)
    for part in range(8):
        kinds = ["A", "MX", "TXT", "HTTPS"]
        queries = [question(f"n{part}-{n}.wild", kinds[n % len(kinds)]) for n in range(50)]
        for query, answer in zip(queries, ask_together(proxy, queries), strict=True):
            assert answer.question == query.question
            assert answer.rcode() <= dns.rcode.BADVERS
    upstream.behave(replies.right)
    until(lambda: proxy.udp(question("one")), lambda got: addresses(got) == WANTED)


def test_descriptors_run_out(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    """UDP and the upstream go on; TCP comes back with the first descriptor that comes free."""
    proxy = smartdoh(upstream.url, prefix=("prlimit", "--nofile=48:48"))
    proxy.udp(question("one"))
    with contextlib.ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(proxy.tcp_socket())
        assert addresses(proxy.udp(question("one"))) == WANTED
        assert proxy.udp(question("several")).rcode() == dns.rcode.NOERROR
    until(lambda: tcp_or_nothing(proxy), lambda got: addresses(got) == WANTED)


def tcp_or_nothing(proxy: RunningProxy) -> dns.message.Message:
    """An answer over TCP, or an empty message where there was none."""
    try:
        return proxy.tcp(question("one"))
    except (OSError, EOFError, dns.exception.DNSException):
        return dns.message.Message()
