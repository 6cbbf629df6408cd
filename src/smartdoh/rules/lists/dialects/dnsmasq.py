"""dnsmasq's settings that name domains: server=/…/, local=/…/ and address=/…/ (dnsmasq(8)).

Of a server only the domains count: which servers are asked, the rule says that names the list. `#` in a
server's place means that the domain is to be asked like any other: an exception. The longest domain decides.
"""

from __future__ import annotations

import re

from smartdoh.model import Rewrite
from smartdoh.rules.lists.dialects.dialect import Dialect
from smartdoh.rules.lists.dialects.hosts import rewrite_to
from smartdoh.rules.lists.keys import NAME
from smartdoh.rules.lists.patterns import glob, with_key
from smartdoh.rules.lists.rule import Parsed, Reach, Reason, Rule

_PLAIN = re.compile(rf"(?:server|local)=/({NAME})/(?:[0-9A-Fa-f.:]+(?:#[0-9]+)?)?[ \t\r]*".encode())
_SETTING = re.compile(r"(server|local|address)\s*=\s*/(.*)/([^/]*)")
_ANY_SETTING = re.compile(r"[a-z][a-z0-9-]*(?:\s*=.*)?")


def parse(line: str) -> Parsed:
    """A line of the file."""
    text = re.sub(r"(?:^|\s)#.*", "", line).strip()
    if not text:
        return None
    setting = _SETTING.fullmatch(text)
    if setting is None:
        return Reason.DIRECTIVE if _ANY_SETTING.fullmatch(text) else Reason.SYNTAX
    kind, names, value = setting.groups()
    is_exception, rewrite = kind != "address" and value == "#", None
    if kind == "address" and value not in ("", "#"):
        try:
            rewrite = rewrite_to(value)
        except ValueError:
            return Reason.SYNTAX
    return _of_names(names.split("/"), is_exception, rewrite)


def _of_names(names: list[str], is_exception: bool, rewrite: Rewrite | None) -> Parsed:
    found = [_of_name(name) for name in names]
    rules = [rule for parsed in found if not isinstance(parsed, Reason) for rule in parsed]
    if not rules:
        return next((reason for reason in found if isinstance(reason, Reason)), Reason.SYNTAX)
    is_mild = rewrite is not None
    return [rule._replace(is_exception=is_exception, rewrite=rewrite, is_mild=is_mild) for rule in rules]


def _of_name(name: str) -> list[Rule] | Reason:
    """`*` stands at the beginning only, and there for the rest of a label or more; `#` is every name."""
    if not name:
        return Reason.LOCAL  # names without a dot, which are never asked of anybody
    if name == "#":
        return [Rule(b"")]
    if name.startswith("*."):
        return with_key(name[2:], Reach.BELOW)
    if name.startswith("*"):
        return glob(name, "name")
    return with_key(name.removeprefix("."))


DIALECT = Dialect(parse, _PLAIN, longest_decides=True)
