"""Every harness for its share of the time: `python -m tests.fuzz [--seconds N] [NAME ...]`.

Exits 1 with the reproducing file at the first finding, 2 where it cannot run, else 0. Each harness is a process of
its own, so that a crash, an endless loop or a lack of memory is a finding too.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz.harnesses import CORPUS, FOUND, ROOT, names

SECONDS = 600
TIMEOUT = 10  # seconds one input may take
MEMORY = 1024  # MiB a harness may take
LONGEST = 4096  # octets of an input: longer ones find nothing new, later
GRACE = 120  # seconds to start and to end
SHOWN = 25  # lines of a harness's output, the last


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the arguments say; the exit status."""
    parser = _parser()
    wanted = parser.parse_args(arguments)
    strangers = set(wanted.names) - set(names())
    if strangers:
        parser.error(f"no such harness: {', '.join(sorted(strangers))}")
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed: pip install -e '.[fuzz]', or make fuzz", file=sys.stderr)
        return 2
    chosen = wanted.names or names()
    share = max(1, wanted.seconds // len(chosen))
    for name in chosen:
        print(f"{name}: {share} s", flush=True)
        finding = run(name, share)
        if finding is not None:
            print(finding, file=sys.stderr)
            return 1
    return 0


def run(name: str, seconds: int) -> str | None:
    """Fuzz with one harness; what it found, if anything."""
    grown = FOUND / "corpus" / name
    artifacts = FOUND / name
    grown.mkdir(parents=True, exist_ok=True)
    artifacts.mkdir(parents=True, exist_ok=True)
    before = set(artifacts.iterdir())
    options = [
        f"-max_total_time={seconds}",
        f"-timeout={TIMEOUT}",
        f"-rss_limit_mb={MEMORY}",
        f"-max_len={LONGEST}",
        f"-artifact_prefix={artifacts}/",
        "-print_final_stats=1",
    ]
    command = [sys.executable, "-m", "tests.fuzz.one", name, *options, str(grown), str(CORPUS / name)]
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds + GRACE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{name} did not end"
    lines = done.stdout.splitlines()
    if done.returncode == 0:
        print("\n".join(f"  {line}" for line in lines if line.startswith("stat::number_of_executed")))
        return None
    return _finding(name, lines, sorted(set(artifacts.iterdir()) - before))


def _finding(name: str, lines: list[str], files: list[Path]) -> str:
    """What to tell whoever has to mend it."""
    again = [f"reproduce: {Path(sys.executable).name} -m tests.fuzz.one {name} {file}" for file in files]
    mended = f"mended, the file belongs into {CORPUS.relative_to(ROOT)}/{name}/"
    return "\n".join([*lines[-SHOWN:], f"{name} found something.", *again, mended])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz the parsers.")
    parser.add_argument("--seconds", type=int, default=SECONDS, help=f"for all together (default {SECONDS})")
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        choices=[*names(), []],
        help=f"of {', '.join(names())} (default all)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
