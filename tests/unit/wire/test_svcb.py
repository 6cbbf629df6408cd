"""The rdata of SVCB and HTTPS records: what is read of good ones, and that bad ones are refused."""

from __future__ import annotations

import dns.rdata
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartdoh.errors import WireError
from smartdoh.wire import svcb
from smartdoh.wire.svcb import Svcb, parse_svcb

BEFORE, BEHIND = b"before", b"\xff" * 40  # the rdata lies inside a message; what follows it is no part of it


def rdata(text: str) -> bytes:
    """The wire form by dnspython."""
    made = dns.rdata.from_text("IN", "HTTPS", text).to_wire()
    assert made is not None
    return made


def read(octets: bytes) -> tuple[bytes, Svcb]:
    wire = BEFORE + octets + BEHIND
    return wire, parse_svcb(wire, len(BEFORE), len(BEFORE) + len(octets))


def render(wire: bytes, record: Svcb) -> bytes:
    """A record from what was read of it."""
    params = b"".join(
        param.key.to_bytes(2) + (param.end - param.start).to_bytes(2) + wire[param.start : param.end]
        for param in record.params
    )
    return record.priority.to_bytes(2) + record.target + params


WHOLE = '16 svc.example.net. mandatory=ipv4hint,port alpn="h2,h3" port=8443 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1 key65400="unknown"'  # noqa: E501


def test_a_record_with_everything() -> None:
    wire, record = read(rdata(WHOLE))
    assert record.priority == 16
    assert record.target == b"\3svc\7example\3net\0"
    assert [param.key for param in record.params] == [0, 1, 3, 4, 6, 65400]
    assert svcb.hints(wire, record, svcb.IPV4HINT) == (b"\xc0\0\2\1", b"\xc0\0\2\2")
    assert [len(hint) for hint in svcb.hints(wire, record, svcb.IPV6HINT)] == [16]
    assert svcb.port(wire, record) == 8443


@pytest.mark.parametrize(
    "text",
    [
        WHOLE,
        "0 other.example.",
        "1 .",
        '1 . alpn="h2"',
        '1 . alpn="h2" no-default-alpn',
    ],
)
def test_reading_and_rendering_gives_the_same(text: str) -> None:
    octets = rdata(text)
    assert render(*read(octets)) == octets


def test_alias_mode_has_no_parameters_that_count() -> None:
    """Recipients ignore SvcParams there (RFC 9460 section 2.4.2)."""
    wire, record = read(bytes(3) + b"\0\3\0\2\0\1" + b"\0\4\0\4\xc0\0\2\1")
    assert [param.key for param in record.params] == [svcb.PORT, svcb.IPV4HINT]
    assert svcb.hints(wire, record, svcb.IPV4HINT) == ()
    assert svcb.port(wire, record) is None


HEAD = b"\0\1\0"  # priority 1, target "."


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\0", id="half a priority"),
        pytest.param(b"\0\1", id="no target"),
        pytest.param(b"\0\1\3abc", id="target without an end"),
        pytest.param(b"\0\1\xc0\x0c", id="compressed target"),
        pytest.param(b"\0\1" + b"\x3f" + b"a" * 20, id="label over the end"),
        pytest.param(b"\0\1" + (b"\x3f" + b"a" * 63) * 4 + b"\0", id="target over 255 octets"),
        pytest.param(HEAD + b"\0", id="half a key"),
        pytest.param(HEAD + b"\0\4\0", id="half a length"),
        pytest.param(HEAD + b"\0\4\0\4\1\2\3", id="value over the end"),
        pytest.param(HEAD + b"\0\4\0\4\1\2\3\4" * 2, id="a key twice"),
        pytest.param(HEAD + b"\0\4\0\4\1\2\3\4\0\3\0\2\1\1", id="keys out of order"),
        pytest.param(HEAD + b"\0\4\0\0", id="no hint"),
        pytest.param(HEAD + b"\0\4\0\3\1\2\3", id="an IPv4 hint of three octets"),
        pytest.param(HEAD + b"\0\6\0\4\1\2\3\4", id="an IPv6 hint of four octets"),
        pytest.param(HEAD + b"\0\3\0\1\1", id="a port of one octet"),
        pytest.param(HEAD + b"\0\2\0\1\1", id="no-default-alpn with a value"),
        pytest.param(HEAD + b"\0\1\0\0", id="alpn without a protocol"),
        pytest.param(HEAD + b"\0\1\0\2\2h", id="alpn over its end"),
        pytest.param(HEAD + b"\0\1\0\1\0", id="an empty protocol"),
        pytest.param(HEAD + b"\0\0\0\0", id="mandatory without keys"),
        pytest.param(HEAD + b"\0\0\0\2\0\3", id="mandatory key missing"),
        pytest.param(HEAD + b"\0\0\0\2\0\0", id="mandatory names itself"),
        pytest.param(HEAD + b"\0\0\0\4\0\3\0\3\0\3\0\2\1\1", id="mandatory names a key twice"),
    ],
)
def test_malformed(octets: bytes) -> None:
    with pytest.raises(WireError):
        read(octets)


@settings(deadline=None)
@given(st.binary(max_size=80))
def test_anything_is_read_or_refused(octets: bytes) -> None:
    try:
        wire, record = read(octets)
    except WireError:
        return
    assert render(wire, record) == octets
    for key, size in svcb.HINT_SIZES.items():
        assert all(len(hint) == size for hint in svcb.hints(wire, record, key))


params = st.dictionaries(st.integers(7, 65535), st.binary(max_size=20), max_size=5)
hint_lists = st.lists(st.binary(min_size=4, max_size=4), min_size=1, max_size=5)


@settings(deadline=None)
@given(st.integers(1, 65535), hint_lists, params)
def test_unknown_keys_are_kept(priority: int, wanted: list[bytes], unknown: dict[int, bytes]) -> None:
    values = {svcb.IPV4HINT: b"".join(wanted), **unknown}
    octets = priority.to_bytes(2) + b"\0"
    for key in sorted(values):
        octets += key.to_bytes(2) + len(values[key]).to_bytes(2) + values[key]
    wire, record = read(octets)
    assert svcb.hints(wire, record, svcb.IPV4HINT) == tuple(wanted)
    assert {param.key: wire[param.start : param.end] for param in record.params} == values
    assert render(wire, record) == octets
