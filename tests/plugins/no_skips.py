"""Owns one rule of the test run: with CI=true a skipped test or module is a failure that names its reason."""

import os
from collections.abc import Generator
from typing import TypeVar

import pytest

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def is_ci() -> bool:
    """Whether this run must prove everything: CI is set, to anything but 0 or false."""
    return os.environ.get("CI", "").lower() not in {"", "0", "false"}


def as_failure(report: Report) -> Report:
    """`report`, turned into a failure where it was a skip. An expected failure (xfail) stays what it is."""
    if report.skipped and not hasattr(report, "wasxfail"):
        report.longrepr = f"a skip is a failure in CI: {reason_of(report)}"
        report.outcome = "failed"
    return report


def reason_of(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Why it was skipped, in the words of who skipped it."""
    words = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return words.removeprefix("Skipped: ")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Judges each phase of each test."""
    report = yield
    return as_failure(report) if is_ci() else report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Judges each module: one that skips itself while it is imported leaves no test behind."""
    report = yield
    return as_failure(report) if is_ci() else report
