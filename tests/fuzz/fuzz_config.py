"""Any text as smartdoh.toml: refused in lines that name a key, or settings from which a proxy could be built."""

from __future__ import annotations

from smartdoh.config import parse
from smartdoh.errors import ConfigError
from smartdoh.pipeline.order import ipv4_first, stages
from smartdoh.rules.router import Router
from smartdoh.rules.views import Views
from smartdoh.wire.question import parse_query
from tests.fuzz.harnesses import run_file

QUERY = parse_query(
    bytes.fromhex("0000 0100 0001 0000 0000 0000") + b"\3www\7example\3com\0\0\1\0\1", 0, "127.0.0.1"
)


def check(data: bytes) -> None:
    """What holds for any config."""
    try:
        settings = parse(data.decode("utf-8", "replace"))
    except ConfigError as error:
        _check_words(str(error))
        return
    routing = settings.routing
    assert routing.default in settings.groups
    for group in settings.groups.values():
        assert group.upstreams
        assert all(url.url.startswith("https://") for url in group.upstreams)
        assert not group.bogus_nxdomain or settings.lists[group.bogus_nxdomain].format == "addresses"
    router = Router(routing.rules, routing.default, {}, list(settings.lists))
    route = router.route(QUERY)
    assert route.group in settings.groups
    Views(settings.listen.allow, routing.rules).view_of(QUERY.host)
    for stage in stages(settings):
        stage(QUERY, route)
    ipv4_first(settings)


def _check_words(said: str) -> None:
    lines = said.splitlines()
    assert lines
    assert all(line.strip() for line in lines)
    assert "Traceback" not in said


if __name__ == "__main__":
    run_file(__file__)
