"""Every row against smartdoh in both builds: what binds has to pass, what is argued away has to fail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.checks import collect, run
from tests.conformance.rows import Row, load
from tests.conformance.stage import OURS, Stage, stage

CHECKS = collect()
ROWS = [row for row in load() if row.key in CHECKS]
PURE = "SMARTDOH_PURE_PYTHON"


@pytest.fixture(scope="module", params=["native", "python"])
def on(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The upstream and the servers before it, one build after the other."""
    with stage(
        tmp_path_factory.mktemp("stage"), env={PURE: "1" if request.param == "python" else "0"}
    ) as made:
        yield made


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.key)
def test_row(on: Stage, row: Row) -> None:
    """A row of which a part could not be asked has not passed."""
    result = run(CHECKS[row.key], on.world(OURS))
    if row.exception:
        assert result.verdict == "fail", f"{row.key} passes: take its exception out of rows.toml"
    if result.verdict == "fail" and row.exception:
        pytest.xfail(f"{row.exception}: {'; '.join(result.details)}")
    assert result.verdict == "pass", "\n".join(result.details)
    assert not result.details, "left out: " + "\n".join(result.details)
