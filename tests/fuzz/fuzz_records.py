"""Any octets as an answer on disk: not there, or an answer to the question that it lies under.

The first octet is the length of a key, then come the key and what follows a record's checksum, which is made right
here: what that would find out is not what is tested. The record is also read as one under a key of ours.
"""

from __future__ import annotations

import zlib
from typing import Any, cast

from smartdoh.cache import records
from smartdoh.cache.policy import Bounds
from smartdoh.cache.second import SecondLevel
from smartdoh.fastpath.entry import render
from smartdoh.wire.answer import scan_answer
from smartdoh.wire.question import parse_query
from tests.fuzz.harnesses import run_file

FINGERPRINT = b"8 octets"
QUESTION = bytes.fromhex("0000 0100 0001 0000 0000 0000") + b"\3www\7example\3com\0\0\1\0\1"
QUERY = parse_query(QUESTION)
KEY = records.key_of(QUERY.name, QUERY.key, FINGERPRINT)
NOW = 1000.0


class Shelf:
    """A disk with one record."""

    is_crowded = True

    def __init__(self, octets: bytes) -> None:
        self.octets: bytes | None = octets

    def name_groups(self, names: dict[bytes, str]) -> None:
        """Nobody asks for them."""

    def now(self) -> float:
        return NOW

    def get(self, key: bytes) -> bytes | None:
        return self.octets if key == KEY else None

    def put(self, key: bytes, octets: bytes) -> None:
        self.octets = octets

    def delete(self, key: bytes, *, is_damaged: bool) -> None:
        self.octets = None


def check(data: bytes) -> None:
    """What holds for any record."""
    size = data[0] if data else 0
    key, body = data[1 : 1 + size], data[1 + size :]
    place = records.place_of(key)
    if place is not None:
        policy = (place.do << 1 | place.cd).to_bytes(3)
        query_key = place.name + place.qtype.to_bytes(2) + place.qclass.to_bytes(2) + policy
        assert records.key_of(place.name, query_key, place.fingerprint) == key
    records.times_of(body)
    for each in (key, KEY):
        assert records.decode(each, body) is None or body[:4] == zlib.crc32(
            body[4:], zlib.crc32(each)
        ).to_bytes(4)
        record = records.decode(each, zlib.crc32(body, zlib.crc32(each)).to_bytes(4) + body)
        if record is not None:
            assert records.decode(each, records.encode(each, record)) == record
    _recall(zlib.crc32(body, zlib.crc32(KEY)).to_bytes(4) + body)


def _recall(octets: bytes) -> None:
    shelf = Shelf(octets)
    second = SecondLevel(cast("Any", shelf), {"main": FINGERPRINT}, Bounds(), lambda: NOW)
    entry = second.recall(QUERY, "main")
    if entry is None:
        return
    scan = scan_answer(entry.wire, QUERY)
    assert scan.ttl_offsets == entry.ttl_offsets
    assert entry.stale_until > NOW
    for udp in (True, False):
        made = render(QUERY, entry, NOW, udp=udp)
        assert len(made) <= (512 if udp else 65_535)


if __name__ == "__main__":
    run_file(__file__)
