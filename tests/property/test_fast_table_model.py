"""Any history of puts, removals and marks leaves the table as a plain dict would be, less what had to go."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from smartdoh.fastpath.entry import Entry
from smartdoh.fastpath.table import OVERHEAD, Table
from smartdoh.model import Answer, Scan

SCAN = Scan(0x8180, 0, 12, (), 300, None, (), 0, 0, None, None)
KEYS = st.integers(0, 30).map(lambda number: b"%02d" % number)


def octets(key: bytes, entry: Entry) -> int:
    return len(key) + len(entry.wire) + OVERHEAD


class TableAgainstDict(RuleBasedStateMachine):
    """`model` is what was put and neither removed nor seen to be gone."""

    @initialize(capacity=st.integers(1, 20), room=st.integers(1, 30))
    def start(self, capacity: int, room: int) -> None:
        self.capacity, self.most = capacity, room * (OVERHEAD + 100)
        self.table = Table(capacity, self.most)
        self.model: dict[bytes, Entry] = {}

    @rule(key=KEYS, size=st.sampled_from((0, 50, 100, 1000, 20_000)))
    def put(self, key: bytes, size: int) -> None:
        entry = Entry(Answer(bytes(size), SCAN), 0.0, 300.0, 0.0, 300.0)
        before = self.table.evictions
        self.model[key] = entry
        total = sum(octets(*item) for item in self.model.items())
        fits = len(self.model) <= self.capacity and total <= self.most
        self.table.put(key, entry)
        gone = self.model.keys() - self.table.entries.keys()
        assert key in self.table.entries
        assert self.table.evictions - before == len(gone)
        assert not (fits and gone), "nothing goes while there is room"
        for name in gone:
            del self.model[name]

    @rule(key=KEYS)
    def remove(self, key: bytes) -> None:
        assert self.table.remove(key) == (self.model.pop(key, None) is not None)

    @rule(key=KEYS)
    def ask(self, key: bytes) -> None:
        if key in self.table.entries:
            self.table.entries[key].asked = True

    @invariant()
    def same_as_the_dict(self) -> None:
        assert self.table.entries == self.model
        assert self.table.octets == sum(octets(*item) for item in self.model.items())

    @invariant()
    def within_bounds(self) -> None:
        assert len(self.model) <= self.capacity
        assert self.table.octets <= self.most or len(self.model) == 1

    @invariant()
    def every_entry_knows_its_place(self) -> None:
        places = {entry.slot: key for key, entry in self.model.items()}
        assert [places[slot] for slot in range(len(self.model))] == self.table._ring


TestTableAgainstDict = TableAgainstDict.TestCase
TestTableAgainstDict.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
