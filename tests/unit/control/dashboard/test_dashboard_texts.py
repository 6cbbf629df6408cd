"""The texts: every key in every language, the same values in each, and none that is used and missing."""

import re
import string
from pathlib import Path

import pytest

from smartdoh.control import dashboard
from smartdoh.control.dashboard.language import asked_for, language_of, theme_of
from smartdoh.control.dashboard.texts import LANGUAGES, TEXTS, text

SOURCES = [path.read_text("utf-8") for path in Path(dashboard.__file__).parent.rglob("*.py")]
USED = re.compile(
    r"""["']((?:nav|frame|error|login|column|unit|act|word|overview|queries|why|upstreams|health|cache|"""
    r"""level|state|rules|list|phase|result|decision|explain|settings|outcome|leaks)\.[a-z0-9_]+)["']"""
)
MADE = re.compile(r"""f["']([a-z]+)\.""")


def fields(words: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(words) if name}


@pytest.mark.parametrize("key", TEXTS)
def test_every_language_has_every_text(key: str) -> None:
    words = TEXTS[key]
    assert len(words) == len(LANGUAGES)
    assert all(each.strip() for each in words)
    assert len({frozenset(fields(each)) for each in words}) == 1, "the values in it differ"


def test_what_is_used_is_there_and_what_is_there_is_used() -> None:
    used = {key for source in SOURCES for key in USED.findall(source) if not key.endswith(".py")}
    made = {prefix for source in SOURCES for prefix in MADE.findall(source)}
    assert {key for key in used if key.split(".")[0] != "routing"} <= set(TEXTS)
    idle = {key for key in TEXTS if key not in used and key.split(".")[0] not in made}
    assert not idle


def test_chinese_is_chinese() -> None:
    """But for what is the same in both: a number with its unit."""
    for key, (english, chinese) in TEXTS.items():
        assert chinese != english or not re.search(r"[A-Za-z]{2}", re.sub(r"\{\w+\}", "", english)), key


def test_values_are_put_in() -> None:
    assert text("en", "login.wait", seconds=3) == "Too many tries. Try again in 3 s."
    assert "3" in text("zh", "login.wait", seconds=3)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,zh;q=0.9", "en"),
        ("zh;q=0.2, en;q=0.8", "en"),
        ("zh;q=0", "en"),
        ("de, fr", "en"),
        ("de, zh;q=0.1", "zh"),
        ("zh;q=x", "en"),
        ("*", "en"),
    ],
)
def test_the_language_is_what_the_browser_asks_for(header: str, expected: str) -> None:
    assert asked_for(header) == expected


def test_what_was_chosen_comes_first() -> None:
    assert language_of({"accept-language": "zh"}, {"smartdoh_language": "en"}) == "en"
    assert language_of({"accept-language": "zh"}, {"smartdoh_language": "xx"}) == "zh"
    assert [theme_of(word) for word in ("light", "dark", "auto", "x", None)] == [
        "light",
        "dark",
        "auto",
        "auto",
        "auto",
    ]
