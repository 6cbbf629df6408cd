"""The commands of a checkout: the Makefile's verbs, the pinned versions behind them, and what CI runs."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.meta.tree import ROOT

VERBS = ("run", "test", "build", "lint", "bench", "help")


def make(*words: str) -> str:
    """What make prints for `words`."""
    program = shutil.which("make")
    if program is None:
        pytest.skip("make is not installed")
    done = subprocess.run(
        [program, "--no-print-directory", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def requirements() -> Iterator[Requirement]:
    """Everything that pyproject.toml asks for, the extras included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for lines in (project["dependencies"], *project["optional-dependencies"].values()):
        yield from map(Requirement, lines)


def pins() -> dict[str, str]:
    """The pinned version of each name in constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


def test_help_has_a_line_for_each_verb() -> None:
    """`make help`, and make alone."""
    listing = make("help")
    assert listing == make()
    for verb in VERBS:
        assert re.search(rf"^make {verb} +\S", listing, re.MULTILINE), verb


@pytest.mark.parametrize(
    ("verb", "command"),
    [
        ("run", "bin/smartdoh serve --config smartdoh.toml"),
        ("test", "bin/python -m pytest"),
        ("test", "scripts/install-test-servers"),
        ("conformance", "tests/conformance"),
        ("lint", "bin/ruff format --check ."),
        ("lint", "bin/mypy"),
        ("bench", "bin/python -m bench"),
    ],
)
def test_a_verb_ends_in_its_command(verb: str, command: str) -> None:
    """What each verb would run, told without running it."""
    assert command in make("--dry-run", verb)


def test_constraints_are_names_and_versions_alone() -> None:
    """No addresses, no options, no hashes: any index may serve them."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    wrong = [line for line in lines if not re.fullmatch(r"#.*|[A-Za-z0-9_.-]+==[A-Za-z0-9_.+!-]+", line)]
    assert not wrong


@pytest.mark.parametrize("requirement", list(requirements()), ids=str)
def test_each_requirement_has_a_pin_that_satisfies_it(requirement: Requirement) -> None:
    """A new dependency without `make constraints` would be installed in any version."""
    pinned = pins().get(canonicalize_name(requirement.name))
    assert pinned is not None, "not in constraints.txt: run `make constraints`"
    assert requirement.specifier.contains(pinned, prereleases=True)


def test_the_build_is_pinned_too() -> None:
    """The Makefile builds with what constraints.txt names (--no-build-isolation)."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    for line in project["build-system"]["requires"]:
        requirement = Requirement(line)
        assert requirement.specifier.contains(pins()[canonicalize_name(requirement.name)])


def test_ci_runs_the_commands_of_a_contributor() -> None:
    """CI has no way of its own to lint and test, and sets what turns a skip into a failure."""
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    for command in ("set -euo pipefail", "export CI=true", "make lint", "make test", "make fuzz"):
        assert re.search(rf"^{re.escape(command)}", script, re.MULTILINE), command
