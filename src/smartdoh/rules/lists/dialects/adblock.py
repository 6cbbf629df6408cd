"""Adblock rules as AdGuard documents them for DNS: masks of host names with modifiers."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from smartdoh.rules.lists.dialects import hosts
from smartdoh.rules.lists.dialects.dialect import Dialect
from smartdoh.rules.lists.keys import NAME, parse_name
from smartdoh.rules.lists.modifiers import Modifiers, parse_modifiers, split_modifiers
from smartdoh.rules.lists.patterns import Start, glob, regexp, with_key
from smartdoh.rules.lists.rule import Parsed, Reach, Reason, Rule

_PLAIN = re.compile(rf"\|\|({NAME})\^[ \t\r]*".encode())
_COSMETIC = re.compile(r"#@?[$%?]*#|\$@?\$|^\S*#@?\$\?#")
_REGEXP = re.compile(r"/(.+)/(?:\$(.*))?")
_HOSTS_LINE = re.compile(r"[0-9A-Fa-f.:]*[.:][0-9A-Fa-f.:]*(?:%\w+)?\s+\S")
_COMMENT = re.compile(r"\s#.*")
_START = re.compile(r"\|\||\|?(?:https?|\*)?://|\|")

Found = list[Rule] | Reason


def parse(line: str) -> Parsed:
    """A line of the list."""
    if not line or line[0] in "!#" or (line[0] == "[" and line[-1] == "]"):
        return None
    if _COSMETIC.search(line):
        return Reason.COSMETIC
    if _HOSTS_LINE.match(line):
        return hosts.parse(line)
    exception, pattern, modifiers = _split(line)
    if "badfilter" in modifiers:
        return []
    meaning = parse_modifiers(modifiers, is_exception=bool(exception))
    if isinstance(meaning, Reason):
        return meaning
    is_bare = not exception and not modifiers
    found = _rules(pattern, is_bare=is_bare)
    return found if isinstance(found, Reason) else [_with(meaning, rule, exception) for rule in found]


def find_disabled(lines: Iterable[bytes]) -> Collection[str]:
    """The rules that others switch off by `badfilter`, as `canonical` writes them."""
    found = (line.decode("utf-8", "replace").strip() for line in lines if b"badfilter" in line)
    return frozenset(
        canonical(line) for line in found if line[:1] not in "!#" and "badfilter" in _split(line)[2]
    )


def canonical(line: str) -> str:
    """A rule with its modifiers in order and without `badfilter`."""
    exception, pattern, modifiers = _split(line)
    rest = ",".join(sorted({*modifiers} - {"badfilter"}))
    return exception + pattern + ("$" + rest if rest else "")


def _split(line: str) -> tuple[str, str, list[str]]:
    """Whether it is an exception (`@@` or nothing), its pattern and its modifiers."""
    text = line.removeprefix("@@")
    exception = line[: len(line) - len(text)]
    of_regexp = _REGEXP.fullmatch(text)
    if of_regexp is not None:
        return exception, f"/{of_regexp[1]}/", split_modifiers(of_regexp[2] or "")
    pattern, _, modifiers = text.partition("$")
    return exception, _COMMENT.sub("", pattern).strip(), split_modifiers(modifiers)


def _with(meaning: Modifiers, rule: Rule, exception: str) -> Rule:
    return rule._replace(
        is_exception=bool(exception),
        is_important=meaning.is_important,
        types=meaning.types,
        not_types=meaning.not_types,
        denyallow=meaning.denyallow,
        rewrite=meaning.rewrite,
    )


def _rules(pattern: str, *, is_bare: bool) -> Found:
    """`is_bare`: the line has nothing else, so a name in it stands for itself alone (the "domains-only" syntax)."""
    of_regexp = _REGEXP.fullmatch(pattern)
    if of_regexp is not None:
        return regexp(of_regexp[1])
    mark = _START.match(pattern)
    start: Start = "anywhere" if mark is None else "label" if mark[0] == "||" else "name"
    mask = pattern[mark.end() :] if mark else pattern
    name = mask.rstrip("^|")
    is_ended = name != mask
    if re.search(r"[/?=&:]", name):
        return Reason.PATH
    if not name.strip("*"):
        return [Rule(b"")] if name or not pattern else Reason.SYNTAX
    if "*" in name:
        return glob(name, start, is_ended=is_ended)
    return _of_name(name, start, is_ended=is_ended, is_bare=is_bare)


def _of_name(name: str, start: Start, *, is_ended: bool, is_bare: bool) -> Found:
    if start == "label" and (is_ended or "." in name[:-1].rstrip("-")):
        return with_key(name)
    if start == "name" and is_ended:
        return with_key(name, Reach.EXACT)
    if start == "anywhere" and is_bare and not is_ended:
        key = parse_name(name)
        if key in hosts.LOCAL_NAMES:
            return Reason.LOCAL
        if key == Reason.ADDRESS:
            return key
        if isinstance(key, bytes) and "." in name[:-1]:
            return [Rule(key, Reach.EXACT)]
    return glob(name, start, is_ended=is_ended)


DIALECT = Dialect(parse, _PLAIN, find_disabled=find_disabled)
