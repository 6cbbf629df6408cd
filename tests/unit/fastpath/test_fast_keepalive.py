"""edns-tcp-keepalive (RFC 7828): who asks over a stream is told how long it may be idle, in both builds."""

from __future__ import annotations

from collections.abc import Iterator

import dns.message
import pytest

from smartdoh.fastpath.cookies import Cookies, Secrets
from smartdoh.fastpath.surface import NO_TIMEOUT
from smartdoh.model import Query
from smartdoh.wire import compose
from tests.scenario.fast import Rig, rig
from tests.scenario.messages import question
from tests.unit.wire.messages import QUESTION, opt, option, query_wire
from tests.unit.wire.messages import question as asked_for

A = "www.example.com. 300 A 192.0.2.1"
HOST = "192.0.2.7"
KEEPALIVE = 11
ASKING = query_wire(opt(option(KEEPALIVE)))
MISSED = query_wire(opt(option(KEEPALIVE)), asked=asked_for(b"\1m\0"))


@pytest.fixture
def fast(build: object) -> Iterator[Rig]:
    with rig() as made:
        made.store(question(), A)
        yield made


def said(wire: bytes | Query | None) -> bytes | None:
    """The data of the option in an answer."""
    assert isinstance(wire, bytes)
    found = [option.to_wire() for option in dns.message.from_wire(wire).options if option.otype == KEEPALIVE]
    assert len(found) < 2
    return found[0] if found else None


@pytest.mark.parametrize("timeout", [0, 100, 0xFFFF])
def test_who_asks_is_told(fast: Rig, timeout: int) -> None:
    wanted = timeout.to_bytes(2)
    assert said(fast.fast.ask(ASKING, HOST, timeout)) == wanted
    missed = fast.fast.ask(MISSED, HOST, timeout)
    assert isinstance(missed, Query)
    assert said(compose.error(missed.wire, 2, missed)) == wanted
    stream = len(ASKING).to_bytes(2) + ASKING + len(MISSED).to_bytes(2) + MISSED
    out, (again,), _ = fast.fast.ask_stream(bytearray(stream), HOST, timeout)
    assert said(out[2:]) == wanted
    assert again == missed
    assert len(compose.upstream_query(missed)) == 128, "nothing of it goes on"
    assert option(KEEPALIVE)[:2] + b"\0\2" + wanted not in compose.upstream_query(missed)


def test_who_does_not_ask_is_not(fast: Rig) -> None:
    assert said(fast.fast.ask(query_wire(opt()), HOST, 100)) is None
    assert said(fast.fast.ask(query_wire(), HOST, 100)) is None
    assert said(fast.fast.ask(ASKING, HOST, NO_TIMEOUT)) is None
    assert said(fast.fast.ask(ASKING, HOST)) is None


def test_over_udp_it_is_ignored(fast: Rig) -> None:
    """RFC 7828 section 3.2.1."""
    assert len(fast.ask(ASKING).options) == 0
    ((missed, _),) = fast.drain(MISSED)
    assert missed.own == b""


def test_with_errors_and_with_a_cookie(fast: Rig) -> None:
    assert said(fast.fast.ask(query_wire(opt(option(KEEPALIVE), version=1)), HOST, 100)) == b"\0\x64"
    fast.fast.use_cookies(Cookies(Secrets(b"k" * 16), lambda: 0.0))
    both = query_wire(opt(option(KEEPALIVE, b"\0\1") + option(10, b"8 octets")), asked=QUESTION)
    wire = fast.fast.ask(both, HOST, 7)
    assert said(wire) == b"\0\7"
    assert isinstance(wire, bytes)
    assert [item.otype for item in dns.message.from_wire(wire).options] == [10, KEEPALIVE]
