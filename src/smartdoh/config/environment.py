"""Overrides from the environment: `SMARTDOH_LISTEN__DNS` stands for `listen.dns`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from smartdoh.config.problems import Problem, Steps

PREFIX = "SMARTDOH_"
SEPARATOR = "__"
DEEPEST = 3  # groups.NAME.key


def override(document: dict[str, Any], environ: Mapping[str, str]) -> dict[Steps, str]:
    """Puts the values of the environment into `document`; returns which variable set which key.

    A value is TOML (`true`, `5`, `["a"]`), else text. A variable without two underscores in a row is
    not ours to read (`SMARTDOH_PURE_PYTHON`).
    """
    sources: dict[Steps, str] = {}
    for variable in sorted(environ):
        name = variable.removeprefix(PREFIX)
        if name == variable or SEPARATOR not in variable:
            continue
        steps = _put(document, name.lower().split(SEPARATOR, DEEPEST - 1), _value(environ[variable]))
        sources[steps] = variable
    return sources


def with_source(problem: Problem, sources: Mapping[Steps, str]) -> Problem:
    """The problem, with the variable that caused it where one did."""
    for steps, variable in sources.items():
        if problem.steps[: len(steps)] == steps:
            return Problem(problem.steps, f"{problem.message} (set by {variable})")
    return problem


def _put(document: dict[str, Any], names: list[str], value: object) -> Steps:
    table, steps = document, []
    for name in names:
        steps.append(_known_as(name, table))
        inner = table.get(steps[-1], {})
        if len(steps) < len(names) and isinstance(inner, dict):
            table = table.setdefault(steps[-1], inner)
        else:
            table[steps[-1]] = value
            break
    return tuple(steps)


def _known_as(name: str, table: Mapping[str, Any]) -> str:
    """The key of the table that the variable means: variables have neither small letters nor hyphens."""
    return next((key for key in table if key.lower().replace("-", "_") == name), name)


def _value(text: str) -> object:
    try:
        parsed = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):  # ValueError: also a number too long for Python
        return text
    return parsed["value"] if parsed.keys() == {"value"} else text
