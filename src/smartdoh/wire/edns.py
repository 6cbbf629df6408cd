"""The OPT record and its options: reading, checking, writing (RFC 6891, 7828, 7830, 7873, 8914)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from smartdoh.errors import WireError
from smartdoh.model import Edns
from smartdoh.wire.codes import (
    DO,
    FORMERR,
    MAX_UDP,
    MIN_UDP,
    OPT,
    OPTION_COOKIE,
    OPTION_EDE,
    OPTION_KEEPALIVE,
    OPTION_PADDING,
)
from smartdoh.wire.words import printable

FIXED = 11  # octets of an OPT record without options: root, type, class, TTL, RDLENGTH
MAX_OPTIONS = 32  # a longer list is only ever made to cost its reader time
MAX_OPTIONS_SIZE = 4096  # octets of options in a query: as much as is read of a whole datagram
CLIENT_COOKIE = 8  # octets, RFC 7873 section 4
COOKIE_SIZES = frozenset((CLIENT_COOKIE, *range(CLIENT_COOKIE + 8, CLIENT_COOKIE + 32 + 1)))
LONGEST_TIMEOUT = 0xFFFF  # in units of 100 ms, RFC 7828 section 3.1
LONGEST_EXTRA_TEXT = 120  # octets of an Extended DNS Error's words; RFC 8914 section 3 asks for few
PADDING_BLOCK = 128  # octets, for queries: RFC 8467 section 4.1

_HEAD = struct.Struct("!BHHBBHH")  # root, type, payload, upper rcode, version, flags, RDLENGTH
_OPTION = struct.Struct("!HH")


def parse(wire: bytes, start: int, end: int) -> tuple[Edns, int]:
    """Read the OPT record at wire[start:end]: (what it says, the upper 8 bits of the rcode).

    Raises WireError(FORMERR) where the options do not fill the record exactly or are too many.
    """
    _, _, payload, upper, version, flags, _ = _HEAD.unpack_from(wire, start)
    options = wire[start + FIXED : end]
    if options:
        for _ in split_options(options):
            pass
    return Edns(payload if payload > MIN_UDP else MIN_UDP, version, flags & DO != 0, options), upper


def split_options(options: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (code, data) of each option. Raises WireError(FORMERR) at one that overruns the list."""
    at, seen = 0, 0
    while at < len(options):
        if at + 4 > len(options) or seen == MAX_OPTIONS:
            raise WireError(FORMERR, "broken or endless EDNS options")
        code, length = _OPTION.unpack_from(options, at)
        at += 4 + length
        seen += 1
        if at > len(options):
            raise WireError(FORMERR, "an EDNS option overruns its record")
        yield code, options[at - length : at]


def check_query_options(options: bytes) -> None:
    """Raises WireError(FORMERR) where a client's options, read before, are too long or their cookie is broken.

    RFC 7873 section 5.2.2. Of several cookies the first one counts.
    """
    if len(options) > MAX_OPTIONS_SIZE:
        raise WireError(FORMERR, "EDNS options longer than any use of them")
    cookie = option(options, OPTION_COOKIE)
    if cookie is not None and len(cookie) not in COOKIE_SIZES:
        raise WireError(FORMERR, "a cookie of a length that none has")


def option(options: bytes, code: int) -> bytes | None:
    """The data of the first option of this kind in a list that was read before; None if there is none."""
    return next((data for found, data in split_options(options) if found == code), None)


def render(*, do: bool = False, rcode: int = 0, options: bytes = b"") -> bytes:
    """The OPT record of a message of ours: payload 1232, version 0, DO as the asker had it (RFC 3225 section 3)."""
    return _HEAD.pack(0, OPT, MAX_UDP, rcode >> 4, 0, DO if do else 0, len(options)) + options


def padding(length: int, block: int = PADDING_BLOCK) -> bytes:
    """The padding option that brings a message of `length` octets, with it, to a multiple of `block`."""
    fill = -(length + 4) % block
    return _OPTION.pack(OPTION_PADDING, fill) + bytes(fill)


def cookie(client_and_server: bytes) -> bytes:
    """A COOKIE option (RFC 7873 section 4)."""
    return _OPTION.pack(OPTION_COOKIE, len(client_and_server)) + client_and_server


def keepalive(timeout: int) -> bytes:
    """The edns-tcp-keepalive option of a server; `timeout` is in units of 100 ms (RFC 7828 section 3.1)."""
    return _OPTION.pack(OPTION_KEEPALIVE, 2) + struct.pack("!H", timeout)


def extended_error(code: int, text: str = "") -> bytes:
    """An Extended DNS Error option (RFC 8914 section 2); the text is printable ASCII, and cut to 120 octets."""
    said = printable(text, LONGEST_EXTRA_TEXT).encode("ascii")
    return _OPTION.pack(OPTION_EDE, 2 + len(said)) + struct.pack("!H", code) + said


def read_extended_error(options: bytes) -> tuple[int, str] | None:
    """The first Extended DNS Error in an option list: (code, text), or None."""
    for code, data in split_options(options):
        if code == OPTION_EDE and len(data) >= 2:  # noqa: PLR2004 - the size of the info-code
            return int.from_bytes(data[:2]), data[2:].decode(errors="replace").rstrip("\0")
    return None
