"""The C programs of the benchmarks, built where they are used."""

import shutil
import subprocess
from pathlib import Path

from bench.configs import SEARCH_PATH
from bench.errors import BenchError

SOURCES = Path(__file__).parent
COMPILER = "cc"


def can_compile() -> bool:
    return shutil.which(COMPILER, path=SEARCH_PATH) is not None


def compile_c(name: str, folder: Path) -> str:
    """The program of bench/NAME.c, built in `folder` unless it is there already."""
    program = folder / name
    if not program.exists():
        command = [COMPILER, "-O2", "-Wall", "-Wextra", "-o", str(program), str(SOURCES / f"{name}.c")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BenchError(f"{name}.c cannot be compiled:\n{done.stderr[-800:]}")
    return str(program)
