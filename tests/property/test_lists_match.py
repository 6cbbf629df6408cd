"""A compiled list says what the rules say that it is made of, read one by one and compared as text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from smartdoh.config.settings import ListFormat
from smartdoh.rules.lists import MEANINGS, Match, Reason, key_of
from smartdoh.rules.lists.dialects import DIALECTS
from smartdoh.rules.lists.keys import parse_name, text_of
from smartdoh.rules.lists.patterns import compiled, literal_of
from smartdoh.rules.lists.rule import Rule
from smartdoh.wire.codes import AAAA, A
from smartdoh.wire.names import from_text, to_text
from tests.lists import lookup, name_set

LABELS = st.sampled_from(("a", "b", "ab", "ba", "c-b", "evila"))
NAMES = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
FORMATS: list[ListFormat] = ["autoproxy", "adblock", "hosts", "dnsmasq", "domains"]
TYPES = {"": None, "dnstype=A": {A}, "dnstype=AAAA": {AAAA}, "dnstype=~A": {AAAA}}


@dataclass(frozen=True)
class Line:
    """A rule of AdGuard's: what it looks like and, put another way, what it means."""

    name: str
    shape: str  # with {} where the name goes
    expression: str  # what a name looks like that it matches, with {} likewise
    is_exception: bool
    is_important: bool
    dnstype: str

    def __str__(self) -> str:
        modifiers = ",".join(filter(None, ("important" * self.is_important, self.dnstype)))
        return (
            "@@" * self.is_exception + self.shape.format(self.name) + ("$" + modifiers if modifiers else "")
        )

    def matches(self, name: str, qtype: int) -> bool:
        types = TYPES[self.dnstype]
        expression = self.expression.format(re.escape(self.name))
        return (types is None or qtype in types) and re.search(expression, name) is not None

    @property
    def rank(self) -> int:
        return 2 * self.is_important + self.is_exception


SHAPES = st.sampled_from(
    (
        ("||{}^", r"(^|\.){}$"),
        ("|{}^", r"^{}$"),
        ("*.{}^", r"\.{}$"),
        ("{}^", r"{}$"),
        ("||{}*.a^", r"(^|\.){}.*\.a$"),
        ("/^{}/", r"^{}"),
        ("*{}*", r"{}"),
    )
)
LINES = st.builds(
    lambda name, shape, *rest: Line(name, *shape, *rest),
    NAMES,
    SHAPES,
    st.booleans(),
    st.booleans(),
    st.sampled_from(sorted(TYPES)),
)


@settings(deadline=None)
@given(lines=st.lists(LINES, max_size=12), name=NAMES, qtype=st.sampled_from((A, AAAA)))
def test_a_list_and_its_rules_say_the_same(lines: list[Line], name: str, qtype: int) -> None:
    """The highest rank decides, and the line that is named is one of that rank that matches."""
    match = lookup(name_set("\n".join(map(str, lines)), "adblock"), name, qtype)
    matching = [(line.rank, number) for number, line in enumerate(lines, 1) if line.matches(name, qtype)]
    if match is None:
        assert matching == []
        return
    highest = max(rank for rank, _ in matching)
    assert (highest, match.line) in matching
    assert (match.is_exception, match.is_important) == (bool(highest & 1), bool(highest & 2))


@settings(deadline=None)
@given(listed=st.lists(st.tuples(st.sampled_from(("", "full:", "*.")), NAMES), max_size=20), name=NAMES)
def test_the_longest_name_is_told(listed: list[tuple[str, str]], name: str) -> None:
    """Among plain names: the longest that stands for the name asked for, and its first line."""
    match = lookup(name_set("".join(f"{prefix}{each}\n" for prefix, each in listed), "domains"), name)
    reaching = [
        (-len(each), number)
        for number, (prefix, each) in enumerate(listed, 1)
        if (name == each and prefix != "*.") or (name.endswith("." + each) and prefix != "full:")
    ]
    assert match == (Match(min(reaching)[1]) if reaching else None)


@settings(deadline=None)
@given(
    list_format=st.sampled_from(FORMATS),
    content=st.binary(max_size=200),
    lines=st.lists(st.text(max_size=40)),
)
def test_every_line_is_accounted_for(list_format: ListFormat, content: bytes, lines: list[str]) -> None:
    """Whatever a list consists of, nothing raises and nothing is lost."""
    report = name_set(content + "\n".join(lines).encode("utf-8", "replace"), list_format).report
    assert report.used + report.comments + sum(report.skipped.values()) == report.lines
    assert set(report.skipped) <= set(MEANINGS) == set(Reason)
    assert len(report.examples) == min(len(report.examples), report.unusable)


PIECES = st.sampled_from(
    [
        *(
            "||",
            "|",
            "@@",
            "^",
            "$",
            "*",
            ".",
            "/",
            "\\",
            "http://",
            "server=/",
            "address=/",
            "local=/",
            "#",
            " ",
        ),
        *(
            "0.0.0.0 ",
            "127.0.0.1\t",
            "::1 ",
            "192.0.2.1",
            "full:",
            "domain:",
            "keyword:",
            "regexp:",
            "+.",
            "*.",
        ),
        *(
            "example",
            "com",
            "1",
            "-",
            "_",
            "important",
            "dnsrewrite=",
            "dnstype=",
            "denyallow=",
            ",",
            ";",
            "|",
        ),
        *("localhost", "ip6-x", "é", "。", "A", "(", ")", "[", "]", "?", "@cn", "\r", "##"),
    ]
)


@settings(max_examples=500)
@given(list_format=st.sampled_from(FORMATS), line=st.lists(PIECES, max_size=8).map("".join))
def test_the_shortcut_says_what_the_parser_says(list_format: ListFormat, line: str) -> None:
    dialect = DIALECTS[list_format]
    found = dialect.plain.fullmatch(line.encode())
    parsed = dialect.parse(line.strip())
    if found is not None:
        assert parsed == [Rule(parse_name(found[1].decode()), dialect.reach)]  # type: ignore[arg-type]


@given(name=st.lists(st.binary(min_size=1, max_size=63), max_size=4))
def test_keys_begin_with_the_keys_of_parents(name: list[bytes]) -> None:
    """And with those of no other names, whatever octets the labels have."""
    wire = b"".join(bytes([len(label)]) + label for label in name) + b"\0"
    key = key_of(wire)
    assert key.count(b".") == len(name)
    for at in range(len(name)):
        rest = b"".join(bytes([len(label)]) + label for label in name[at:]) + b"\0"
        assert key.startswith(key_of(rest))


@given(name=NAMES)
def test_a_written_name_has_the_key_of_its_wire_form(name: str) -> None:
    assert parse_name(name) == key_of(from_text(name))
    assert text_of(key_of(from_text(name))).decode() + "." == to_text(from_text(name))


PARTS = ("a", "b", "ab", r"\.", "?", "*", "+", "{2}", "(", ")", "|", "[ab]", "[^a]", "^", "$", r"\x61", r"\d")
SOURCES = st.lists(st.sampled_from(PARTS), max_size=8).map("".join)


@settings(max_examples=500)
@given(source=SOURCES, name=st.text("ab.", max_size=8))
def test_no_match_is_without_the_literal(source: str, name: str) -> None:
    """What is looked for first has to stand in every name that the expression matches."""
    try:
        expression = compiled(source)
    except ValueError:
        return
    if expression.search(name.encode()) is not None:
        assert literal_of(source) in name
