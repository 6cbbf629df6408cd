"""OPT and its options, written and read back: RFC 6891, 7830, 8467 and 8914."""

import pytest

from smartdoh.errors import WireError
from smartdoh.model import Edns
from smartdoh.wire import edns
from tests.unit.wire.messages import opt, option


@pytest.mark.parametrize(
    ("rendered", "wanted"),
    [
        (edns.render(), opt()),
        (edns.render(do=True), opt(flags=0x8000)),
        (edns.render(rcode=16), opt(upper=1)),
        (edns.render(rcode=0xFFF), opt(upper=0xFF)),
        (edns.render(rcode=5), opt()),
        (edns.render(options=option(3, b"x")), opt(option(3, b"x"))),
    ],
)
def test_rendered_as_the_rfc_has_it(rendered: bytes, wanted: bytes) -> None:
    """Payload 1232, version 0, unknown flags zero (RFC 6891 section 6.1.4)."""
    assert rendered == wanted


def test_read_back() -> None:
    wire = b"before" + edns.render(do=True, rcode=0x123, options=option(3, b"x")) + b"behind"
    assert edns.parse(wire, 6, len(wire) - 6) == (Edns(1232, 0, True, option(3, b"x")), 0x12)


def test_what_concerns_a_client_alone() -> None:
    """RFC 7873 section 4, RFC 7828 section 3.1."""
    assert edns.cookie(b"8 octets") == option(10, b"8 octets")
    assert edns.keepalive(300) == option(11, b"\1\x2c")


def test_the_first_of_a_kind() -> None:
    options = option(3, b"x") + option(10, b"one") + option(10, b"two")
    assert edns.option(options, 10) == b"one"
    assert edns.option(options, 11) is None


@pytest.mark.parametrize("length", range(43))
def test_lengths_that_a_cookie_may_have(length: int) -> None:
    """RFC 7873 section 5.2.2: 8 octets, and 8 to 32 of the server's behind them."""
    if length == 8 or 16 <= length <= 40:
        edns.check_query_options(option(10, bytes(length)) + option(10))
        return
    with pytest.raises(WireError):
        edns.check_query_options(option(10, bytes(length)))


def test_how_long_the_options_of_a_query_may_be() -> None:
    edns.check_query_options(option(12, bytes(4092)))
    with pytest.raises(WireError):
        edns.check_query_options(option(12, bytes(4093)))


@pytest.mark.parametrize("length", [0, 1, 12, 112, 113, 123, 124, 125, 127, 128, 129, 300])
@pytest.mark.parametrize("block", [128, 468])
def test_padding_fills_a_block(length: int, block: int) -> None:
    """RFC 8467 section 4.1, with the four octets that the option itself takes."""
    padding = edns.padding(length, block)
    assert (length + len(padding)) % block == 0
    assert len(padding) < block + 4
    assert padding == option(12, bytes(len(padding) - 4))


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (b"", []),
        (option(3), [(3, b"")]),
        (option(3, b"x") + option(65535, b"yz"), [(3, b"x"), (65535, b"yz")]),
    ],
)
def test_options_are_split(options: bytes, found: list[tuple[int, bytes]]) -> None:
    assert list(edns.split_options(options)) == found


@pytest.mark.parametrize("options", [b"\0", b"\0\3\0", b"\0\3\0\1", option(3) + b"\0", option(3) * 33])
def test_a_broken_list_is_refused(options: bytes) -> None:
    with pytest.raises(WireError):
        list(edns.split_options(options))


@pytest.mark.parametrize(
    ("code", "text", "said"),
    [
        (3, "", b""),
        (22, "no answer", b"no answer"),
        (0, "x" * 120, b"x" * 120),
        (0, "x" * 121, b"x" * 117 + b"..."),
        (0, "ü\n", rb"\xfc\n"),
    ],
)
def test_an_extended_error_both_ways(code: int, text: str, said: bytes) -> None:
    """RFC 8914 section 2; short, and safe to be shown as it is."""
    made = edns.extended_error(code, text)
    assert made == option(15, code.to_bytes(2) + said)
    assert edns.read_extended_error(option(3, b"x") + made) == (code, said.decode())


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (b"", None),
        (option(3, b"\0\3"), None),
        (option(15), None),
        (option(15, b"\0"), None),
        (option(15, b"\0\x16"), (22, "")),
        (option(15, b"\0\x16a\xff\0"), (22, "a\ufffd")),  # a final NUL is dropped: RFC 8914 section 2
        (option(15, b"\0") + option(15, b"\0\x17b"), (23, "b")),
    ],
)
def test_an_extended_error_of_others(options: bytes, found: tuple[int, str] | None) -> None:
    assert edns.read_extended_error(options) == found
