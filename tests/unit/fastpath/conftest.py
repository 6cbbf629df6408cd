"""Every test of the fast path's surface runs on both builds."""

from __future__ import annotations

import pytest

from smartdoh.fastpath import _python
from tests.builds import BUILDS, fast_path


@pytest.fixture(params=BUILDS)
def build(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> type[_python.FastPath]:
    """One build, which every rig in the test has."""
    found = fast_path(request.param)
    monkeypatch.setattr("tests.scenario.fast.FastPath", found)
    return found
