"""Any history of changes: the batches and the file together say what a dict would."""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from smartdoh.cache.batch import GONE, Batch
from smartdoh.cache.store import Store

STARTS = [bytes([letter]) * length for letter in b"abc" for length in (1, 2, 3)]
KEYS = st.sampled_from([start + bytes([number]) for start in STARTS for number in range(3)])
VALUES = st.binary(min_size=16, max_size=40)


class BatchesAgainstDict(RuleBasedStateMachine):
    """`model` is what was put and neither deleted nor flushed; nothing is evicted here."""

    @initialize()
    def start(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.store = Store(Path(self.folder.name) / "cache.lmdb", 1000, 1e12)
        self.pending, self.model = Batch(), dict[bytes, bytes]()

    @rule(key=KEYS, value=VALUES)
    def put(self, key: bytes, value: bytes) -> None:
        self.pending.put(key, value)
        self.model[key] = value

    @rule(key=KEYS)
    def delete(self, key: bytes) -> None:
        self.pending.delete(key)
        self.model.pop(key, None)

    @rule(start=st.sampled_from([b"", *STARTS]))
    def flush(self, start: bytes) -> None:
        self.pending.flush(start)
        self.model = {key: value for key, value in self.model.items() if not key.startswith(start)}

    @rule()
    def commit(self) -> None:
        batch, self.pending = self.pending, Batch()
        assert self.store.write(batch, b"clock", 0.0) == 0

    @rule()
    def fail(self) -> None:
        """A batch that could not be written takes its additions with it, and nothing comes back."""
        batch, self.pending = self.pending, Batch()
        for key in batch.puts:
            if key not in self.pending.puts:
                self.model.pop(key, None)
        batch.removals_before(self.pending)

    @invariant()
    def says_the_same(self) -> None:
        if not hasattr(self, "model"):
            return
        for start in STARTS:
            for number in range(3):
                key = start + bytes([number])
                said = self.pending.look(key)
                found = self.store.get(key) if said is None else said
                assert (found or GONE) == self.model.get(key, GONE)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()


BatchesAgainstDict.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestBatchesAgainstDict = BatchesAgainstDict.TestCase
