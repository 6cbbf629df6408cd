"""What tests share: the certificate authority, servers that many of them ask, and ways to start more."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.servers.certificates import Authority
from tests.servers.plain import PlainServer, plain_server
from tests.servers.real import KINDS, DohServer, doh_server
from tests.servers.scripted import ScriptedServer
from tests.servers.smartdoh import RunningProxy, start_proxy

StartProxy = Callable[..., RunningProxy]
StartScripted = Callable[..., ScriptedServer]

GROUP = "main"

# How fast a machine is does not decide about a property.
settings.register_profile(
    "unhurried", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The certificate authority that the proxy under test is told to trust."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def backend() -> Iterator[PlainServer]:
    """The plain DNS server behind those DoH servers that hold no zone themselves."""
    with plain_server() as server:
        yield server


@pytest.fixture(scope="session", params=list(KINDS))
def real_server(
    request: pytest.FixtureRequest,
    authority: Authority,
    backend: PlainServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[DohServer]:
    """Each of the four DoH servers from Debian in turn."""
    kind: str = request.param
    with doh_server(kind, tmp_path_factory.mktemp(kind), authority, backend.port) as server:
        yield server


@pytest.fixture
def scripted(authority: Authority) -> Iterator[StartScripted]:
    """Starts scripted servers; they end with the test."""
    with ExitStack() as stack:

        def start(**options: Any) -> ScriptedServer:
            certificate = options.pop("certificate", authority.good)
            return stack.enter_context(ScriptedServer(certificate, **options))

        yield start


@pytest.fixture
def upstream(scripted: StartScripted) -> ScriptedServer:
    """One scripted server."""
    return scripted()


@pytest.fixture
def smartdoh(authority: Authority, tmp_path: Path) -> Iterator[StartProxy]:
    """Starts proxies with one group `main` of the given upstreams; each must end in order with the test.

    `group` adds keys to the group, `sections` adds sections, `hosts`, `port` and `env` go to `start_proxy`.
    """
    started: list[RunningProxy] = []

    def start(
        *upstreams: str,
        group: dict[str, Any] | None = None,
        sections: dict[str, Any] | None = None,
        **how: Any,
    ) -> RunningProxy:
        proxy = start_proxy(
            settings_for(*upstreams, authority=authority, group=group, sections=sections), tmp_path, **how
        )
        started.append(proxy)
        return proxy

    yield start
    for proxy in started:
        proxy.stop()


def settings_for(
    *upstreams: str,
    authority: Authority,
    group: dict[str, Any] | None = None,
    sections: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A config of one group that trusts the tests' authority, keeps nothing on disk and probes nothing."""
    main = {"upstreams": list(upstreams), "ca_file": authority.ca_file, "fastest_ip": "off"}
    return {
        f"groups.{GROUP}": main | (group or {}),
        "routing": {"default": GROUP},
        "cache": {"dir": "none"},
    } | (sections or {})
