"""A missing server is named: a skip for people, a failure in CI."""

import pytest

from tests.servers.required import require_server


def test_missing_server_is_a_skip_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-server is not installed"):
        require_server("no-such-server")


def test_missing_server_is_a_failure_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no-such-server is not installed"):
        require_server("no-such-server")


def test_program_outside_a_plain_users_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert require_server("sh").endswith("/sh")
