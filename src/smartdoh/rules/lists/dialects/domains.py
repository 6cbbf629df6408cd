"""A name a line, with the prefixes of v2fly's lists (full: domain: keyword: regexp:) and of others (`+.` and `*.`)."""

from __future__ import annotations

import re

from smartdoh.rules.lists.dialects.dialect import Dialect
from smartdoh.rules.lists.keys import NAME
from smartdoh.rules.lists.patterns import glob, regexp, with_key
from smartdoh.rules.lists.rule import Parsed, Pattern, Reach, Reason, Rule

_PLAIN = re.compile(rf"(?:domain:|\+?\.)?({NAME})[ \t\r]*".encode())
_KIND = re.compile(r"(full|domain|keyword|regexp|include):\s*")
_ATTRIBUTES = re.compile(r"(?:\s+[@&][^\s@&]+)+$|:(?:@[^\s,@]+,?)+$")
_COMMENT = re.compile(r"(?:^|\s)(?:#|//).*")


def parse(line: str) -> Parsed:
    """A line of the list. Attributes (`@cn`) sort names within v2fly's own lists; here a list is used whole."""
    text = line if line.startswith("regexp:") else _COMMENT.sub("", line)
    text = _ATTRIBUTES.sub("", text).strip()
    if not text or text[0] in "!;":
        return None
    kind = _KIND.match(text)
    value = text[kind.end() :] if kind else text
    if any(map(str.isspace, value)) and (kind is None or kind[1] != "regexp"):
        return Reason.SYNTAX
    if kind is None:
        return _name(value)
    return _of_kind(kind[1], value)


def _of_kind(kind: str, value: str) -> Parsed:
    if kind == "include":
        return Reason.DIRECTIVE
    if kind == "regexp":
        return regexp(re.sub(r"\s#.*", "", value).strip())
    if kind == "keyword":
        if not re.fullmatch(r"[A-Za-z0-9._-]+", value):
            return Reason.NAME
        return [Rule(None, pattern=Pattern(re.escape(value.lower()), value.lower()))]
    return with_key(value, Reach.EXACT if kind == "full" else Reach.WITH_BELOW)


def _name(value: str) -> Parsed:
    if value.startswith("*."):
        return glob(value, "name")
    value = value.removeprefix("+").removeprefix(".") if value.startswith(("+.", ".")) else value
    return glob(value, "name") if "*" in value else with_key(value)


DIALECT = Dialect(parse, _PLAIN)
