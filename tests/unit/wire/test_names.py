"""Names: the limits of RFC 1035, 2181 and 9267, pointers of every kind, and text both ways."""

import pytest

from smartdoh.errors import WireError
from smartdoh.wire import names
from tests.unit.wire.messages import name, pointer

HEAD = bytes(12)
LABEL = b"\x3f" + b"a" * 63


def skip(wire: bytes, at: int) -> int:
    return names.skip_name(wire, at, {})


def test_a_name_ends_behind_its_root_or_its_first_pointer() -> None:
    wire = HEAD + name("example.com") + b"\x03www" + pointer(12) + pointer(25) + b"rest"
    assert [skip(wire, at) for at in (12, 20, 25, 31)] == [25, 25, 31, 33]


UNSOUND = {
    "a pointer to itself": (HEAD + pointer(12), 12),
    "a pointer forward": (HEAD + pointer(14) + b"\0", 12),
    "a pointer into the header": (HEAD + pointer(11), 12),
    "a pointer to offset 0": (HEAD + pointer(0), 12),
    "a pointer to the label before it": (HEAD + b"\x01a" + pointer(12), 12),
    "two pointers at each other": (HEAD + pointer(14) + pointer(12), 14),
    "a label of 64 octets": (HEAD + b"\x40" + b"a" * 64 + b"\0", 12),
    "a label of kind 10": (HEAD + b"\x80\0", 12),
    "256 octets": (HEAD + LABEL * 3 + b"\x3e" + b"a" * 62 + b"\0", 12),
    "256 octets by a pointer": (HEAD + LABEL * 3 + b"\0" + b"\x3e" + b"a" * 62 + pointer(12), 12 + 193),
    "128 labels": (HEAD + b"\x01a" * 128 + b"\0", 12),
    "labels that run into the pointer to them": (HEAD + b"\x02a" + pointer(12) + b"a" * 12 + b"\0", 14),
    "a pointer that runs into the pointer to it": (HEAD + bytes(300) + b"\xc0" + pointer(312), 313),
    "labels that run over the pointer to them": (HEAD + b"\x3f" + pointer(12) + b"a" * 61 + b"\0", 13),
}


@pytest.mark.parametrize("what", UNSOUND)
def test_unsound_names_are_refused(what: str) -> None:
    wire, at = UNSOUND[what]
    with pytest.raises(WireError):
        skip(wire, at)


@pytest.mark.parametrize(
    ("wire", "at"),
    [
        (HEAD, 12),
        (HEAD + b"\x03ww", 12),
        (HEAD + b"\x03www", 12),
        (HEAD + b"\xc0", 12),
        (HEAD + b"\x01a\xc0", 12),
    ],
)
def test_a_name_cut_short(wire: bytes, at: int) -> None:
    """IndexError is the one other error there is: whoever walks a message turns it into WireError."""
    with pytest.raises((IndexError, WireError)):
        skip(wire, at)


def test_a_name_of_255_octets_by_pointers() -> None:
    wire = HEAD + LABEL * 3 + b"\0" + b"\x3d" + b"a" * 61 + pointer(12)
    assert skip(wire, 12 + 193) == len(wire)


def test_pointers_have_14_bits() -> None:
    wire = bytes(0x3FFB) + name("com") + b"\1a" + pointer(0x3FFB) + pointer(0x3FFF) + pointer(0x3FFB)
    known: names.Known = {}
    ends = [0x4000, 0x4004, 0x4006, 0x4008]
    starts = [0x3FFB, *ends[:-1]]
    assert [names.skip_name(wire, at, known) for at in starts] == ends
    assert [names.end_of_name(wire, at) for at in starts] == ends
    expanded = [names.expand(wire, at, {}) for at in starts]
    assert expanded == [name("com"), name("a.com"), b"\0", name("com")]


def test_127_labels_each_behind_a_pointer() -> None:
    """As many steps as a sound name can ever take."""
    wire, last = HEAD + b"\0", 12
    for _ in range(127):
        wire, last = wire + b"\x01a" + pointer(last), len(wire)
    assert skip(wire, last) == len(wire)


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(("jumps", "is_sound"), [(127, True), (128, False), (500, False)])
def test_at_most_127_pointers(jumps: int, is_sound: bool, together: bool) -> None:
    """Whether a chain is walked at once or each pointer of it was met before."""
    wire, last = HEAD + b"\0", 12
    known: names.Known = {}
    steps = []
    for _ in range(jumps):
        wire, last = wire + pointer(last), len(wire)
        steps.append(last)
    walked = steps[-1:] if together else steps
    if is_sound:
        assert [names.skip_name(wire, at, known) for at in walked][-1] == len(wire)
    else:
        with pytest.raises(WireError):
            [names.skip_name(wire, at, known) for at in walked]


def test_what_is_known_says_how_long_a_name_is() -> None:
    """A second name that points there is judged with its whole length."""
    known: names.Known = {}
    wire = HEAD + LABEL * 3 + b"\0" + pointer(12)
    wire += b"\x3d" + b"a" * 61 + pointer(205) + b"\x3e" + b"a" * 62 + pointer(205)
    assert names.skip_name(wire, 12, known) == 205
    assert names.skip_name(wire, 205, known) == 207
    assert names.skip_name(wire, 207, known) == 271
    with pytest.raises(WireError):
        names.skip_name(wire, 271, known)


def test_what_is_known_is_where_names_begin_and_their_size() -> None:
    """Of pointers too, with what they cost counted apart."""
    known: names.Known = {}
    names.skip_name(HEAD + name("www.example.com"), 12, known)
    assert known == {12: 17, 16: 13, 24: 5, 28: 1}
    names.skip_name(HEAD + name("www.example.com") + b"\1a" + pointer(16), 29, known)
    assert {at: size % 65_536 for at, size in known.items() if at > 28} == {29: 15, 31: 13}


def test_a_refused_name_teaches_nothing() -> None:
    known: names.Known = {}
    with pytest.raises(WireError):
        names.skip_name(HEAD + b"\x01a" + pointer(12), 12, known)
    assert known == {}


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        (b"\0", "."),
        (name("www.example.com"), "www.example.com."),
        (b"\x03a.b\x03com\0", r"a\.b.com."),
        (b'\x06\x00 \x7f\xff\\"\0', r"\000\032\127\255\\\"."),
        (b"\x06();@$*\0", r"\(\)\;\@\$*."),
        (b"\x04_dns\0", "_dns."),
        (b"\x04!~-a\0", "!~-a."),
    ],
)
def test_to_text(wire: bytes, text: str) -> None:
    assert names.to_text(wire) == text


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ("", b"\0"),
        (".", b"\0"),
        ("www.Example.COM", name("www.example.com")),
        ("www.example.com.", name("www.example.com")),
        ("bücher.example", name("xn--bcher-kva.example")),
        ("例子.CN", name("xn--fsqu00a.cn")),
        ("例子。cn", name("xn--fsqu00a.cn")),  # RFC 3490 section 3.1: these are dots too
        ("例子．cn｡", name("xn--fsqu00a.cn")),
        ("www。example。com", name("www.example.com")),
        ("_sip._tcp.a", name("_sip._tcp.a")),
        ("a" * 63, b"\x3f" + b"a" * 63 + b"\0"),
        (".".join(["a" * 63] * 3 + ["a" * 61]), LABEL * 3 + b"\x3d" + b"a" * 61 + b"\0"),
    ],
)
def test_from_text(text: str, wire: bytes) -> None:
    assert names.from_text(text) == wire


@pytest.mark.parametrize(
    "text",
    [
        "..",
        ".a",
        "a..b",
        "a..",
        "a" * 64,
        ".".join(["a" * 63] * 3 + ["a" * 62]),
        "ü" * 64,
        "\u00ad",
        "a。。b",
        "ü..b",
        "xn--\ud800",
    ],
)
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        names.from_text(text)


@pytest.mark.parametrize(
    ("wire", "above"),
    [(b"\0", [b"\0"]), (name("a.b.c"), [name("a.b.c"), name("b.c"), name("c"), b"\0"])],
)
def test_parents(wire: bytes, above: list[bytes]) -> None:
    assert names.parents(wire) == above
