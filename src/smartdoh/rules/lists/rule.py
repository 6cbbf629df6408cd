"""The common form: what one line of a list says, or why it says nothing that DNS could use."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import NamedTuple

from smartdoh.model import Rewrite


class Reach(IntEnum):
    """Which names a listed name stands for."""

    WITH_BELOW = 0  # itself and all below it
    EXACT = 1  # itself alone
    BELOW = 2  # all below it, not itself


class Reason(StrEnum):
    """Why a line is not used. Every line is used, or a comment, or has one of these."""

    PATH = "path"
    ADDRESS = "address"
    NAME = "name"
    REGEXP = "regexp"
    MODIFIER = "modifier"
    COSMETIC = "cosmetic"
    LOCAL = "local"
    DIRECTIVE = "directive"
    DISABLED = "disabled"
    SYNTAX = "syntax"
    LIMIT = "limit"


MEANINGS = {
    Reason.PATH: "about a part of a site (a path, port or query), which DNS does not see",
    Reason.ADDRESS: "about an IP address, not a name",
    Reason.NAME: "not a domain name",
    Reason.REGEXP: "a regular expression that is too long or that RE2 does not take",
    Reason.MODIFIER: "a modifier that does not exist for DNS, so the whole rule is left out",
    Reason.COSMETIC: "about what a page looks like",
    Reason.LOCAL: "a name that every machine has for itself, as localhost",
    Reason.DIRECTIVE: "a setting, not a name",
    Reason.DISABLED: "switched off by a rule with badfilter",
    Reason.SYNTAX: "not a line of this format",
    Reason.LIMIT: "too long, or past the number of patterns that a list may have",
}


class Pattern(NamedTuple):
    """A regular expression for names."""

    source: str  # in RE2's syntax, searched for regardless of case
    literal: str  # stands in every name that it matches; empty where none is known
    on_url: bool = False  # it is meant for URLs: searched for in http://NAME/ and https://NAME/


class Rule(NamedTuple):
    """What a line says of the names that it matches.

    With a `key` and a `pattern`, a name must be within the key's reach and match the pattern, too.
    """

    key: bytes | None
    reach: Reach = Reach.WITH_BELOW
    pattern: Pattern | None = None
    is_exception: bool = False
    is_important: bool = False
    types: tuple[int, ...] = ()  # only these types are meant; empty: all
    not_types: tuple[int, ...] = ()
    denyallow: tuple[bytes, ...] = ()  # keys of names that it is not about, nor those below them
    rewrite: Rewrite | None = None  # the answer; of an exception: which rewrites it lifts
    is_mild: bool = (
        False  # an exception that names no rewrite is enough to lift this one, as for a line of a hosts file
    )

    @property
    def is_plain(self) -> bool:
        """Whether key and reach are all there is to it."""
        return self == Rule(self.key, self.reach)


Parsed = list[Rule] | Reason | None
"""A line: what it says, why it says nothing, or None for what is meant to say nothing, as a comment."""
