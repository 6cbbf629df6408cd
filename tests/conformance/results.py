"""What came of the last run against each server, kept beside the rows: a row's words may change without a new run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.conformance.checks import Result

FILE = Path(__file__).with_name("results.json")


@dataclass(frozen=True, slots=True)
class Run:
    """One server's results, by the rows' keys."""

    version: str
    rows: Mapping[str, Result]


def load() -> dict[str, Run]:
    """Of each server that was ever asked, in their order."""
    if not FILE.exists():
        return {}
    found = json.loads(FILE.read_text("utf-8"))
    return {
        server: Run(
            run["version"],
            {key: Result(row["verdict"], tuple(row["details"])) for key, row in run["rows"].items()},
        )
        for server, run in found.items()
    }


def save(runs: Mapping[str, Run]) -> dict[str, Run]:
    """Keep these in place of what there was of the same rows of the same servers; all that is kept then."""
    kept = load()
    for server, run in runs.items():
        before = kept[server].rows if server in kept else {}
        kept[server] = Run(run.version, {**before, **run.rows})
    text = json.dumps({server: asdict(run) for server, run in kept.items()}, indent=1, ensure_ascii=False)
    FILE.write_text(text + "\n", "utf-8")
    return kept
