"""Which checks stand for which row: every concept's own, together, and what comes of running them."""

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Literal

import dns.exception

from tests.conformance import (
    cache,
    dnssec,
    doh,
    edns,
    errors,
    header,
    names,
    negative,
    special_names,
    stale,
    tcp,
    truncation,
    ttl,
    upstream,
)
from tests.conformance.world import NotApplicable, World

Check = Callable[[World], None]
Verdict = Literal["pass", "fail", "n.a."]

MODULES: tuple[ModuleType, ...] = (
    header,
    names,
    edns,
    truncation,
    tcp,
    dnssec,
    ttl,
    negative,
    stale,
    errors,
    doh,
    special_names,
    cache,
    upstream,
)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one row. `details` says why it failed or was left out, wholly or in part."""

    verdict: Verdict
    details: tuple[str, ...] = ()


def collect() -> dict[str, tuple[Check, ...]]:
    """The checks of each row. Raises ValueError where two modules have the same row."""
    found: dict[str, tuple[Check, ...]] = {}
    for module in MODULES:
        own: Mapping[str, tuple[Check, ...]] = module.CHECKS
        if twice := own.keys() & found.keys():
            raise ValueError(f"{module.__name__}: {', '.join(twice)} is another module's")
        found |= own
    return found


def run(checks: tuple[Check, ...], world: World) -> Result:
    """Run the checks of one row; all of them, so that a report names everything that is wrong."""
    wrong, left_out = [], []
    for check in checks:
        try:
            check(world)
        except NotApplicable as reason:
            left_out.append(f"{check.__name__}: {reason}")
        except (AssertionError, OSError, dns.exception.DNSException) as error:
            said = str(error).partition("\n")[0] or traceback.extract_tb(error.__traceback__)[-1].line or ""
            wrong.append(f"{check.__name__}: {said[:200]}")
    if wrong:
        return Result("fail", tuple(wrong))
    return Result("n.a." if len(left_out) == len(checks) else "pass", tuple(left_out))
