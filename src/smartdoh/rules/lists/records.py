"""Rules as they stand in a compiled file: packed by the compiler, unpacked where a name meets them."""

from __future__ import annotations

import json
from typing import NamedTuple

import re2

from smartdoh.model import Rewrite
from smartdoh.rules.lists.file import DETAIL, EXCEPTION, IMPORTANT, MILD, MORE, RECORD
from smartdoh.rules.lists.match import Match
from smartdoh.rules.lists.patterns import compiled
from smartdoh.rules.lists.rule import Pattern, Rule

_NOTHING = b"{}"


class Detail(NamedTuple):
    """What is rarely said of a rule."""

    types: frozenset[int]
    not_types: frozenset[int]
    denyallow: tuple[bytes, ...]
    rewrite: Rewrite | None
    pattern: re2._Regexp | None

    def is_about(self, key: bytes, qtype: int) -> bool:
        """Whether a name that the rule's key matches, and this type, are meant."""
        if qtype in self.not_types or (self.types and qtype not in self.types):
            return False
        if key.startswith(self.denyallow):
            return False
        return self.pattern is None or self.pattern.search(key[-2::-1]) is not None


class Records:
    """Records and details while they are made."""

    def __init__(self) -> None:
        self.records = bytearray()
        self.details = bytearray()

    def add(self, chain: list[tuple[int, Rule]]) -> int:
        """Append the rules of one key, and return the place of the first."""
        place = len(self.records) // RECORD.size
        for number, (line, rule) in enumerate(chain, 1):
            flags = rule.reach | EXCEPTION * rule.is_exception | IMPORTANT * rule.is_important
            flags |= MILD * rule.is_mild | MORE * (number < len(chain))
            detail = _pack(rule)
            if detail != _NOTHING:
                flags |= DETAIL
            self.records += RECORD.pack(line, len(self.details) if flags & DETAIL else 0, flags)
            if flags & DETAIL:
                self.details += len(detail).to_bytes(4, "little") + detail
        return place


def _pack(rule: Rule) -> bytes:
    """As JSON, without what is not said. A pattern without a key stands elsewhere."""
    said: dict[str, object] = {}
    if rule.types:
        said["types"] = rule.types
    if rule.not_types:
        said["not_types"] = rule.not_types
    if rule.denyallow:
        said["denyallow"] = [key.decode() for key in rule.denyallow]
    if rule.rewrite is not None:
        rcode, records, target = rule.rewrite
        said["rewrite"] = [
            rcode,
            [[rtype, rdata.hex()] for rtype, rdata in records],
            target and target.hex(),
        ]
    if rule.pattern is not None and rule.key is not None:
        said["pattern"] = rule.pattern.source
    return json.dumps(said, separators=(",", ":")).encode()


def unpack(details: memoryview, place: int) -> Detail:
    """The detail at `place`."""
    length = int.from_bytes(details[place : place + 4], "little")
    said = json.loads(bytes(details[place + 4 : place + 4 + length]))
    return Detail(
        frozenset(said.get("types", ())),
        frozenset(said.get("not_types", ())),
        tuple(key.encode() for key in said.get("denyallow", ())),
        _rewrite(said.get("rewrite")),
        compiled(said["pattern"]) if "pattern" in said else None,
    )


def _rewrite(said: tuple[int, list[tuple[int, str]], str | None] | None) -> Rewrite | None:
    if said is None:
        return None
    rcode, records, target = said
    packed = tuple((rtype, bytes.fromhex(rdata)) for rtype, rdata in records)
    return Rewrite(rcode, packed, bytes.fromhex(target) if target is not None else None)


def match_of(line: int, flags: int, detail: Detail | None) -> Match:
    """What a record says."""
    rewrite = detail.rewrite if detail else None
    return Match(line, bool(flags & EXCEPTION), bool(flags & IMPORTANT), rewrite, bool(flags & MILD))


def pack_patterns(patterns: list[tuple[Pattern, int]]) -> bytes:
    """Patterns without a key, each with the place of its record."""
    return json.dumps([[*pattern, place] for pattern, place in patterns]).encode()


def unpack_patterns(section: memoryview) -> list[tuple[Pattern, int]]:
    """What `pack_patterns` wrote."""
    return [
        (Pattern(source, literal, on_url), place)
        for source, literal, on_url, place in json.loads(bytes(section))
    ]
