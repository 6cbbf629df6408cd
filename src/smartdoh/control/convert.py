"""`smartdoh convert`: the config that means what a SmartDoHProxy's config.toml meant, and what it could not say."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path

from smartdoh.control.ancestor import Converted, converted
from smartdoh.errors import ConfigError

LARGEST_FILE = 1 << 20  # bytes


def convert(old: Path, *, as_json: bool = False) -> None:
    """Print the new config, what was lost as comments and on stderr. Raises ConfigError where nothing can be made."""
    result = converted(read(old))
    text = to_toml(result, old.name)
    if as_json:
        print(json.dumps({"config": text, "notes": list(result.notes)}, ensure_ascii=False))
    else:
        print(text, end="")
    for note in result.notes:
        print(f"smartdoh: {note}", file=sys.stderr)


def read(path: Path) -> dict[str, object]:
    """The old config's content. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read: {error.strerror}") from error
    if len(content) > LARGEST_FILE:
        raise ConfigError(str(path), f"is longer than {LARGEST_FILE} bytes, which no config is")
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # not UTF-8, or no TOML
        raise ConfigError(str(path), f"is no TOML: {error}") from None


def to_toml(result: Converted, source: str) -> str:
    """The text of the new config; every note is a comment at its head."""
    lines = [f"# Made by `smartdoh convert` from {_one_line(source)}."]
    if result.notes:
        lines += ["#", "# What is different, or could not be carried over:"]
        lines += [f"# - {_one_line(note)}" for note in result.notes]
    for section, keys in result.document.items():
        lines += ["", f"[{section}]", *(f"{key} = {_value(value)}" for key, value in keys.items())]
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    """A value as TOML writes it; JSON's strings, numbers and truths are TOML's too."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)
