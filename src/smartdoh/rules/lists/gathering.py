"""All lines of a list, gone through once: keys with their rules, and the account of what was not used."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable

from smartdoh.rules.lists.dialects.adblock import canonical
from smartdoh.rules.lists.dialects.dialect import Dialect
from smartdoh.rules.lists.file import IS_RECORD, LINE_MASK, REACH_SHIFT
from smartdoh.rules.lists.keys import LONGEST_NAME
from smartdoh.rules.lists.report import LONGEST_EXAMPLE, MOST_EXAMPLES, Skipped
from smartdoh.rules.lists.rule import Parsed, Reason, Rule

LONGEST_LINE = 4096  # octets
MOST_PATTERNS = 5_000  # that no key leads to, so that each name is held against all of them


class Gathered:
    """What the lines said so far. `keys` and `values` go together; a value is as a slot, its record one of `rules`."""

    def __init__(self, dialect: Dialect) -> None:
        self.keys: list[bytes] = []
        self.values = array("I")
        self.rules: list[tuple[int, Rule]] = []  # line and rule, where that is more than a name
        self.loose: list[int] = []  # which of the rules have no key
        self.lines = 0
        self.comments = 0
        self.exceptions = 0
        self.skipped: Counter[Reason] = Counter()
        self.examples: list[Skipped] = []
        self._dialect = dialect

    def take(self, lines: list[bytes]) -> None:
        """Go through the lines, the first of which is number 1."""
        self.lines = len(lines)
        if len(lines) > LINE_MASK:
            raise ValueError("a list of more lines than can be counted")
        disabled = frozenset(self._dialect.find_disabled(lines))
        shortcut = self._dialect.plain.fullmatch
        reach = self._dialect.reach << REACH_SHIFT
        add_key, add_value = self.keys.append, self.values.append
        for number, line in enumerate(lines, 1):
            found = shortcut(line)
            if found is None or disabled or len(found[1]) > LONGEST_NAME:
                self._take_slowly(number, line, disabled)
            else:
                add_key(found[1][::-1].lower() + b".")
                add_value(reach | number)

    def _take_slowly(self, number: int, line: bytes, disabled: frozenset[str]) -> None:
        text = line.decode("utf-8", "replace").strip()
        if disabled and text[:1] not in "!#" and "badfilter" not in text and canonical(text) in disabled:
            parsed: Parsed = Reason.DISABLED
        else:
            parsed = self._dialect.parse(text) if len(line) <= LONGEST_LINE else Reason.LIMIT
        if isinstance(parsed, list) and self._has_room_for(parsed):
            self.exceptions += any(rule.is_exception for rule in parsed)
            self._add(number, parsed)
        elif parsed is None:
            self.comments += 1
        else:
            self._skip(number, parsed if isinstance(parsed, Reason) else Reason.LIMIT, text)

    def _has_room_for(self, rules: list[Rule]) -> bool:
        return len(self.loose) < MOST_PATTERNS or all(rule.key is not None for rule in rules)

    def _add(self, number: int, rules: Iterable[Rule]) -> None:
        for rule in rules:
            value = rule.reach << REACH_SHIFT | number
            if not rule.is_plain:
                value = IS_RECORD | len(self.rules)
                self.rules.append((number, rule))
            if rule.key is None:
                self.loose.append(len(self.rules) - 1)
            else:
                self.keys.append(rule.key)
                self.values.append(value)

    def _skip(self, number: int, reason: Reason, text: str) -> None:
        self.skipped[reason] += 1
        if self.skipped[reason] <= MOST_EXAMPLES:
            self.examples.append(Skipped(number, reason, text[:LONGEST_EXAMPLE]))
