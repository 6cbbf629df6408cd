"""What is wrong with a config: problems with dotted keys, and the error that carries all of them."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Sequence
from dataclasses import dataclass

from smartdoh.errors import ConfigError

Steps = tuple[str | int, ...]

_BARE_KEY = re.compile(r"[A-Za-z0-9_*-]+")  # TOML 1.0, "Keys"
_PASSWORD = re.compile(r"://[^\s'\"]*@")

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 120
_SHORT.maxlist = _SHORT.maxdict = 4


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the steps to a key, and what is wrong with its value and what is allowed."""

    steps: Steps
    message: str

    @property
    def key(self) -> str:
        """The dotted key, as `routing.rules[0].group`."""
        return dotted(self.steps)

    def __str__(self) -> str:
        return f"{self.key}: {self.message}"


class BadConfigError(ConfigError):
    """Every problem of a config, each on a line of its own; `key` and `message` begin with the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        first, *others = problems
        super().__init__(first.key, "\n".join([first.message, *map(str, others)]))
        self.problems = tuple(problems)


def refusal(value: object, reason: str, allowed: str) -> str:
    """The message for a value that is not allowed."""
    return f"{show(value)} {reason}; allowed: {allowed}"


def show(value: object) -> str:
    """A value for an error: shortened, on one line, with passwords in URLs left out."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        value = _PASSWORD.sub("://***@", value)
    try:
        return _PASSWORD.sub("://***@", _SHORT.repr(value))
    except ValueError:  # int to text is refused past 4,300 digits
        return "a very long number"


def dotted(steps: Steps) -> str:
    """The key as TOML writes it, with the place in a list in brackets, counted from 0."""
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + (step if _BARE_KEY.fullmatch(step) else show(step))
    return text
