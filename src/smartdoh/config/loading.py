"""From a file and the environment to settings, or to one error that names everything that is wrong."""

from __future__ import annotations

import dataclasses
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from smartdoh.config.checks import check, warn
from smartdoh.config.environment import override, with_source
from smartdoh.config.messages import problems_of
from smartdoh.config.places import default_paths, state_directory
from smartdoh.config.problems import BadConfigError, Problem
from smartdoh.config.schema import Document
from smartdoh.config.settings import Settings
from smartdoh.errors import ConfigError

LARGEST_FILE = 1 << 20  # bytes; a config of a thousand rules has a tenth of it

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings of the file, else of the first of the default paths, with the environment's overrides.

    Raises ConfigError, and nothing else: one line for each thing that is wrong.
    """
    found, content, writable = _find(environ) if path is None else _read(path)
    settings = parse(
        _text(content, str(found)), folder=found.absolute().parent, environ=environ, source=str(found)
    )
    warnings = settings.warnings
    if writable:
        warnings = (
            f"{found}: every user of this machine can change the config; chmod o-w mends it",
            *warnings,
        )
    return dataclasses.replace(settings, path=found.absolute(), warnings=warnings)


def parse(
    text: str, *, folder: Path | None = None, environ: Mapping[str, str] | None = None, source: str = "config"
) -> Settings:
    """The settings of a config's text; relative paths are relative to `folder`. Raises ConfigError."""
    return build(_toml(text, source), folder=folder or Path(), environ=environ or {})


def build(document: dict[str, Any], *, folder: Path, environ: Mapping[str, str]) -> Settings:
    """The settings of a config that was read into plain values, which it changes. Raises ConfigError."""
    sources = override(document, environ)
    try:
        written = Document.model_validate(document)
    except ValidationError as error:
        raise BadConfigError([with_source(problem, sources) for problem in problems_of(error)]) from None
    settings = written.resolve(folder.absolute(), state_directory(environ))
    problems: list[Problem] = [*written.check(), *check(settings)]
    if problems:
        raise BadConfigError([with_source(problem, sources) for problem in problems])
    return dataclasses.replace(settings, warnings=tuple(warn(settings)))


def _find(environ: Mapping[str, str]) -> tuple[Path, bytes, bool]:
    paths = list(default_paths(environ))
    for path in paths:
        try:
            if path.exists():
                return _read(path)
        except OSError as error:
            raise _unreadable(path, error) from None
    looked = ", ".join(str(path.absolute()) for path in paths)
    raise ConfigError("config", f"there is no config file; looked for {looked}; name one with --config FILE")


def _read(path: Path) -> tuple[Path, bytes, bool]:
    """The path, its content, and whether everybody may write to it."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
            mode = path.stat().st_mode
    except OSError as error:
        raise _unreadable(path, error) from None
    if len(content) > LARGEST_FILE:
        raise ConfigError(str(path), f"is longer than {LARGEST_FILE} bytes, which no config is")
    return path, content, bool(mode & stat.S_IWOTH) and stat.S_ISREG(mode)


def _unreadable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(str(path), f"cannot be read: {error.strerror}")


def _text(content: bytes, source: str) -> str:
    try:
        return content.decode("utf-8-sig")  # a byte order mark, as Windows' editors write it, is no error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        raise ConfigError(source, f"line {line}, column {column}: is not UTF-8") from None


def _toml(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(source, _located(str(error), text)) from None
    except RecursionError:
        raise ConfigError(source, "is nested too deeply") from None
    except ValueError:
        raise ConfigError(source, "holds a number that is too long") from None


def _located(message: str, text: str) -> str:
    """tomllib's message with its place in front."""
    match = _PLACE.search(message)
    if match is None:
        return message
    line, column = match.groups()
    if line is None:
        line, column = str(text.count("\n") + 1), str(len(text) - text.rfind("\n"))
    return f"line {line}, column {column}: {message[: match.start()]}"
