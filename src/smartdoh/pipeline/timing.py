"""Fastest addresses in the pipeline: entries are shaped by what is known, and those in the table again when more is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from smartdoh.config.settings import FastestIp
from smartdoh.fastpath import Entry, FastPath
from smartdoh.model import Answer, Query
from smartdoh.pipeline.fastest import TIMED_TYPES, addresses_of, shape
from smartdoh.pipeline.shaping import answer_of
from smartdoh.speed.board import Board, Row
from smartdoh.speed.prober import Prober
from smartdoh.speed.ranking import PROBE_EVERY, order
from smartdoh.speed.way import Way


class Timed(NamedTuple):
    """What one group wants of its addresses, and how they are reached."""

    mode: FastestIp
    way: Way


class Timing:
    """Shapes entries, and has their addresses timed. No call here waits for anything."""

    def __init__(
        self,
        groups: Mapping[str, Timed],
        fast: FastPath,
        board: Board,
        prober: Prober,
        clock: Callable[[], float],
    ) -> None:
        """`groups` by their names; those that are not there, or are `off`, are left alone. `clock` is the cache's."""
        self._groups = {name: timed for name, timed in groups.items() if timed.mode != "off"}
        self._fast = fast
        self._board = board
        self._prober = prober
        self._clock = clock

    def shaped(self, group: str, query: Query, whole: Entry) -> Entry:
        """`whole`, the entry of all that a group said to `query`, as it is to go into the table by what is known now.

        Its addresses are timed in the background. If the entry given back is in the table when that is done, it
        makes way for one in the new order. Nothing about its times ever changes but that it may be refreshed sooner.
        """
        timed = self._groups.get(group)
        if timed is None or query.qtype not in TIMED_TYPES or whole.rcode:
            return whole
        answer = answer_of(query, whole)
        addresses = addresses_of(query, answer)
        if not addresses:
            return whole
        entry = self._shape(timed, query, answer, whole)
        done = partial(self._shape_again, timed, query, answer, entry)
        self._prober.schedule(timed.way, query.name, addresses, done)
        return entry

    def snapshot(self, name: bytes) -> list[Row]:
        """What is known of the addresses of a name (folded wire format), best first."""
        return self._board.snapshot(name)

    def _shape(self, timed: Timed, query: Query, answer: Answer, like: Entry) -> Entry:
        """An entry of `answer`, shaped, with the times of `like`; `like` itself if it holds that already.

        An answer that is cut is fetched anew after a while if it is asked for, whatever its TTL: its one address may
        have gone out of order since, and the others are not in the table any more.
        """

        def rank(name: bytes, addresses: Sequence[bytes]) -> tuple[tuple[bytes, ...], bool]:
            return order(addresses, partial(self._board.place, timed.way, name))

        shaped = shape(query, answer, rank, only=timed.mode == "only")
        if shaped.wire == like.wire:
            return like
        refresh_at = like.refresh_at
        if len(shaped.wire) < len(answer.wire):
            refresh_at = min(refresh_at, self._clock() + PROBE_EVERY)
        entry = Entry(shaped, like.stored, like.expires - like.stored, like.stale, refresh_at, like.origin)
        entry.expires = like.expires  # what floats round must not lengthen a life
        return entry

    def _shape_again(self, timed: Timed, query: Query, answer: Answer, entry: Entry) -> None:
        """Put another entry in the place of `entry`, if that still has it."""
        if not self._fast.holds(query.key, entry):
            return
        other = self._shape(timed, query, answer, entry)
        if other is not entry:
            self._fast.store(query.key, other)
