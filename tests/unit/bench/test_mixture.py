"""The realistic mix: its shares, and the C program that answers it."""

import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.exception
import dns.message
import dns.rcode
import pytest

from bench import mixture
from bench.compiled import compile_c
from bench.scenarios.mix import divided
from bench.workspace import free_port
from tests.servers.required import require_server

QUESTIONS = 50_000


def test_names_say_how_they_are_answered() -> None:
    name = mixture.name_of("m", 7, 80, 3_600)
    assert name == "m7-80-3600.mix.example.com"
    assert mixture.delay_of(name) == 0.080


def test_a_rank_always_has_the_same_name() -> None:
    mixture.named.cache_clear()
    first = mixture.named("m", 3)
    mixture.named.cache_clear()
    assert mixture.named("m", 3) == first


def test_shares_delays_and_lives_are_as_promised() -> None:
    lines = [line.split() for line in mixture.drawn(1, QUESTIONS)]
    assert lines == [line.split() for line in mixture.drawn(1, QUESTIONS)]
    types = Counter(qtype for _, qtype in lines)
    assert 0.84 < types["A"] / QUESTIONS < 0.86
    assert types["AAAA"] + types["HTTPS"] == QUESTIONS - types["A"]
    names = {name for name, _ in lines}
    assert 0.025 < sum(name.startswith("x") for name, _ in lines) / QUESTIONS < 0.035
    assert {round(1e3 * mixture.delay_of(name)) for name in names} == set(range(5, 81))
    lives = [int(name.split("-")[2].partition(".")[0]) for name in names]
    assert (min(lives) >= 5, max(lives) <= 3_600, min(lives) < 10, max(lives) > 3_000) == (True,) * 4
    first = sum(name.startswith("m0-") for name, _ in lines) / QUESTIONS
    assert 0.07 < first < 0.09  # 0.97 of 1 / (1 + 1/2 + ... + 1/100,000)


def test_an_answer_before_its_delay_is_a_hit() -> None:
    name = mixture.name_of("m", 1, 20, 60)
    assert divided([(name, 0.019), (name, 0.020)]) == ([0.019], [(name, 0.020)])


@contextmanager
def started(name: str, folder: Path) -> Iterator[socket.socket]:
    """One of the C programs, and a socket to ask it by."""
    require_server("cc")
    port = free_port()
    with (
        subprocess.Popen([compile_c(name, folder), str(port)]) as process,
        socket.socket(type=socket.SOCK_DGRAM) as sock,
    ):
        try:
            sock.connect(("127.0.0.1", port))
            sock.settimeout(0.2)
            yield sock
        finally:
            process.terminate()


def ask(sock: socket.socket, name: str, qtype: str, edns: int) -> dns.message.Message:
    """The question is sent again until a message comes back; that is checked against the question."""
    question = dns.message.make_query(name, qtype, use_edns=edns, want_dnssec=edns == 0)
    for _ in range(1_000):
        try:
            sock.send(question.to_wire())
            answer = dns.message.from_wire(sock.recv(4_096))
        except (TimeoutError, ConnectionRefusedError, dns.exception.DNSException):
            time.sleep(0.01)  # it may not listen yet
            continue
        if answer.id != question.id:  # a late answer to what was sent twice before
            continue
        assert question.is_response(answer)
        assert answer.edns == edns
        return answer
    pytest.fail("no answer")


@pytest.mark.parametrize("edns", [-1, 0])
def test_the_upstream_does_as_the_names_say(tmp_path: Path, edns: int) -> None:
    with started("mixed_upstream", tmp_path) as sock:
        wanted = {"A": "203.0.113.7", "AAAA": "2001:db8::7", "HTTPS": '1 . alpn="h2"'}
        for qtype, data in wanted.items():
            answer = ask(sock, mixture.name_of("m", 1, 5, 77), qtype, edns)
            assert [(rrset.ttl, str(rrset[0])) for rrset in answer.answer] == [(77, data)]
        missing = ask(sock, mixture.name_of("x", 1, 5, 77), "A", edns)
        assert missing.rcode() == dns.rcode.NXDOMAIN
        assert [(rrset.ttl, rrset[0].minimum) for rrset in missing.authority] == [(77, 77)]
        assert not ask(sock, mixture.name_of("m", 1, 5, 77), "TXT", edns).answer
        assert ask(sock, "a.root-servers.net", "A", edns).answer


@pytest.mark.parametrize("edns", [-1, 0])
def test_the_limit_gives_a_whole_answer(tmp_path: Path, edns: int) -> None:
    with started("echo", tmp_path) as sock:
        for name in ("a.example.com", "."):
            answer = ask(sock, name, "A", edns)
            assert [str(rrset[0]) for rrset in answer.answer] == ["203.0.113.7"]


@pytest.mark.parametrize("program", ["echo", "mixed_upstream"])
def test_rubbish_ends_neither(tmp_path: Path, program: str) -> None:
    with started(program, tmp_path) as sock:
        ask(sock, "a.example.com", "A", -1)
        for rubbish in (b"", b"\0", bytes(12), bytes(11) + b"\1", b"\xff" * 448, b"\x3f" * 1_400):
            sock.send(rubbish)
        assert ask(sock, "b.example.com", "A", -1).answer
