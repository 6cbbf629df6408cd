"""The rule that a skip fails in CI: it is loaded, catches each way to skip, and leaves the rest alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.meta.tree import ROOT

WAYS_TO_SKIP = {
    "call": "import pytest\ndef test_x(): pytest.skip('no server here')",
    "mark": "import pytest\n@pytest.mark.skip(reason='no server here')\ndef test_x(): pass",
    "fixture": "import pytest\n@pytest.fixture\ndef a(): pytest.skip('no server here')\ndef test_x(a): pass",
    "module": "import pytest\npytest.skip('no server here', allow_module_level=True)\ndef test_x(): pass",
}
EXPECTED_FAILURE = "import pytest\n@pytest.mark.xfail(reason='known')\ndef test_x(): assert False"


def run_pytest(folder: Path, source: str, ci: str) -> subprocess.CompletedProcess[str]:
    """A run of pytest with the project's settings on one file."""
    (folder / "test_it.py").write_text(source, "utf-8")
    options = ["-c", str(ROOT / "pyproject.toml"), "-p", "no:cacheprovider", str(folder)]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=ROOT,
        env=os.environ | {"CI": ci},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("way", WAYS_TO_SKIP)
def test_a_skip_fails_in_ci(tmp_path: Path, way: str) -> None:
    """However it was skipped, the run fails and says why it was skipped."""
    done = run_pytest(tmp_path, WAYS_TO_SKIP[way], ci="true")
    assert done.returncode != 0
    assert "a skip is a failure in CI: no server here" in done.stdout


def test_a_skip_is_reported_elsewhere(tmp_path: Path) -> None:
    """On a machine without the servers the run passes and names what it left out."""
    done = run_pytest(tmp_path, WAYS_TO_SKIP["call"] + "\ndef test_y(): pass", ci="")
    assert done.returncode == 0
    assert "no server here" in done.stdout


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    """A test marked xfail ran: it stays what it is."""
    done = run_pytest(tmp_path, EXPECTED_FAILURE, ci="true")
    assert done.returncode == 0
    assert "1 xfailed" in done.stdout
