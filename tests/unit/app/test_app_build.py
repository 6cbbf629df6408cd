"""From settings to a runtime: every example that is shipped, and files that cannot be used."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from smartdoh import config
from smartdoh.app.build import build
from smartdoh.app.runtime import Runtime
from smartdoh.errors import ConfigError
from smartdoh.model import Query
from smartdoh.tasks import Tasks
from smartdoh.upstream.group import STRATEGIES
from tests.scenario.messages import query, question
from tests.servers.certificates import Authority

ROOT = Path(__file__).parents[3]
SHIPPED = sorted([*ROOT.glob("examples/*.toml"), ROOT / "smartdoh.toml"])
ONE = '[groups.one]\nupstreams = ["https://192.0.2.1/dns-query"]\n'


def built(settings: config.Settings, look: Callable[[Runtime], None]) -> None:
    """Build, look, and end; nothing may have gone wrong in the background, and no task be left."""

    async def play() -> None:
        bugs: list[BaseException] = []
        runtime = build(settings, Tasks(lambda name, error: bugs.append(error)))
        try:
            look(runtime)
        finally:
            await runtime.aclose()
        assert not bugs
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(play())


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_every_config_that_is_shipped_makes_a_runtime(path: Path) -> None:
    settings = config.load(path, {"HOME": "/home/me"})

    def look(runtime: Runtime) -> None:
        assert runtime.groups.keys() == settings.groups.keys()
        for name, group in settings.groups.items():
            assert type(runtime.groups[name]) is STRATEGIES[group.strategy]
        assert isinstance(runtime.fast.ask(question(), "127.0.0.1"), Query)
        assert runtime.decisions.route(query()).group in settings.groups

    built(settings, look)


def test_who_may_ask_and_how_much_is_kept_are_the_config_s() -> None:
    text = '[listen]\nallow = ["127.0.0.2/32"]\n[cache]\nmemory_entries = 2\n'

    def look(runtime: Runtime) -> None:
        assert isinstance(runtime.fast.ask(question(), "127.0.0.2"), Query)
        assert isinstance(runtime.fast.ask(question(), "127.0.0.1"), bytes)
        for number in range(5):
            asked = query(f"n{number}.localhost.")
            runtime.resolver.submit(asked, lambda wire: None, udp=True)
        assert runtime.fast.statistics().entries == 2

    built(config.parse(text + ONE), look)


def test_a_ca_file_that_went_after_the_config_was_checked_is_an_error_of_it(
    tmp_path: Path, authority: Authority
) -> None:
    """A reload is refused then, and the old config stays."""
    ca_file = tmp_path / "ca.pem"
    shutil.copy(authority.ca_file, ca_file)
    settings = config.parse(ONE + 'ca_file = "ca.pem"\n', folder=tmp_path)
    built(settings, lambda runtime: None)
    ca_file.unlink()
    with pytest.raises(ConfigError, match=r"groups\.one\.ca_file: .*ca\.pem"):
        built(settings, lambda runtime: None)
