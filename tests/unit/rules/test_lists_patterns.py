"""Patterns: what narrows them down must never leave out a name that they match."""

from __future__ import annotations

import pytest

from smartdoh.rules.lists.patterns import compiled, literal_of


@pytest.mark.parametrize(
    ("source", "literal"),
    [
        ("tracker", "tracker"),
        (r"^ads[0-9]+\.example\.com$", ".example.com"),
        (r"^ads?\.x", "ad"),
        (r"abc*d", "ab"),
        (r"abc{2}d", "ab"),
        (r"abc+d", "abc"),
        (r"a{12}", ""),
        (r"[ab]{12}c", "c"),
        (r"a|bcd", ""),
        (r"(abc|d)ef", "ef"),
        (r"(abc)?", ""),
        (r"(?:x(y)z)uvw", "uvw"),
        (r"[abc]de", "de"),
        (r"[]a]bc", "bc"),
        (r"[^]a]bc", "bc"),
        (r"\x41bc", "bc"),
        (r"\x{41}bcd", "bcd"),
        (r"\101bc", "bc"),
        (r"\pLbc", "bc"),
        (r"\p{Greek}bc", "bc"),
        (r"\Qa|b?\Ecd", "cd"),
        (r"\d\wab", "ab"),
        (r"foo\-bar", "foo-bar"),
        (r"FOO", "foo"),
        ("", ""),
    ],
)
def test_the_literal_stands_in_all_that_matches(source: str, literal: str) -> None:
    assert literal_of(source) == literal


def test_case_does_not_matter() -> None:
    assert compiled("EXAMPLE").search(b"example") is not None


@pytest.mark.parametrize("source", ["(", "a{1001}", "(?=a)", r"\1", "a**"])
def test_what_is_no_expression(source: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words are RE2's
        compiled(source)
