"""The results that are kept: which run is the last committed one, and which the newest of all."""

import subprocess
from pathlib import Path

from bench.errors import BenchError
from bench.results import FOLDER, Results, load_results, parse_results

LOCAL = "local-"  # how the names begin that git ignores: short runs, and runs of a part


def last_committed() -> Results | None:
    """As it was committed, even where the file was written over since; None where there is none, or no git."""
    names = _git("ls-tree", "--name-only", "HEAD", "./").split()
    found = max((name for name in names if name.endswith(".json")), default=None)
    return None if found is None else parse_results(_git("show", f"HEAD:./{found}"), found)


def _git(*arguments: str) -> str:
    """What git prints in the folder of results; nothing where it cannot."""
    command = ["git", "-C", str(FOLDER), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def newest() -> Path:
    """The file that was written last."""
    found = max(FOLDER.glob("*.json"), key=lambda path: path.stat().st_mtime, default=None)
    if found is None:
        raise BenchError(f"there are no results in {FOLDER}")
    return found


def comparable(path: Path | None) -> Results | None:
    """What a run is compared with: the results in this file, else the last committed ones."""
    return load_results(path) if path else last_committed()
