"""Which results a run is compared with."""

import subprocess
from pathlib import Path

import pytest

from bench import history
from bench.errors import BenchError
from tests.unit.bench.test_results import rates, run_of


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=me", "-c", "user.email=me@example.com")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(name="folder")
def results_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository's folder of results, in place of ours."""
    folder = tmp_path / "bench" / "results"
    folder.mkdir(parents=True)
    git(tmp_path, "init", "-q")
    monkeypatch.setattr(history, "FOLDER", folder)
    return folder


def test_the_last_one_counts_as_it_was_committed(folder: Path) -> None:
    older, newer = run_of(rates(smartdoh=(1,))), run_of(rates(smartdoh=(2,)))
    (folder / "2026-01-30-x.json").write_text(older.to_json())
    (folder / "2026-01-31-x.json").write_text(newer.to_json())
    (folder / "2026-01-31-x.md").write_text("# not JSON\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "results")
    (folder / "2026-01-31-x.json").write_text(older.to_json())
    (folder / "2026-02-01-x.json").write_text(older.to_json())
    assert history.last_committed() == newer
    assert history.comparable(folder / "2026-02-01-x.json") == older


def test_nothing_is_committed_yet(folder: Path) -> None:
    (folder / "2026-01-30-x.json").write_text("{}")
    assert history.last_committed() is None
    assert history.newest().name == "2026-01-30-x.json"


def test_there_are_no_results(folder: Path) -> None:
    with pytest.raises(BenchError, match="no results"):
        history.newest()
    assert folder.exists()
