"""One question that was answered, as a payload of dnstap."""

from __future__ import annotations

import socket
import struct
from functools import lru_cache

from smartdoh.app.dnstap import schema
from smartdoh.app.questions.seen import Seen

_HEADER = struct.Struct("!6H")
_QUESTION_END = struct.Struct("!HH")
_ANSWERED = 0x8180  # QR, RD and RA (RFC 1035 section 4.1.1)
_RCODE = 0xF  # what of an rcode fits into a header
_ADDRESSES = 4096  # of clients, that are remembered as octets


class Encoder:
    """Makes the payloads of one sender, which `identity` and `version` tell from others."""

    def __init__(self, identity: str, version: str) -> None:
        self._dnstap = schema.dnstap_class()
        self._identity, self._version = identity.encode(), version.encode()

    def payload(self, seen: Seen) -> bytes:
        """A CLIENT_RESPONSE, which holds what was asked, by whom and when, and of the response header and question."""
        dnstap = self._dnstap(
            identity=self._identity, version=self._version, type=schema.PAYLOAD_MESSAGE, extra=extra(seen)
        )
        message = dnstap.message
        message.type = schema.CLIENT_RESPONSE
        message.socket_protocol = schema.TCP if seen.transport == "tcp" else schema.UDP
        address = packed(seen.client)
        if address:
            message.query_address = address
            message.socket_family = schema.INET if len(address) == 4 else schema.INET6  # noqa: PLR2004 - octets
        asked = seen.at - (seen.seconds or 0.0)
        message.query_time_sec, message.query_time_nsec = _split(asked)
        message.response_time_sec, message.response_time_nsec = _split(seen.at)
        message.response_message = response(seen)
        octets: bytes = dnstap.SerializeToString()
        return octets


def response(seen: Seen) -> bytes:
    """The header and the question of the answer: its records are not kept for every question, so they are not told."""
    header = _HEADER.pack(0, _ANSWERED | seen.rcode & _RCODE, 1, 0, 0, 0)
    return header + seen.name + _QUESTION_END.pack(seen.qtype, seen.qclass)


def extra(seen: Seen) -> bytes:
    """What dnstap has no field for, as words: `outcome=blocked rule=routing.rules[0] list=ads line=17`."""
    words = [f"outcome={seen.outcome}"]
    words += [
        f"{key}={value}"
        for key, value in (
            ("group", seen.group),
            ("upstream", seen.upstream),
            ("list", seen.list),
            ("line", seen.line),
        )
        if value
    ]
    return " ".join(words).encode()


@lru_cache(_ADDRESSES)
def packed(client: str) -> bytes:
    """The octets of an address; none where clients are not told."""
    try:
        family = socket.AF_INET6 if ":" in client else socket.AF_INET
        return socket.inet_pton(family, client.partition("%")[0])
    except OSError:
        return b""


def _split(at: float) -> tuple[int, int]:
    """Seconds and nanoseconds; a float of today's seconds is exact to a microsecond."""
    microseconds = round(at * 1e6)
    return microseconds // 1_000_000, microseconds % 1_000_000 * 1000
