"""Domain names and record types."""

import dns.rdatatype
import pytest

from smartdoh.config.names import QTYPES, parse_domain, parse_qtype, parse_word, qtype_number


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("corp.example", "corp.example"),
        ("Corp.EXAMPLE.", "corp.example"),
        ("example", "example"),
        ("_dmarc.example", "_dmarc.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("10.in-addr.arpa", "10.in-addr.arpa"),
        (f"{'a' * 63}.example", f"{'a' * 63}.example"),
    ],
)
def test_names(text: str, name: str) -> None:
    assert parse_domain(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        ".example",
        "*.example",
        "=www.example",
        "a..b",
        "a b",
        "a\\.b",
        "a" * 64,
        "a." * 127 + "b",
    ],
)
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"^is not a domain name$"):
        parse_domain(text)


def test_a_name_outside_ascii_is_not_guessed_at() -> None:
    with pytest.raises(ValueError, match=r"^has letters outside ASCII$"):
        parse_domain("straße.example")


@pytest.mark.parametrize(
    ("text", "name", "number"),
    [
        ("a", "A", 1),
        ("AAAA", "AAAA", 28),
        ("https", "HTTPS", 65),
        ("type65", "TYPE65", 65),
        ("TYPE65535", "TYPE65535", 65535),
    ],
)
def test_record_types(text: str, name: str, number: int) -> None:
    assert parse_qtype(text) == name
    assert qtype_number(name) == number


@pytest.mark.parametrize("text", ["", "AAA", "TYPE", "TYPE65536", "TYPE-1", "TYPE٣", "1", "A "])
def test_what_is_no_record_type(text: str) -> None:
    with pytest.raises(ValueError, match=r"^is not a record type$"):
        parse_qtype(text)


def test_the_numbers_of_the_types_are_ianas() -> None:
    assert {name: int(dns.rdatatype.from_text(name)) for name in QTYPES} == QTYPES


@pytest.mark.parametrize("text", ["", "a b", "a.b", "ä", "a" * 65, "a/b", "a\n"])
def test_what_is_no_word(text: str) -> None:
    with pytest.raises(ValueError, match=r"^is not a name$"):
        parse_word(text)
