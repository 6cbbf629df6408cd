"""Every input of the corpus passes its harness again, and the runner says plainly what it needs."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz import __main__ as runner
from tests.fuzz import many
from tests.fuzz.harnesses import ROOT, check_of, corpus_of, names
from tests.fuzz.seeds import SEEDS

INPUTS = [pytest.param(name, path, id=f"{name}-{path.name}") for name in names() for path in corpus_of(name)]


@pytest.mark.parametrize(("name", "path"), INPUTS)
def test_replay(name: str, path: Path) -> None:
    check_of(name)(path.read_bytes())


def test_the_corpus_is_what_the_seeds_say() -> None:
    """A seed that was changed by hand, or never written, would leave the fuzzer without it."""
    assert sorted(SEEDS) == names()
    for name, inputs in SEEDS.items():
        files = {path.name: path.read_bytes() for path in corpus_of(name)}
        assert {what: files.get(what) for what in inputs} == inputs, (
            f"run python -m tests.fuzz.seeds ({name})"
        )


def test_without_atheris_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert runner.main(["--seconds", "1"]) == 2
    assert "make fuzz" in capsys.readouterr().err


def test_an_unknown_harness_is_named() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "nothing"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "nothing" in done.stderr


def test_many_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert many.main(["--packets", "3000", "--both", "1000", "--answers", "1000"]) == 0
    said = capsys.readouterr().out
    assert "3,000 mutated packets" in said
    assert "1,000 mutated answers" in said
