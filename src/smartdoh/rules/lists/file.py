"""The compiled form of a list on disk: a head in JSON and five sections, mapped into memory and never changed.

The trie gives each key a number, `slots` has four octets for each number. Such a slot is either a line with
the reach of its name, which is all there is to say of nearly every name, or the place in `records` where its
rules begin; the rest of a rare rule is JSON in `details`. `patterns` is JSON: what no key leads to.

A file is written aside and moved into place, so a reader has a whole one or none; a checksum over all of it keeps
a damaged one from being believed, since the trie's library trusts what it maps.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from smartdoh import durable
from smartdoh.errors import SmartDohError
from smartdoh.rules.lists.rule import Reach

VERSION = 1  # of this layout and of what the dialects make of a line: one up with every change of either
SECTIONS = ("trie", "slots", "records", "details", "patterns")

_MAGIC = b"smartdoh names\n\0"
_START = struct.Struct("<16sIII")  # magic, version, checksum of all that follows, length of the head
_ALIGNED = 16  # octets at which sections begin
_MACHINE = (
    f"{sys.byteorder} {struct.calcsize('P') * 8}"  # the trie and the slots are in the machine's own order
)

IS_RECORD = 1 << 31  # a slot: the place of the first record, not a line
REACH_SHIFT = 29
LINE_MASK = (1 << REACH_SHIFT) - 1
FIRST_EXACT = Reach.EXACT << REACH_SHIFT  # slots of names that stand for themselves alone begin here,
FIRST_BELOW = Reach.BELOW << REACH_SHIFT  # and here those that stand only for what is below them

RECORD = struct.Struct("<III")  # line, place of the detail, flags
EXCEPTION, IMPORTANT, MORE, DETAIL, MILD = 4, 8, 16, 32, 64  # flags; the two lowest bits are the reach
REACH_MASK = 3


class NotUsable(SmartDohError):
    """A compiled file that has to be made anew: none is there, or it is broken, old, or of another list."""


class Sections(NamedTuple):
    """The mapped file."""

    head: Mapping[str, Any]
    trie: memoryview
    slots: memoryview
    records: memoryview
    details: memoryview
    patterns: memoryview
    mapping: mmap.mmap  # the owner of all the views


def write(path: Path, head: Mapping[str, Any], sections: Mapping[str, bytes]) -> int:
    """Write the file, whole or not at all, and return its size. Raises OSError."""
    places, at = {}, 0
    for name in SECTIONS:
        places[name] = (at, len(sections[name]))
        at += len(sections[name]) + -len(sections[name]) % _ALIGNED
    text = json.dumps({**head, "machine": _MACHINE, "places": places}).encode()
    text += b" " * (-(_START.size + len(text)) % _ALIGNED)
    body = text + b"".join(sections[name] + bytes(-len(sections[name]) % _ALIGNED) for name in SECTIONS)
    content = _START.pack(_MAGIC, VERSION, zlib.crc32(body), len(text)) + body
    durable.write(path, path.with_name(f".{path.name}.{os.getpid()}.new"), content)
    return len(content)


def load(path: Path) -> Sections:
    """Map the file. Raises NotUsable with the reason."""
    try:
        with path.open("rb") as file:
            mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:  # an empty file cannot be mapped
        raise NotUsable(f"{path}: {error}") from error
    view = memoryview(mapping)
    try:
        return _sections(view, mapping)
    except (KeyError, TypeError, ValueError, struct.error) as error:
        raise NotUsable(f"{path}: {error}") from error


def _sections(view: memoryview, mapping: mmap.mmap) -> Sections:
    magic, version, checksum, length = _START.unpack_from(view)
    if magic != _MAGIC or version != VERSION:
        raise ValueError("another version of the compiled form")
    if zlib.crc32(view[_START.size :]) != checksum:
        raise ValueError("damaged")
    begin = _START.size + length
    head = json.loads(bytes(view[_START.size : begin]))
    if head["machine"] != _MACHINE:
        raise ValueError("made on another kind of machine")
    body = view[begin:]
    trie, slots, records, details, patterns = (
        body[at : at + size] for at, size in (head["places"][name] for name in SECTIONS)
    )
    return Sections(head, trie, slots.cast("I"), records, details, patterns, mapping)
