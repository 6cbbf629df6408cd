"""What a format of lists has to say of itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from smartdoh.rules.lists.rule import Parsed, Reach


def nothing_disabled(_lines: Iterable[bytes]) -> Collection[str]:
    """For formats in which no line can switch off another."""
    return ()


class Dialect(NamedTuple):
    """One format. `plain` is a shortcut for the lines that a list of a million is made of, not another meaning:
    where it matches, its group is a name and `reach` says of which names; `parse` would say the same.
    """

    parse: Callable[[str], Parsed]  # a line without white space around it
    plain: re.Pattern[bytes]
    reach: Reach = Reach.WITH_BELOW
    longest_decides: bool = False  # between names one below the other; else an exception wins over all
    find_disabled: Callable[[Iterable[bytes]], Collection[str]] = nothing_disabled
