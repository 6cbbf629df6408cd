"""Pydantic's findings in the words of the config: the key, the value, what is allowed, the nearest key."""

from __future__ import annotations

import difflib
from typing import Any

from pydantic import ValidationError

from smartdoh.config.problems import Problem, Steps, dotted, refusal
from smartdoh.config.schema import TABLES, RefusedValueError, Schema

_GROUP = 'at least one, as [groups.direct] with upstreams = ["https://1.1.1.1/dns-query"]'

_REASONS = {  # pydantic's name of an error: reason, allowed
    "model_type": ("is not a table", "a table of keys and values"),
    "dict_type": ("is not a table", "tables with names"),
    "list_type": ("is not a list", "a list in [ ]"),
    "bool_type": ("is neither true nor false", "true, false"),
    "string_unicode": ("is not UTF-8", "text"),
    "too_short": ("is empty", "at least one"),
}


def problems_of(error: ValidationError) -> list[Problem]:
    """One problem for each finding, in the order of the schema."""
    return [_problem(finding) for finding in error.errors(include_url=False)]


def _problem(finding: Any) -> Problem:
    steps: Steps = tuple(step for step in finding["loc"] if step != "[key]")
    kind, value = finding["type"], finding["input"]
    if kind == "extra_forbidden":
        return Problem(steps, unknown_key(steps))
    if steps == ("groups",) and kind in ("missing", "too_short"):
        return Problem(steps, f"there is no group; allowed: {_GROUP}")
    if kind == "missing":
        return Problem(steps, "is missing; allowed: at least one")
    if kind == "value_error":
        refused = finding["ctx"]["error"]
        if isinstance(refused, RefusedValueError):
            return Problem(steps, refusal(value, refused.reason, refused.allowed))
    if kind == "literal_error":
        return Problem(
            steps, refusal(value, "is not known", finding["ctx"]["expected"].replace(" or ", ", "))
        )
    return Problem(
        steps, refusal(value, *_REASONS.get(kind, (f"is refused ({finding['msg']})", "see the reference")))
    )


def unknown_key(steps: Steps) -> str:
    """Names the nearest key of the same table, else of another, else all of the table."""
    *above, key = steps
    siblings = keys_of(TABLES[_pattern(tuple(above))])
    near = difflib.get_close_matches(str(key), siblings, n=1)
    if near:
        return f"unknown key; did you mean {dotted((*above, near[0]))}?"
    elsewhere = [table for table, schema in TABLES.items() if table and key in keys_of(schema)]
    if elsewhere:
        return f"unknown key; did you mean {' or '.join(f'{table}.{key}' for table in elsewhere)}?"
    return f"unknown key; known here: {', '.join(siblings)}"


def keys_of(schema: type[Schema]) -> list[str]:
    """The keys of a table as the file writes them."""
    return [field.alias or name for name, field in schema.model_fields.items()]


def _pattern(steps: Steps) -> str:
    """The name of a table in `TABLES`."""
    if steps and steps[0] in ("groups", "lists"):
        return f"{steps[0]}.*"
    return ".".join(str(step) for step in steps if isinstance(step, str)) + "[]" * any(
        isinstance(step, int) for step in steps
    )
