"""Wildcards and regular expressions: turned into RE2's syntax, and narrowed down before RE2 has to look."""

from __future__ import annotations

import functools
import re
from typing import Literal

import re2

from smartdoh.rules.lists.keys import parse_name
from smartdoh.rules.lists.rule import Pattern, Reach, Reason, Rule

LONGEST_REGEXP = 1000  # characters
_MAX_MEMORY = 4 << 20  # bytes for one regular expression's automaton; past that RE2 goes on slower
_MOST_KEPT = 256  # regular expressions that are kept ready

Start = Literal["label", "name", "anywhere"]

_STARTS: dict[Start, str] = {"label": r"(?:^|\.)", "name": "^", "anywhere": ""}
_PIECE = re.compile(r"[a-z0-9._-]*")
_TOKEN = re.compile(  # of RE2's syntax: quoted text, escapes, a set of characters, or one character
    r"\\Q.*?(?:\\E|$)|\\x\{[^}]*\}|\\x..|\\[pP](?:\{[^}]*\}|.)|\\[0-7]{1,3}|\\."
    r"|\[\^?\]?(?:\\.|[^\]\\])*\]|.",
    re.DOTALL,
)
_PLAIN_CHARACTER = re.compile(r"[A-Za-z0-9_-]|\\[.-]")
_QUANTIFIER = re.compile(r"[?*{]")
_SCHEME = re.compile(r":(?:\\?/){2}")
_PATH = re.compile(r"/(?:[A-Za-z0-9_%-]|\\[dw])|\\\?|[=&%]")


@functools.lru_cache(_MOST_KEPT)
def compiled(source: str) -> re2._Regexp:
    """The automaton of `source`: linear in the length of the name, whatever stands in it. Raises ValueError."""
    options = re2.Options()
    options.case_sensitive = False
    options.never_capture = True
    options.dot_nl = True  # a label may hold any octet
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    options.encoding = re2.Options.Encoding.LATIN1
    try:
        return re2.compile(source.encode("latin-1"), options)
    except re2.error as error:
        raise ValueError(str(error)) from error


def glob(text: str, start: Start, *, is_ended: bool = True) -> list[Rule] | Reason:
    """The rule of a pattern with `*`, which stands for any characters, dots too. `is_ended`: the name ends with it.

    Where the pattern ends with whole labels, those are the rule's key, and the pattern is looked at for
    names below them only.
    """
    text = re.sub(r"\*+", "*", text.lower())
    if start == "anywhere" and text.startswith("*"):
        start = "name"
    if not text.strip("*"):
        return [Rule(b"")] if "*" in text else Reason.SYNTAX
    if is_ended and text.startswith("*.") and "*" not in text[2:]:
        return with_key(text[2:], Reach.BELOW)
    pieces = text.split("*")
    if not all(map(_PIECE.fullmatch, pieces)):
        return Reason.NAME
    source = _STARTS[start] + ".*".join(map(re.escape, pieces)) + ("$" if is_ended else "")
    key = None
    if is_ended and len(pieces) > 1 and "." in pieces[-1]:
        parsed = parse_name(pieces[-1].partition(".")[2])
        key = parsed if isinstance(parsed, bytes) else None
    return [Rule(key, pattern=Pattern(source, max(pieces, key=len)))]


def with_key(name: str, reach: Reach = Reach.WITH_BELOW) -> list[Rule] | Reason:
    """The rule of a name."""
    key = parse_name(name)
    return [Rule(key, reach)] if isinstance(key, bytes) else key


def regexp(source: str, *, on_url: bool = False) -> list[Rule] | Reason:
    """The rule of a regular expression for names, or for URLs as far as they name hosts."""
    if len(source) > LONGEST_REGEXP:
        return Reason.REGEXP
    try:
        compiled(source)
    except ValueError:
        return Reason.REGEXP
    if on_url and _PATH.search(_without_classes(_SCHEME.sub("", source))):
        return Reason.PATH
    literal = literal_of(_of_host(source) if on_url else source)
    return [Rule(None, pattern=Pattern(source, literal, on_url))]


def _of_host(source: str) -> str:
    """What follows the scheme; something that has no literal where a group begins before and ends after it."""
    scheme = _SCHEME.search(source)
    if scheme is None:
        return source
    return source[scheme.end() :] if _is_balanced(source[: scheme.end()]) else ""


def literal_of(source: str) -> str:
    """The longest text that stands in whatever the regular expression matches; empty if none can be told."""
    runs, run, depth = [""], "", 0
    for match in _TOKEN.finditer(source):
        part = match[0]
        if part == "|" and not depth:
            return ""
        depth += (part == "(") - (part == ")")
        if depth or not _PLAIN_CHARACTER.fullmatch(part):
            runs.append(run)
            run = ""
        elif _QUANTIFIER.match(source, match.end()):
            runs.append(run)  # this character may be missing
            run = ""
        else:
            run += part[-1]
    return max(*runs, run, key=len).lower()


def _without_classes(source: str) -> str:
    """`source` without sets of characters, and with slashes unescaped."""
    return "".join(token for token in _TOKEN.findall(source) if token[0] != "[").replace("\\/", "/")


def _is_balanced(source: str) -> bool:
    tokens = _TOKEN.findall(source)
    return tokens.count("(") == tokens.count(")")
