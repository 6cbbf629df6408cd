"""Records on disk: what is written is read again, and what is not exactly that is not read at all."""

from hypothesis import assume, given
from hypothesis import strategies as st

from smartdoh.cache import records
from smartdoh.cache.records import Place, Record

LABELS = st.binary(min_size=1, max_size=63).map(bytes.lower)
NAMES = (
    st.lists(LABELS, max_size=6)
    .map(lambda labels: b"".join(bytes([len(label)]) + label for label in labels) + b"\0")
    .filter(lambda name: len(name) <= 255)
)
FINGERPRINTS = st.binary(min_size=records.FINGERPRINT, max_size=records.FINGERPRINT)
POLICIES = st.integers(0, 0xFFFFFF)
NUMBERS = st.integers(0, 0xFFFF)
RECORDS = st.builds(
    Record,
    stored=st.integers(0, records.MAX_TIME),
    lifetime=st.integers(0, 604_800),
    ad=st.booleans(),
    asked=st.booleans(),
    source=st.text(st.characters(codec="utf-8"), max_size=60),
    ede=st.binary(max_size=80),
    wire=st.binary(min_size=1, max_size=2000),
)


def query_key(name: bytes, qtype: int, qclass: int, policy: int) -> bytes:
    return name + qtype.to_bytes(2) + qclass.to_bytes(2) + policy.to_bytes(3)


@given(NAMES, NUMBERS, NUMBERS, POLICIES, FINGERPRINTS)
def test_a_key_says_all_but_the_view(
    name: bytes, qtype: int, qclass: int, policy: int, fingerprint: bytes
) -> None:
    key = records.key_of(name, query_key(name, qtype, qclass, policy), fingerprint)
    assert len(key) <= 511, "LMDB's limit"
    expected = Place(name, qtype, qclass, bool(policy & 2), bool(policy & 1), fingerprint)
    assert records.place_of(key) == expected


@given(NAMES, NAMES)
def test_keys_below_a_name_are_those_that_begin_with_it(name: bytes, other: bytes) -> None:
    for inner in (name, name[:-1] + other):
        assume(len(inner) <= 255)
        key = records.key_of(inner, query_key(inner, 1, 1, 0), bytes(8))
        is_below = inner == other or (inner.endswith(other) and _is_border(inner, len(inner) - len(other)))
        assert key.startswith(records.domain_key(other)) == is_below
        assert key.startswith(records.domain_key(other) + b"\0") == (inner == other)


def _is_border(name: bytes, at: int) -> bool:
    here = 0
    while here < at:
        here += 1 + name[here]
    return here == at


@given(st.binary(max_size=300))
def test_any_octets_are_a_key_of_ours_or_none(octets: bytes) -> None:
    place = records.place_of(octets)
    if place is not None:
        policy = place.do << 1 | place.cd
        again = records.key_of(
            place.name, query_key(place.name, place.qtype, place.qclass, policy), place.fingerprint
        )
        assert again == octets


@given(st.binary(min_size=1, max_size=300), RECORDS)
def test_a_record_is_read_as_it_was_written(key: bytes, record: Record) -> None:
    octets = records.encode(key, record)
    assert records.decode(key, octets) == record
    assert records.times_of(octets) == (record.stored, record.lifetime, record.asked)


@given(st.binary(min_size=1, max_size=50), RECORDS, st.data())
def test_a_record_with_other_octets_is_none(key: bytes, record: Record, data: st.DataObject) -> None:
    octets = records.encode(key, record)
    at = data.draw(st.integers(0, len(octets) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    assert records.decode(key, octets[:at] + bytes([octets[at] ^ bit]) + octets[at + 1 :]) is None
    assert records.decode(key, octets[:at]) is None
    assert records.decode(key, octets + b"\0") is None


@given(st.binary(min_size=1, max_size=50), st.binary(min_size=1, max_size=50), RECORDS)
def test_a_record_under_another_key_is_none(key: bytes, other: bytes, record: Record) -> None:
    assume(key != other)
    assert records.decode(other, records.encode(key, record)) is None


@given(st.binary(max_size=200), st.binary(max_size=400))
def test_any_octets_may_be_looked_at(key: bytes, octets: bytes) -> None:
    records.decode(key, octets)
    records.times_of(octets)


@given(st.binary(min_size=1, max_size=20), st.integers(), st.text(min_size=100, max_size=400))
def test_what_does_not_fit_is_cut_to_what_does(key: bytes, stored: int, source: str) -> None:
    record = Record(stored, 60, False, False, source, b"", b"wire")
    found = records.decode(key, records.encode(key, record))
    assert found is not None
    assert found.stored == min(max(stored, 0), records.MAX_TIME)
    assert found.wire == b"wire"
    assert len(found.source.encode("utf-8")) <= 3 * 255
