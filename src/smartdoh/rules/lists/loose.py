"""Patterns that no key leads to: each name is held against all of them, in one pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import re2

from smartdoh.rules.lists.patterns import compiled
from smartdoh.rules.lists.rule import Pattern

MOST_LITERALS = 8  # up to here, looking for literals one by one is faster than one automaton for all
MOST_TOGETHER = 500  # patterns in one automaton; the states of larger ones no longer fit into its memory

Placed = Sequence[tuple[Pattern, int]]  # patterns with the places of their records

_AS_NAME = (b"%b",)
_AS_URL = (b"http://%b/", b"https://%b/")


class Loose:
    """The patterns, and what tells quickly that none of them matches."""

    def __init__(self, patterns: Placed) -> None:
        self._literals: list[tuple[bytes, Pattern, int]] = []  # each as it stands in a key: reversed
        self._automata: list[tuple[re2._Regexp, tuple[bytes, ...], Placed]] = []
        if len(patterns) <= MOST_LITERALS and all(pattern.literal for pattern, _ in patterns):
            self._literals = [(pattern.literal[::-1].encode(), pattern, at) for pattern, at in patterns]
            return
        for on_url, forms in ((False, _AS_NAME), (True, _AS_URL)):
            alike = [placed for placed in patterns if placed[0].on_url is on_url]
            parts = [alike[at : at + MOST_TOGETHER] for at in range(0, len(alike), MOST_TOGETHER)]
            self._automata += [(gate, forms, part) for many in parts for gate, part in _gates(many)]

    def matching(self, key: bytes) -> list[int]:
        """The places of the records whose patterns match the name of `key`."""
        found = []
        for literal, pattern, place in self._literals:
            if literal in key and _matches(pattern, key[-2::-1]):
                found.append(place)
        if self._automata:
            found += self._by_automata(key[-2::-1])
        return found

    def _by_automata(self, name: bytes) -> Iterator[int]:
        for automaton, forms, part in self._automata:
            if any(automaton.search(form % name) is not None for form in forms):
                yield from (place for pattern, place in part if _matches(pattern, name))


def _gates(patterns: Placed) -> list[tuple[re2._Regexp, Placed]]:
    """One automaton for all patterns; where that would be too large, as many as it takes."""
    try:
        return [(compiled("|".join(f"(?:{pattern.source})" for pattern, _ in patterns)), patterns)]
    except ValueError:
        if len(patterns) == 1:
            raise
        half = len(patterns) // 2
        return [*_gates(patterns[:half]), *_gates(patterns[half:])]


def _matches(pattern: Pattern, name: bytes) -> bool:
    found = compiled(pattern.source)
    forms = _AS_URL if pattern.on_url else _AS_NAME
    return any(found.search(form % name) is not None for form in forms)
