"""Words for clients: whatever is put into them, they are short and plain."""

from hypothesis import given
from hypothesis import strategies as st

from smartdoh.wire.words import printable


@given(st.text(), st.integers(3, 255))
def test_they_are_plain_and_short(text: str, most: int) -> None:
    said = printable(text, most)
    assert len(said) <= most
    assert said.isascii()
    assert said.isprintable()


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=100))
def test_what_is_plain_and_short_stays(text: str) -> None:
    assert printable(text, 100) == text


def test_what_is_not_is_escaped_and_cut() -> None:
    assert printable("a\x1b[31mü\n", 40) == r"a\x1b[31m\xfc\n"
    assert printable("x" * 41, 40) == "x" * 37 + "..."
