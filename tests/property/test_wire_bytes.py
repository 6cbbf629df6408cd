"""Any bytes, and sound messages with a few octets changed: only WireError, and all that the fuzzers hold to."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import example, given, settings
from hypothesis import strategies as st

from smartdoh.errors import WireError
from smartdoh.wire import edns, names
from smartdoh.wire.answer import scan_answer
from smartdoh.wire.question import parse_query
from tests.fuzz import fuzz_answer, fuzz_edns, fuzz_query
from tests.fuzz.seeds import ANSWERS, QUERIES
from tests.property.wire_messages import Reply, replies
from tests.unit.wire.messages import QUESTION, query

ASKED = query()
EDGES = st.sampled_from((0, 1, 12, 41, 63, 64, 128, 192, 193, 255))  # octets that mean something somewhere
OCTETS = st.one_of(EDGES, st.integers(0, 255))
CLIENTS = st.binary(min_size=4, max_size=4)

many = settings(deadline=None, max_examples=200)


@st.composite
def changed(draw: st.DrawFn, sources: st.SearchStrategy[bytes]) -> bytes:
    """A sound message in which a few things were set, cut out, put in, doubled or cut off."""
    wire = bytearray(draw(sources))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(wire)))
        match draw(st.sampled_from(("set", "pointer", "count", "cut", "put", "double", "end"))):
            case "set":
                wire[at : at + 1] = bytes((draw(OCTETS),))
            case "pointer":
                wire[at : at + 2] = (0xC000 | draw(st.integers(0, max(12, at)))).to_bytes(2)
            case "count":
                where = draw(st.sampled_from((4, 6, 8, 10)))
                wire[where : where + 2] = bytes((0, draw(st.integers(0, 5))))
            case "cut":
                del wire[at : at + draw(st.integers(1, 12))]
            case "put":
                wire[at:at] = draw(st.binary(min_size=1, max_size=12))
            case "double":
                wire[at:at] = wire[at : at + draw(st.integers(1, 40))]
            case "end":
                del wire[max(12, at) :]
    return bytes(wire)


SOUND_ANSWERS = replies(2).map(lambda reply: reply.wire)


@many
@given(st.binary(min_size=12, max_size=300))
@example(bytes(12))
def test_a_query_of_any_bytes(wire: bytes) -> None:
    with suppress(WireError):
        parse_query(wire)


@many
@given(st.binary(max_size=300))
@example(b"")
def test_an_answer_of_any_bytes(wire: bytes) -> None:
    with suppress(WireError):
        scan_answer(wire, ASKED)


@many
@given(st.binary(max_size=200), st.tuples(*[st.integers(0, 3)] * 3))
def test_records_of_any_bytes(rest: bytes, counts: tuple[int, int, int]) -> None:
    """Behind a header and a question that are sound."""
    head = b"\0\0\x81\x80\0\1" + b"".join(count.to_bytes(2) for count in counts)
    fuzz_answer.check(b"\x0b\4\xd0\1" + head + QUESTION + rest)


@many
@given(st.binary(min_size=1, max_size=100), st.integers(0, 99))
def test_a_name_of_any_bytes(wire: bytes, at: int) -> None:
    """What is no name is refused, what is one ends where both walks say, and has an expansion of the same size."""
    known: names.Known = {}
    wire = bytes(12) + wire
    at = 12 + min(at, len(wire) - 13)
    try:
        end = names.skip_name(wire, at, known)
    except (WireError, IndexError):
        return
    assert end == names.end_of_name(wire, at)
    expanded = names.expand(wire, at, {})
    assert len(expanded) == known[at] % 65_536 <= 255
    assert names.skip_name(bytes(12) + expanded, 12, {}) == 12 + len(expanded)


@many
@given(changed(st.sampled_from(list(QUERIES.values()))))
def test_a_query_that_was_changed(wire: bytes) -> None:
    fuzz_query.check(wire)


@many
@given(CLIENTS, changed(SOUND_ANSWERS))
def test_an_answer_that_was_changed(client: bytes, wire: bytes) -> None:
    fuzz_answer.check(client + wire)


@many
@given(changed(st.sampled_from([seed[4:] for seed in ANSWERS.values()])), CLIENTS)
def test_a_seed_that_was_changed(wire: bytes, client: bytes) -> None:
    fuzz_answer.check(client + wire)


@many
@given(replies(), CLIENTS)
def test_an_answer_as_it_was_written(reply: Reply, client: bytes) -> None:
    """Taken, to begin with."""
    scan_answer(reply.wire, reply.query)
    fuzz_answer.check(client + reply.wire)


@many
@given(st.binary(max_size=200))
def test_options_of_any_bytes(options: bytes) -> None:
    fuzz_edns.check(options)


@many
@given(st.lists(st.tuples(st.integers(0, 65_535), st.binary(max_size=9)), max_size=40))
def test_options_that_are_sound(options: list[tuple[int, bytes]]) -> None:
    """Taken up to the 32nd."""
    encoded = b"".join(code.to_bytes(2) + len(data).to_bytes(2) + data for code, data in options)
    fuzz_edns.check(encoded)
    if len(options) <= edns.MAX_OPTIONS:
        assert list(edns.split_options(encoded)) == options


@many
@given(st.text())
def test_any_text_is_a_name_or_a_value_error(text: str) -> None:
    try:
        name = names.from_text(text)
    except ValueError:
        return
    assert names.skip_name(bytes(12) + name, 12, {}) == 12 + len(name)


@many
@given(st.lists(st.binary(min_size=1, max_size=20), max_size=8))
def test_any_name_has_a_text(labels: list[bytes]) -> None:
    """Which has no character that could pass for another, or end a line of a log."""
    name = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
    text = names.to_text(name)
    assert text.isascii()
    assert text.isprintable()
    assert " " not in text
    assert len(names.parents(name)) == len(labels) + 1
