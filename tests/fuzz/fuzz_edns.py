"""Any EDNS option list: refused, or split so that nothing is lost; in a query and by itself alike."""

from __future__ import annotations

import struct

import dns.edns
import dns.message

from smartdoh.errors import WireError
from smartdoh.wire import edns
from smartdoh.wire.question import parse_query
from tests.fuzz.harnesses import run_file

HEAD = bytes.fromhex("1234 0100 0001 0000 0000 0001") + b"\1a\0\0\1\0\1"
MOST = 65_535
COOKIE, LONGEST = 10, 4096


def check(data: bytes) -> None:
    """What holds for any option list."""
    options = data[:MOST]
    opt = struct.pack("!BHHIH", 0, 41, 1232, 0, len(options)) + options
    split = _split(options)
    try:
        query = parse_query(HEAD + opt)
    except WireError:
        assert split is None or not _may_be_asked(options, split)
        return
    assert query.edns is not None
    assert query.edns.options == options
    assert split is not None
    assert _may_be_asked(options, split)
    assert b"".join(struct.pack("!HH", code, len(value)) + value for code, value in split) == options
    assert len(split) <= edns.MAX_OPTIONS
    _check_extended_error(options)
    try:
        message = dns.message.from_wire(HEAD + opt)
    except Exception:  # an option that dnspython knows and does not like
        return
    assert [int(option.otype) for option in message.options] == [code for code, _ in split]


def _split(options: bytes) -> list[tuple[int, bytes]] | None:
    try:
        return list(edns.split_options(options))
    except WireError:
        return None


def _may_be_asked(options: bytes, split: list[tuple[int, bytes]]) -> bool:
    """What is sound may still be no query's: RFC 7873 section 5.2.2, of whose cookies the first counts."""
    cookies = [len(value) for code, value in split if code == COOKIE]
    return len(options) <= LONGEST and (not cookies or cookies[0] == 8 or 16 <= cookies[0] <= 40)


def _check_extended_error(options: bytes) -> None:
    """What an upstream says is passed on in printable ASCII, and shorter: the same each time that it is."""
    found = edns.read_extended_error(options)
    if found is None:
        return
    code, text = found
    again = edns.read_extended_error(edns.extended_error(code, text))
    assert again is not None
    assert again[0] == code
    assert again[1].isascii()
    assert again[1].isprintable()
    assert (
        again[1] == text
        or not text.isascii()
        or not text.isprintable()
        or len(text) > edns.LONGEST_EXTRA_TEXT
    )
    assert len(edns.extended_error(*again)) <= 6 + edns.LONGEST_EXTRA_TEXT
    assert edns.read_extended_error(edns.extended_error(*again)) == again


if __name__ == "__main__":
    run_file(__file__)
