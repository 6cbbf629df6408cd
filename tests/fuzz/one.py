"""One harness under atheris: `python -m tests.fuzz.one NAME [libFuzzer options] [files or corpus folders]`."""

from __future__ import annotations

import sys

import atheris

from tests.fuzz.harnesses import check_of


def main() -> None:
    """Let libFuzzer call the harness; it ends the process."""
    program, name, *options = sys.argv
    with atheris.instrument_imports(include=["smartdoh"]):
        check = check_of(name)
    atheris.Setup([program, *options], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
