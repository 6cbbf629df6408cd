"""Which harnesses there are, where their inputs lie, and how one is started by its file."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
CORPUS = HERE / "corpus"
ROOT = HERE.parents[1]
FOUND = ROOT / "build" / "fuzz"  # what the fuzzer grows and finds; nothing of it belongs to the tree
_PREFIX = "fuzz_"


def names() -> list[str]:
    """Every harness."""
    return sorted(path.stem.removeprefix(_PREFIX) for path in HERE.glob(f"{_PREFIX}*.py"))


def check_of(name: str) -> Callable[[bytes], None]:
    """The function that must pass for any input. Imports what it tests."""
    check: Callable[[bytes], None] = importlib.import_module(f"tests.fuzz.{_PREFIX}{name}").check
    return check


def corpus_of(name: str) -> list[Path]:
    """The inputs that we wrote or once found, one a file."""
    return sorted((CORPUS / name).iterdir())


def run_file(path: str) -> None:
    """Fuzz with the harness in this file, which is run as a script, in a process where atheris sees all imports."""
    name = Path(path).stem.removeprefix(_PREFIX)
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", "tests.fuzz.one", name, *sys.argv[1:]])
