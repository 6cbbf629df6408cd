"""What is to be done where a server that a test needs is not installed."""

import os
import shutil

import pytest

SYSTEM_DIRECTORIES = ("/usr/sbin", "/sbin", "/usr/bin", "/usr/local/sbin")
INSTALL_HINT = "scripts/install-test-servers installs it on Debian"


def find_program(name: str) -> str | None:
    """The path of a program, also from the directories that a plain user's PATH leaves out."""
    path = os.pathsep.join((os.environ.get("PATH", ""), *SYSTEM_DIRECTORIES))
    return shutil.which(name, path=path)


def require_server(name: str) -> str:
    """The path of a program; where it is missing the test is skipped by name, and in CI it fails."""
    path = find_program(name)
    if path is not None:
        return path
    reason = f"{name} is not installed; {INSTALL_HINT}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
