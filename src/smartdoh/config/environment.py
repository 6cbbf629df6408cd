"""Overrides from the environment: `SMARTDOH_LISTEN__DNS` stands for `listen.dns`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from smartdoh.config.problems import Problem, Steps, dotted

PREFIX = "SMARTDOH_"
SEPARATOR = "__"
DEEPEST = 3  # groups.NAME.key


def override(document: dict[str, Any], environ: Mapping[str, str]) -> dict[Steps, str]:
    """Puts the values of the environment into `document`; returns which variable made which key or table.

    A value is TOML (`true`, `5`, `["a"]`), else text. A variable without two underscores in a row is
    not ours to read (`SMARTDOH_PURE_PYTHON`).
    """
    sources: dict[Steps, str] = {}
    for variable in sorted(environ):
        name = variable.removeprefix(PREFIX)
        if name == variable or SEPARATOR not in variable:
            continue
        for steps in _put(document, name.lower().split(SEPARATOR, DEEPEST - 1), _value(environ[variable])):
            sources[steps] = variable
    return sources


def with_source(problem: Problem, sources: Mapping[Steps, str]) -> Problem:
    """The problem, with the variable that caused it where one did."""
    for length in range(len(problem.steps), 0, -1):
        variable = sources.get(problem.steps[:length])
        if variable is not None:
            return Problem(problem.steps, f"{problem.message} (set by {dotted((variable,))})")
    return problem


def _put(document: dict[str, Any], names: list[str], value: object) -> Iterator[Steps]:
    """Puts the value where the names lead; yields the steps to each table it made, and to the value."""
    *above, last = names
    table = document
    steps: Steps = ()
    for name in above:
        step = _known_as(name, table)
        steps = (*steps, step)
        inner = table.get(step)
        if not isinstance(inner, dict):  # not a table: the schema will say so of the one put there
            inner = table[step] = {}
            yield steps
        table = inner
    step = _known_as(last, table)
    table[step] = value
    yield (*steps, step)


def _known_as(name: str, table: Mapping[str, Any]) -> str:
    """The key of the table that the variable means: variables have neither small letters nor hyphens."""
    return next((key for key in table if key.lower().replace("-", "_") == name), name)


def _value(text: str) -> object:
    try:
        parsed = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):  # ValueError: also a number too long for Python
        return text
    return parsed["value"] if parsed.keys() == {"value"} else text
