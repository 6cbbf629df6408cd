"""The language of stories: lines to steps."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
RCODES = ("NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED")
_EXPECTED = re.compile(
    r"(?P<rcode>[A-Z]+)(?P<data>( (?!ttl |ede |no )\S+)*)( ttl (?P<low>\d+)-(?P<high>\d+))?"
    r"( ede (?P<ede>\d+)|(?P<none> no ede))?"
)


@dataclass(frozen=True, slots=True)
class Says:
    """What the upstream says from now on; `is_silent`: nothing."""

    rcode: str = "NOERROR"
    records: tuple[tuple[int, str, str], ...] = ()
    """TTL, type and rdata of each."""
    soa: tuple[int, int] | None = None
    is_silent: bool = False


@dataclass(frozen=True, slots=True)
class Expected:
    """What has to come back. A part that is None may be anything."""

    rcode: str
    data: tuple[str, ...]
    ttls: tuple[int, int] | None
    ede: int | None
    no_ede: bool


@dataclass(frozen=True, slots=True)
class Ask:
    """A question, and what has to come back if that is said."""

    rtype: str
    is_recursive: bool
    expected: Expected | None


@dataclass(frozen=True, slots=True)
class Asked:
    """How often the upstream was asked."""

    count: int


@dataclass(frozen=True, slots=True)
class Pass:
    """Time."""

    seconds: float


Step = Says | Ask | Asked | Pass


@dataclass(frozen=True, slots=True)
class Story:
    """One text."""

    name: str
    title: str
    config: str
    """Lines of TOML with dotted keys."""
    steps: tuple[tuple[int, Step], ...]
    """Each with the number of its line."""


def stories() -> tuple[Story, ...]:
    """All there are, by name."""
    return tuple(read(path.stem, path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.story")))


def read(name: str, text: str) -> Story:
    """Raises ValueError with the line that cannot be read."""
    title, config = "", list[str]()
    steps: list[tuple[int, Step]] = []
    for number, line in enumerate(text.splitlines(), 1):
        verb, _, rest = line.strip().partition(" ")
        if verb == "#" and not title:
            title = rest
        elif verb == "config":
            config.append(rest)
        elif verb and verb != "#":
            try:
                steps.append((number, _STEPS[verb](rest.strip())))
            except (IndexError, KeyError, ValueError) as error:
                raise ValueError(f"{name} line {number}: {line!r}: {error}") from error
    if not title or not steps:
        raise ValueError(f"{name}: a story has a title and steps")
    return Story(name, title, "\n".join(config), tuple(steps))


def _says(text: str) -> Says:
    if text == "silent":
        return Says(is_silent=True)
    words = text.split()
    if words[0] not in RCODES:
        return Says(records=tuple(_record(part) for part in text.split(" | ")))
    if len(words) == 1:
        return Says(words[0])
    if len(words) != 4 or words[1] != "soa":
        raise ValueError("after the rcode: soa TTL MINIMUM")
    return Says(words[0], soa=(int(words[2]), int(words[3])))


def _record(text: str) -> tuple[int, str, str]:
    ttl, rtype, rdata = text.split(maxsplit=2)
    return int(ttl), rtype, rdata


def _ask(text: str) -> Ask:
    question, _, expected = text.partition(" = ")
    rtype, *marks = question.split()
    if marks not in ([], ["-RD"]):
        raise ValueError(f"what is {' '.join(marks)}?")
    return Ask(rtype, not marks, _expected(expected) if expected else None)


def _expected(text: str) -> Expected:
    found = _EXPECTED.fullmatch(text.strip())
    if found is None or found["rcode"] not in RCODES:
        raise ValueError("an answer is RCODE [DATA...] [ttl LOW-HIGH] [ede CODE | no ede]")
    ttls = (int(found["low"]), int(found["high"])) if found["low"] else None
    code = int(found["ede"]) if found["ede"] else None
    return Expected(found["rcode"], tuple(sorted(found["data"].split())), ttls, code, bool(found["none"]))


def _asked(text: str) -> Asked:
    return Asked(int(text))


def _pass(text: str) -> Pass:
    return Pass(float(text[:-1]) * UNITS[text[-1]])


_STEPS: dict[str, Callable[[str], Step]] = {
    "upstream": _says,
    "ask": _ask,
    "asked": _asked,
    "pass": _pass,
}
