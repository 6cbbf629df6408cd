"""One question that was answered, as a payload of dnstap."""

from __future__ import annotations

import struct
from typing import NamedTuple

from smartdoh.app.dnstap import schema
from smartdoh.app.questions.log.privacy import Excluded, Privacy, octets_of
from smartdoh.app.questions.seen import from_text
from smartdoh.fastpath.packed import OUTCOMES, TRANSPORTS, WAY, Packed

_HEADER = struct.Struct("!6H")
_QUESTION_END = struct.Struct("!HH")
_ANSWERED = 0x8180  # QR, RD and RA (RFC 1035 section 4.1.1)
_RCODE = 0xF  # what of an rcode fits into a header
_REMEMBERED = 4096  # ways that questions have in common
_IPV4 = 4  # octets


class _Way(NamedTuple):
    """What many questions have in common, as messages have it."""

    protocol: int
    header: bytes
    question_end: bytes
    extra: bytes


class Encoder:
    """Makes the payloads of one sender, which `identity` and `version` tell from others."""

    def __init__(self, identity: str, version: str, privacy: Privacy, excluded: Excluded) -> None:
        self._dnstap = schema.dnstap_class()
        self._identity, self._version = identity.encode(), version.encode()
        self._privacy: Privacy = privacy
        self._excluded = excluded
        self._ways: dict[bytes, _Way] = {}

    def payload(self, record: Packed, ahead: float) -> bytes | None:
        """A CLIENT_RESPONSE: who asked what and when, and of the response header and question; None: it is left out.

        `ahead` is how far the time of day is ahead of the record's clock, in seconds.
        """
        if record.name in self._excluded:
            return None
        way = self._way(record.way + record.text)
        dnstap = self._dnstap(
            identity=self._identity, version=self._version, type=schema.PAYLOAD_MESSAGE, extra=way.extra
        )
        message = dnstap.message
        message.type, message.socket_protocol = schema.CLIENT_RESPONSE, way.protocol
        client = octets_of(record.client, self._privacy)
        if client:
            message.socket_family = schema.INET if len(client) == _IPV4 else schema.INET6
            message.query_address = client
        answered = record.at + ahead
        message.query_time_sec, message.query_time_nsec = _split(answered - max(0.0, record.seconds))
        message.response_time_sec, message.response_time_nsec = _split(answered)
        message.response_message = way.header + record.name + way.question_end
        octets: bytes = dnstap.SerializeToString()
        return octets

    def _way(self, text: bytes) -> _Way:
        way = self._ways.get(text)
        if way is None:
            if len(self._ways) >= _REMEMBERED:
                self._ways.clear()
            way = self._ways[text] = _way_of(text)
        return way


def _way_of(text: bytes) -> _Way:
    """Of WAY and what follows it. A response has its header and question; the answers of hits are not kept for this."""
    transport, outcome, qtype, qclass, rcode = WAY.unpack_from(text)
    who = from_text(text[WAY.size :])
    told = {
        "outcome": OUTCOMES[outcome],
        "group": who.group,
        "upstream": who.upstream,
        "list": who.list,
        "line": who.line,
    }
    return _Way(
        schema.TCP if TRANSPORTS[transport] == "tcp" else schema.UDP,
        _HEADER.pack(0, _ANSWERED | rcode & _RCODE, 1, 0, 0, 0),
        _QUESTION_END.pack(qtype, qclass),
        " ".join(f"{key}={value}" for key, value in told.items() if value).encode(),
    )


def _split(at: float) -> tuple[int, int]:
    """Seconds and nanoseconds; a float of today's seconds is exact to a microsecond."""
    microseconds = round(at * 1e6)
    return microseconds // 1_000_000, microseconds % 1_000_000 * 1000
