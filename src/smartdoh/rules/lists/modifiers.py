"""The modifiers of AdGuard's rules for DNS: important, badfilter, denyallow, dnstype and dnsrewrite."""

from __future__ import annotations

import re
from typing import NamedTuple

from smartdoh.config.names import parse_qtype, qtype_number
from smartdoh.model import Rewrite
from smartdoh.rules.lists.keys import parse_name
from smartdoh.rules.lists.rewrites import ANY_REWRITE, parse_rewrite
from smartdoh.rules.lists.rule import Reason

_COMMA = re.compile(r"(?<!\\),")


class Modifiers(NamedTuple):
    """What the modifiers of one rule say."""

    is_important: bool = False
    types: tuple[int, ...] = ()
    not_types: tuple[int, ...] = ()
    denyallow: tuple[bytes, ...] = ()
    rewrite: Rewrite | None = None


def split_modifiers(text: str) -> list[str]:
    """The parts of what follows the `$`; a comma within one is written `\\,`."""
    return [part.strip().replace("\\,", ",") for part in _COMMA.split(text) if part.strip()]


def parse_modifiers(parts: list[str], *, is_exception: bool) -> Modifiers | Reason:
    """What they say together. One that is unknown makes the whole rule unusable, as AdGuard documents."""
    meaning = Modifiers()
    for part in parts:
        name, _, value = part.partition("=")
        try:
            if name == "important" and not value:
                meaning = meaning._replace(is_important=True)
            elif name == "denyallow":
                meaning = meaning._replace(denyallow=_names(value))
            elif name == "dnstype":
                types, not_types = _types(value)
                meaning = meaning._replace(types=types, not_types=not_types)
            elif name == "dnsrewrite":
                rewrite = ANY_REWRITE if is_exception and not value else parse_rewrite(value)
                meaning = meaning._replace(rewrite=rewrite)
            else:
                return Reason.MODIFIER
        except ValueError:
            return Reason.SYNTAX
    return meaning


def _names(value: str) -> tuple[bytes, ...]:
    keys = tuple(key for key in map(parse_name, value.split("|")) if isinstance(key, bytes))
    if len(keys) != value.count("|") + 1:
        raise ValueError("not names")
    return keys


def _types(value: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Types that are meant and types that are not; where both are written the first win."""
    meant: list[int] = []
    not_meant: list[int] = []
    for word in value.split("|"):
        name = word.strip()
        number = qtype_number(parse_qtype(name.removeprefix("~")))
        (not_meant if name.startswith("~") else meant).append(number)
    return tuple(meant), () if meant else tuple(not_meant)
