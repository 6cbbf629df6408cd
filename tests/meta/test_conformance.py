"""The rows of the conformance suite: each has checks, a line in the document, and few are argued away."""

from tests.conformance.checks import collect
from tests.conformance.report import DOCUMENT
from tests.conformance.rows import load
from tests.meta.tree import ROOT

ROWS = load()
MOST_EXCEPTIONS = 3


def test_every_row_has_checks_and_every_check_a_row() -> None:
    """But for rows about what a forwarder does not do."""
    assert {row.key for row in ROWS if row.level != "-"} == set(collect())


def test_what_must_be_is_not_argued_away() -> None:
    argued = [row for row in ROWS if row.exception]
    assert not [row.key for row in argued if row.level != "S"]
    assert len(argued) <= MOST_EXCEPTIONS


def test_the_document_has_every_row_and_no_other() -> None:
    """`python -m tests.conformance --peers --write` makes it anew."""
    lines = [line for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("| `")]
    assert [line.split("`")[1] for line in lines] == [row.key for row in ROWS]
    for line, row in zip(lines, ROWS, strict=True):
        assert f"| {row.behaviour} | {row.source} | {row.level} |" in line


def test_it_is_no_part_of_make_test() -> None:
    """It has a target of its own, which CI runs."""
    assert "make conformance" in (ROOT / ".ci" / "run").read_text("utf-8")
