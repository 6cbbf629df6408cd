"""A list made into its compiled form. It takes seconds for a million names: call it in a process of its own."""

from __future__ import annotations

import time
from array import array
from pathlib import Path
from typing import TYPE_CHECKING

import marisa_trie

from smartdoh.rules.lists import file, source
from smartdoh.rules.lists.dialects import DIALECTS
from smartdoh.rules.lists.file import IS_RECORD, LINE_MASK, REACH_SHIFT
from smartdoh.rules.lists.gathering import Gathered
from smartdoh.rules.lists.records import Records, pack_patterns
from smartdoh.rules.lists.report import Report
from smartdoh.rules.lists.rule import Reach, Rule

if TYPE_CHECKING:
    from smartdoh.config.settings import ListFormat

# One trie instead of three nested ones, the default: a third larger, and a third faster to look up.
_NUMBER_OF_TRIES = 1


def compile_list(path: Path, list_format: ListFormat, out: Path) -> Report:
    """Compile the list at `path` into `out`, whole or not at all. Everything about it can be pickled.

    Raises OSError where one of them cannot be read or written, and ValueError for a list of 2**29 lines.
    """
    began = time.perf_counter()
    lines, stamp = source.read(path, list_format)
    dialect = DIALECTS[list_format]
    gathered = Gathered(dialect)
    gathered.take(lines)
    del lines
    trie = marisa_trie.BinaryTrie(
        gathered.keys, num_tries=_NUMBER_OF_TRIES, cache_size=marisa_trie.TINY_CACHE
    )
    records = Records()
    slots = _slots(gathered, trie, records)
    patterns = [
        (rule.pattern, records.add([(line, rule)]))
        for line, rule in map(gathered.rules.__getitem__, gathered.loose)
        if rule.pattern is not None
    ]
    sections = {
        "trie": trie.tobytes(),
        "slots": slots.tobytes(),
        "records": bytes(records.records),
        "details": bytes(records.details),
        "patterns": pack_patterns(patterns),
    }
    seconds = time.perf_counter() - began
    report = _report(gathered, len(trie), seconds, sum(map(len, sections.values())))
    head = {
        "format": list_format,
        "longest_decides": dialect.longest_decides,
        "stamp": stamp,
        "report": report.as_json(),
    }
    file.write(out, head, sections)
    return report


def _slots(gathered: Gathered, trie: marisa_trie.BinaryTrie, records: Records) -> array[int]:
    """What is known of each key, at the key's number. Of two lines that say the same, the first counts."""
    slots = array("I", bytes(4 * len(trie)))
    several: dict[int, list[int]] = {}
    for value, number in zip(gathered.values, map(trie.key_id, gathered.keys), strict=True):
        before = slots[number]
        if not before and not value & IS_RECORD:
            slots[number] = value
        elif before ^ value > LINE_MASK or value & IS_RECORD:
            if before and not before & IS_RECORD:
                several[number] = [before]
            several.setdefault(number, []).append(value)
            slots[number] = IS_RECORD
    for number, values in several.items():
        slots[number] = IS_RECORD | records.add([_rule(gathered, value) for value in values])
    return slots


def _rule(gathered: Gathered, value: int) -> tuple[int, Rule]:
    if value & IS_RECORD:
        return gathered.rules[value ^ IS_RECORD]
    return value & LINE_MASK, Rule(b"", Reach(value >> REACH_SHIFT))


def _report(gathered: Gathered, names: int, seconds: float, size: int) -> Report:
    return Report(
        lines=gathered.lines,
        used=gathered.lines - gathered.comments - gathered.skipped.total(),
        comments=gathered.comments,
        skipped=dict(gathered.skipped),
        names=names,
        patterns=len(gathered.loose),
        exceptions=gathered.exceptions,
        examples=tuple(gathered.examples),
        seconds=round(seconds, 3),
        size=size,
    )
