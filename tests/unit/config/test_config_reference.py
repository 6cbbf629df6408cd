"""docs/configuration.md says what the schema does, and what is shipped loads."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from smartdoh.config import load, parse
from smartdoh.config.reference import refresh, tables_of
from smartdoh.config.schema import TABLES

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
SHIPPED = [ROOT / "smartdoh.toml", *sorted((ROOT / "examples").glob("*.toml"))]


def test_the_reference_has_every_key_as_the_schema_has_it() -> None:
    assert refresh(PAGE) == PAGE, "python -m smartdoh.config.reference docs/configuration.md mends it"
    assert tables_of(PAGE) == [name for name in TABLES if name]


def test_the_reference_is_rendered_anew_between_its_marks() -> None:
    page = "before\n<!-- keys of block -->\nold\n<!-- end -->\nafter\n"
    assert '| `ttl` | `"5m"` | "0s" to "7d"' in refresh(page)
    assert "old" not in refresh(page)
    assert refresh(page).startswith("before\n")
    assert refresh(page).endswith("after\n")


@pytest.mark.parametrize("text", re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL))
def test_what_the_reference_shows_is_right(text: str) -> None:
    groups = {**tomllib.loads(text).get("groups", {}), "office": {}, "direct": {}}
    others = "".join(f'[groups.{name}]\nupstreams = ["https://1.1.1.1"]\n' for name in groups)
    settings = parse(text if "[groups" in text else others + text)
    assert settings.groups


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_what_is_shipped_loads_without_a_warning(path: Path) -> None:
    path_warning = "every user of this machine"  # depends on the umask of the checkout
    assert [line for line in load(path, {}).warnings if path_warning not in line] == []


def test_the_shipped_config_asks_by_address_and_listens_on_loopback() -> None:
    settings = load(ROOT / "smartdoh.toml", {})
    (group,) = settings.groups.values()
    assert [upstream.host for upstream in group.upstreams] == ["1.1.1.1", "9.9.9.9", "8.8.8.8"]
    assert list(map(str, settings.listen.dns)) == ["127.0.0.1:5553"]


def test_the_overrides_of_the_example_name_its_groups() -> None:
    settings = load(ROOT / "examples/split-routing.toml", {})
    assert settings.routing.overrides == ROOT / "examples/overrides.json"
    values = json.loads(settings.routing.overrides.read_text(encoding="utf-8")).values()
    words = {value for value in values if isinstance(value, str) and value.isalpha()}
    assert words <= {"block", "allow", *settings.groups}
