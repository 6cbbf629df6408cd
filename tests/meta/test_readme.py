"""README.md shows the split-routing example as it is shipped, and overrides that can be used with it."""

import re

from smartdoh.config import load
from smartdoh.rules.overrides_file import parse_overrides
from tests.meta.tree import ROOT

README = (ROOT / "README.md").read_text("utf-8")
CHINESE = (ROOT / "README.zh.md").read_text("utf-8")
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


def test_the_chinese_one_says_the_same() -> None:
    """As far as that can be compared: its headings by level, all code, tables by size, pictures and documents."""
    for pattern in (
        r"^#+(?= )",
        r"^```.*?^```",
        r"^\|(?= *-)",
        r"!\[[^]]*\]\(([^)]+)\)",
    ):
        found = [re.findall(pattern, text, re.MULTILINE | re.DOTALL) for text in (README, CHINESE)]
        assert found[0] == found[1], pattern
    rows = [len(re.findall(r"^\|", text, re.MULTILINE)) for text in (README, CHINESE)]
    assert rows[0] == rows[1]
    links = [set(re.findall(r"\]\(((?:docs|[A-Z])[^)#]*)", text)) for text in (README, CHINESE)]
    assert links[0] - {"README.zh.md"} == links[1] - {"README.md"}
    numbers = [sorted(re.findall(r"\d[\d,.]*\d", text)) for text in (README, CHINESE)]
    assert len(set(numbers[0]) ^ set(numbers[1])) < 20, "figures of one that are not in the other"
