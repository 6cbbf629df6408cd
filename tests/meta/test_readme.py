"""README.md shows the split-routing example as it is shipped, and overrides that can be used with it."""

import re

from smartdoh.config import load
from smartdoh.rules.overrides_file import parse_overrides
from tests.meta.tree import ROOT

README = (ROOT / "README.md").read_text("utf-8")
EXAMPLES = ROOT / "examples"


def test_the_split_routing_config_is_the_shipped_one() -> None:
    assert f"```toml\n{(EXAMPLES / 'split-routing.toml').read_text('utf-8')}```\n" in README


def test_overrides_can_be_used_with_it() -> None:
    """The shipped ones too: those that the README shows are these, and one more."""
    groups = load(EXAMPLES / "split-routing.toml", {}).groups
    [shown] = re.findall(r"^```json\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    ours = parse_overrides(shown, groups, "README.md")
    shipped = parse_overrides((EXAMPLES / "overrides.json").read_text("utf-8"), groups, "overrides.json")
    assert shipped.entries.items() < ours.entries.items()
