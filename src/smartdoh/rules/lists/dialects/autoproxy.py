"""AutoProxy's rules, as GFWList has them. They are about URLs; here each is taken for the hosts that it names.

A rule for a part of a site names its host, since somebody who wants that part needs the whole host's address; an
exception for a part of a site is left out, since the rest of the site is still meant.
"""

from __future__ import annotations

import re

from smartdoh.rules.lists.dialects.dialect import Dialect
from smartdoh.rules.lists.keys import NAME
from smartdoh.rules.lists.patterns import glob, regexp, with_key
from smartdoh.rules.lists.rule import Parsed, Pattern, Reach, Reason, Rule

_PLAIN = re.compile(rf"\|\|({NAME})[ \t\r]*".encode())
_REGEXP = re.compile(r"/(.+)/")
_SCHEME = re.compile(r"[a-z*]+://", re.IGNORECASE)
_NOT_OF_A_HOST = re.compile(r"[?=&%#,;:@!~+()\[\]{}'\"$]")
_PORT = re.compile(r":([0-9]{1,5}|\*)$")

Found = list[Rule] | Reason


def parse(line: str) -> Parsed:
    """A line of the list."""
    if not line or line[0] in "!#" or (line[0] == "[" and line[-1] == "]"):
        return None
    is_exception = line.startswith("@@")
    found = _rule(line.removeprefix("@@"), is_exception=is_exception)
    if isinstance(found, Reason) or not is_exception:
        return found
    return [rule._replace(is_exception=True) for rule in found]


def _rule(text: str, *, is_exception: bool) -> Found:
    of_regexp = _REGEXP.fullmatch(text)
    if of_regexp is not None:
        return regexp(of_regexp[1], on_url=True)
    if text.startswith("/"):
        return Reason.REGEXP if "\\" in text else Reason.PATH
    is_domain = text.startswith("||")
    text = text.lstrip("|")
    scheme = _SCHEME.match(text)
    is_start = scheme is not None and not is_domain
    text = text[scheme.end() :] if scheme else text
    host, slash, path = text.partition("/")
    host, path = host.rstrip("|^"), path.strip("|*^")
    is_whole = bool(slash)
    if _PORT.search(host):
        host, path = _PORT.sub("", host), "port"
    if path and is_exception:
        return Reason.PATH
    if _NOT_OF_A_HOST.search(host):
        return Reason.ADDRESS if host.startswith("[") else Reason.PATH
    if is_domain:
        return _below(host)
    return _from_start(host, is_whole=is_whole) if is_start else _anywhere(host, has_path=bool(path))


def _below(host: str) -> Found:
    """`||host`: the host and all below it."""
    return glob(host, "label") if "*" in host else with_key(host)


def _from_start(host: str, *, is_whole: bool) -> Found:
    """`|http://host`: that host alone; where the rule ends within a name, every host that begins so."""
    if not is_whole and (host.endswith(".") or "." not in host):
        return glob(host, "name", is_ended=False) if host else Reason.SYNTAX
    return glob(host, "name") if "*" in host else with_key(host, Reach.EXACT)


def _anywhere(host: str, *, has_path: bool) -> Found:
    """No mark: a name stands for itself and all below it, a word for the hosts that it is a part of."""
    host = host.strip("*")
    name = host.lstrip(".")
    if "*" in name:
        return glob(name, "label", is_ended="." in name.rpartition("*")[2])
    if "." in name.strip("."):
        return with_key(name) if not host.endswith(".") else glob(host, "anywhere", is_ended=False)
    if has_path or not name:
        return Reason.PATH
    if not re.fullmatch(r"[A-Za-z0-9._-]+", host):
        return Reason.NAME
    return [Rule(None, pattern=Pattern(re.escape(host.lower()), host.lower()))]


DIALECT = Dialect(parse, _PLAIN)
