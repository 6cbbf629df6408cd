"""A compiled list in memory: whether a name is on it, and which line says so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import marisa_trie

from smartdoh.rules.lists import source
from smartdoh.rules.lists.file import (
    DETAIL,
    FIRST_BELOW,
    FIRST_EXACT,
    IS_RECORD,
    LINE_MASK,
    MORE,
    REACH_MASK,
    REACH_SHIFT,
    RECORD,
    NotUsable,
    Sections,
    load,
)
from smartdoh.rules.lists.keys import key_of
from smartdoh.rules.lists.loose import Loose
from smartdoh.rules.lists.match import Match, decide
from smartdoh.rules.lists.records import Detail, match_of, unpack, unpack_patterns
from smartdoh.rules.lists.report import Report
from smartdoh.rules.lists.rule import Reach
from smartdoh.wire.codes import A

if TYPE_CHECKING:
    from smartdoh.config.settings import ListFormat

MOST_DETAILS = 1024  # that are kept unpacked


class NameSet:
    """A list that was compiled. It never changes; a new state of the list is a new one.

    `file` is where the list is, `report` what became of its lines.
    """

    def __init__(self, sections: Sections, file: Path) -> None:
        self.file = file
        self.report = Report.from_json(sections.head["report"])
        self._mapping = sections.mapping  # the trie's memory
        self._longest_decides = bool(sections.head["longest_decides"])
        trie = marisa_trie.BinaryTrie()
        trie.map(sections.trie)
        self._above = trie.prefixes
        self._number_of = trie.key_id
        self._slots = sections.slots
        self._records = sections.records
        self._packed = sections.details
        self._loose = Loose(unpack_patterns(sections.patterns)) if self.report.patterns else None
        self._details: dict[int, Detail] = {}

    def match(self, name: bytes, qtype: int = A) -> Match | None:
        """What the list says of a folded wire name asked for `qtype`; None if it is not on it."""
        return self.match_key(key_of(name), qtype)

    def match_key(self, key: bytes, qtype: int = A) -> Match | None:
        """The same, of a name whose key is known."""
        above = self._above(key)
        places = self._loose.matching(key) if self._loose is not None else ()
        if not above and not places:
            return None
        if places:
            return self._decide(above, places, key, qtype)
        line = 0
        for listed in reversed(above):
            slot = self._slots[self._number_of(listed)]
            if slot >= IS_RECORD:
                return self._decide(above, places, key, qtype)
            if not line and (slot < FIRST_EXACT or (slot < FIRST_BELOW) == (len(listed) == len(key))):
                line = slot & LINE_MASK
        return Match(line) if line else None

    def mentions(self, key: bytes) -> bool:
        """Whether any line may be about the name that has this key, exceptions too, for whatever type."""
        return bool(self._above(key)) or (self._loose is not None and bool(self._loose.matching(key)))

    def _decide(self, above: list[bytes], places: Sequence[int], key: bytes, qtype: int) -> Match | None:
        of_patterns = [match for place in places for match in self._of_record(place, key, qtype)]
        by_length = [list(self._of_key(listed, key, qtype)) for listed in reversed(above)] + [of_patterns]
        if self._longest_decides:
            return next((decide(matches) for matches in by_length if matches), None)
        return decide([match for matches in by_length for match in matches])

    def _of_key(self, listed: bytes, key: bytes, qtype: int) -> Iterator[Match]:
        """The rules that a listed name has for the name of `key`."""
        slot = self._slots[self._number_of(listed)]
        is_same = len(listed) == len(key)
        if not slot & IS_RECORD:
            if _reaches(slot >> REACH_SHIFT, is_same):
                yield Match(slot & LINE_MASK)
            return
        place, is_more = slot ^ IS_RECORD, MORE
        while is_more:
            _, _, flags = self._record(place)
            if _reaches(flags & REACH_MASK, is_same):
                yield from self._of_record(place, key, qtype)
            place, is_more = place + 1, flags & MORE

    def _of_record(self, place: int, key: bytes, qtype: int) -> Iterator[Match]:
        line, detail_at, flags = self._record(place)
        detail = self._detail(detail_at) if flags & DETAIL else None
        if detail is None or detail.is_about(key, qtype):
            yield match_of(line, flags, detail)

    def _record(self, place: int) -> tuple[int, int, int]:
        """Line, place of the detail, flags."""
        line, detail_at, flags = RECORD.unpack_from(self._records, place * RECORD.size)
        return line, detail_at, flags

    def _detail(self, place: int) -> Detail:
        detail = self._details.get(place)
        if detail is None:
            if len(self._details) >= MOST_DETAILS:
                self._details.clear()
            detail = self._details[place] = unpack(self._packed, place)
        return detail


def _reaches(reach: int, is_same: bool) -> bool:
    return reach == Reach.WITH_BELOW or (reach == Reach.EXACT) == is_same


def compiled_path(path: Path) -> Path:
    """Where the compiled form of the list at `path` is kept: beside it."""
    return path.with_name(f"{path.name}.compiled")


def open_list(path: Path, list_format: ListFormat, compiled: Path) -> NameSet:
    """The list at `path` by way of its compiled form. Raises NotUsable where that has to be made anew.

    As long as the list has the size and the time that it was compiled with, it is not read.
    """
    sections = load(compiled)
    head = sections.head
    try:
        stamp = source.Stamp(*head["stamp"])
        if head["format"] != list_format:
            raise NotUsable(f"{compiled}: made of a list in the format {head['format']}")
        _refuse_if_changed(path, list_format, stamp)
        return NameSet(sections, path)
    except (KeyError, TypeError, ValueError, RuntimeError, OSError) as error:
        raise NotUsable(f"{compiled}: {error}") from error


def _refuse_if_changed(path: Path, list_format: ListFormat, stamp: source.Stamp) -> None:
    if source.Stamp.of(path)[:2] == stamp[:2]:
        return
    _, now = source.read(path, list_format)
    if now.digest != stamp.digest:
        raise NotUsable(f"{path} has changed since it was compiled")
