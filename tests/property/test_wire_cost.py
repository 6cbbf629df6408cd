"""What a message costs is in proportion to its octets, however its pointers go: lines of code are counted, not time."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import smartdoh
from smartdoh.errors import WireError
from smartdoh.wire import compose, edit
from smartdoh.wire.answer import scan_answer
from smartdoh.wire.codes import FORMERR
from smartdoh.wire.question import parse_query
from tests.unit.wire.messages import (
    SOA,
    TO_QUESTION,
    TXT,
    header,
    opt,
    pointer,
    query,
    question,
    record,
    soa,
)

SOURCE = str(Path(smartdoh.__file__).parent)
LINES_AN_OCTET = 12  # a usual answer of A records takes 1
HALF, WHOLE = 32_000, 64_000  # octets

LABELS = 126  # with a pointer behind each and one to the first: as many steps as a sound name can take


def zigzag(at: int) -> bytes:
    """Records from `at` on whose owners make up one name: a label and a pointer to the owner before."""
    targets = [12, *(at + STEP * number for number in range(LABELS - 1))]
    return b"".join(record(b"\1a" + pointer(target), TXT, b"") for target in targets)


STEP = 14  # octets of each of these records
ROOT = question(b"\0")
ASKED = query(asked=ROOT)
START = 12 + len(ROOT)
FIRST = zigzag(START)
LONGEST = START + STEP * (LABELS - 1)  # where the name with all labels is


def lines_of(work: Callable[[], object]) -> int:
    """How many lines of smartdoh's own code `work` runs."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if event == "line":
            count += 1
        return trace if frame.f_code.co_filename.startswith(SOURCE) else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def filled(first: bytes, make: Callable[[int, int], bytes], size: int) -> bytes:
    """An answer of `size` octets or less: `first`, then the records that `make` writes for (number, offset)."""
    records: list[bytes] = []
    at = START + len(first)
    while True:
        more = make(len(records), at)
        if at + len(more) > size:
            return header((1, LABELS, len(records), 0)) + ROOT + first + b"".join(records)
        records.append(more)
        at += len(more)


def to_the_longest(number: int, at: int) -> bytes:
    return record(pointer(LONGEST), TXT, b"")


def to_each_label(number: int, at: int) -> bytes:
    return record(pointer(START + STEP * (number % LABELS)), TXT, b"")


def to_the_one_before(number: int, at: int) -> bytes:
    """Chains of 120, as long as they may be with what they end in."""
    return record(TO_QUESTION if number % 120 == 1 or at > 0x3FF0 else pointer(at - 12), TXT, b"")


def label_by_label(number: int, at: int) -> bytes:
    """Each owner one label longer than the one before it."""
    return record(b"\1a" + (TO_QUESTION if number % 100 == 1 or at > 0x3FF0 else pointer(at - 14)), TXT, b"")


def soa_of_the_longest(number: int, at: int) -> bytes:
    return record(TO_QUESTION, SOA, soa(1, pointer(LONGEST), pointer(LONGEST)))


def spelled_out(number: int, at: int) -> bytes:
    return record(b"\1a" * 127 + b"\0", TXT, b"")


NASTY = (to_the_longest, to_each_label, to_the_one_before, label_by_label, soa_of_the_longest, spelled_out)


def work_of(wire: bytes) -> int:
    """Everything that is done with an answer: scan, OPT taken out, TTLs, and the cut for a client."""
    scan = scan_answer(wire, ASKED)

    def work() -> None:
        scan_answer(wire, ASKED)
        edit.level_ttls(edit.remove_opt(wire, scan), START)
        edit.truncate(wire, START, len(wire) - 1)

    return lines_of(work)


@pytest.mark.parametrize("make", NASTY, ids=lambda make: make.__name__)
def test_an_answer_costs_what_it_weighs(make: Callable[[int, int], bytes]) -> None:
    half, whole = (work_of(filled(FIRST, make, size)) for size in (HALF, WHOLE))
    assert whole <= LINES_AN_OCTET * WHOLE
    assert whole <= 2.1 * half


def test_records_behind_opt_cost_what_they_weigh() -> None:
    def work(size: int) -> int:
        count = (size - START - len(FIRST) - 11) // 12
        rest = opt() + to_the_longest(0, 0) * count
        return work_of(header((1, LABELS, 0, 1 + count)) + ROOT + FIRST + rest)

    half, whole = work(HALF), work(WHOLE)
    assert whole <= LINES_AN_OCTET * WHOLE
    assert whole <= 2.1 * half


def test_a_query_costs_what_it_weighs() -> None:
    """Its records are stepped over, and their owners have pointers too."""

    def work(size: int) -> int:
        count = (size - START - len(FIRST)) // 12
        wire = header((1, 0, 0, LABELS + count), 0x0100) + ROOT + FIRST + to_the_longest(0, 0) * count
        parse_query(wire)
        return lines_of(lambda: parse_query(wire))

    half, whole = work(HALF), work(WHOLE)
    assert whole <= LINES_AN_OCTET * WHOLE
    assert whole <= 2.1 * half


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param(b"\1a" * 30_000, id="labels without end"),
        pytest.param(b"\x3f" * 60_000, id="long labels without end"),
        pytest.param(pointer(START - 2) * 30_000, id="pointers alone"),
        pytest.param(b"".join(pointer(max(12, START + 2 * n - 2)) for n in range(8000)), id="a chain"),
        pytest.param(bytes(60_000), id="nothing"),
        pytest.param(b"\xff" * 60_000, id="ones"),
    ],
)
@pytest.mark.parametrize("read", [lambda wire: scan_answer(wire, ASKED), parse_query])
def test_what_is_refused_costs_no_more(rest: bytes, read: Callable[[bytes], object]) -> None:
    wire = header((1, 65535, 65535, 65535)) + ASKED.wire[12 : ASKED.end] + rest

    def work() -> None:
        with pytest.raises(WireError):
            read(wire)
        compose.error(wire, FORMERR)

    assert lines_of(work) <= LINES_AN_OCTET * len(wire)


def test_a_refusal_of_many_questions_costs_what_they_weigh() -> None:
    """Their names are walked once more, in search of OPT."""
    first = question(b"\1a" * 127 + b"\0")
    wire = header((65535, 0, 0, 1), 0x0100) + first + question(pointer(12)) * 10_000 + opt()

    assert lines_of(lambda: compose.error(wire, FORMERR)) <= LINES_AN_OCTET * len(wire)
