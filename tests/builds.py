"""Both builds of the fast path, for tests that hold them to the same."""

from __future__ import annotations

import importlib.util

import pytest

from smartdoh.fastpath import _python

PYTHON, COMPILED = "python", "compiled"
BUILDS = (PYTHON, COMPILED)


def fast_path(build: str) -> type[_python.FastPath]:
    """The class of one build; where the compiled one was not built the test is skipped, and in CI it fails."""
    if build == PYTHON:
        return _python.FastPath
    if importlib.util.find_spec("smartdoh.fastpath._native") is None:
        pytest.skip(
            "the compiled fast path was not built: `make build` needs a C compiler and Python's headers"
        )
    from smartdoh.fastpath import _native  # noqa: PLC0415 - it may be missing

    return _native.FastPath
