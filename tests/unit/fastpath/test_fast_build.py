"""Which build runs, and that nobody has to guess."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builds import COMPILED, fast_path

CONFIG = '[groups.main]\nupstreams = ["https://192.0.2.1/dns-query"]\n'
HIDDEN = """
import sys
sys.modules["smartdoh.fastpath._native"] = None
from smartdoh.fastpath import BUILD, FastPath
print(BUILD, "|", FastPath.__module__)
"""


@pytest.mark.parametrize(
    ("forced", "said"), [("", "compiled"), ("0", "compiled"), ("1", "Python (SMARTDOH_PURE_PYTHON is set)")]
)
def test_check_says_which_build_runs(tmp_path: Path, forced: str, said: str) -> None:
    fast_path(COMPILED)
    (tmp_path / "smartdoh.toml").write_text(CONFIG)
    command = [sys.executable, "-m", "smartdoh", "check", "--json"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"SMARTDOH_PURE_PYTHON": forced},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["fast_path"] == said
    del command[-1]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"SMARTDOH_PURE_PYTHON": forced},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"fast path: {said}\n" in done.stdout


def test_where_it_was_not_built_the_twin_runs() -> None:
    done = subprocess.run([sys.executable, "-c", HIDDEN], capture_output=True, text=True, check=True)
    assert done.stdout == "Python (the compiled one was not built) | smartdoh.fastpath._python\n"
