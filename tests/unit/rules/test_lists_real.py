"""The real lists, where they are: every line is accounted for, and hundreds of each kind mean what they should.

SMARTDOH_DATA names the folder that has them; without it the same is shown with small lists of our own.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path

import pytest

from smartdoh.config.settings import ListFormat
from smartdoh.rules.lists import NameSet, Reason, compile_list, open_list
from smartdoh.rules.lists.dialects import DIALECTS
from smartdoh.rules.lists.keys import parse_name
from smartdoh.rules.lists.rule import Rule
from smartdoh.rules.lists.source import lines_of
from tests.lists import DATA as OUR_DATA
from tests.lists import is_listed, lookup, name_set

REAL_DATA = os.environ.get("SMARTDOH_DATA", "")
FILES: list[tuple[ListFormat, Path]] = (
    [
        ("autoproxy", Path(REAL_DATA, "gfwlist.txt")),
        ("dnsmasq", Path(REAL_DATA, "accelerated-domains.china.conf")),
        ("dnsmasq", Path(REAL_DATA, "bogus-nxdomain.china.conf")),
        ("hosts", Path(REAL_DATA, "adservers.hosts")),
        ("domains", Path(REAL_DATA, "top-domains.txt")),
    ]
    if REAL_DATA
    else [
        ("autoproxy", OUR_DATA / "autoproxy.txt"),
        ("adblock", OUR_DATA / "adblock.txt"),
        ("hosts", OUR_DATA / "hosts"),
        ("dnsmasq", OUR_DATA / "dnsmasq.conf"),
        ("domains", OUR_DATA / "domains.txt"),
    ]
)
OF_EACH_KIND = 200


def gfwlist() -> list[str]:
    """The lines of GFWList, or of the small list that stands in for it."""
    list_format, path = FILES[0]
    return [line.decode().strip() for line in lines_of(path.read_bytes(), list_format)]


def some(lines: list[str]) -> list[str]:
    """At most 200 of them, the same in every run."""
    return random.Random(1).sample(lines, min(OF_EACH_KIND, len(lines)))


@pytest.fixture(scope="module")
def compiled_gfwlist(tmp_path_factory: pytest.TempPathFactory) -> NameSet:
    list_format, path = FILES[0]
    out = tmp_path_factory.mktemp("gfwlist") / "compiled"
    compile_list(path, list_format, out)
    return open_list(path, list_format, out)


@pytest.mark.parametrize(("list_format", "path"), FILES, ids=[path.name for _, path in FILES])
def test_every_line_is_accounted_for(list_format: ListFormat, path: Path, tmp_path: Path) -> None:
    """Counted here once more, line by line and without the compiler."""
    report = compile_list(path, list_format, tmp_path / "out")
    parse = DIALECTS[list_format].parse
    lines = [line.decode("utf-8", "replace").strip() for line in lines_of(path.read_bytes(), list_format)]
    counted = Counter(_verdict(parse(line)) for line in lines)
    skipped = Counter(report.skipped)
    assert report.used + report.comments + report.unusable == report.lines == len(lines)
    used = report.used + skipped.pop(Reason.DISABLED, 0)  # which a line cannot know of itself
    expected: Counter[str] = Counter(used=used, comment=report.comments)
    expected.update({str(reason): count for reason, count in skipped.items()})
    assert counted == expected


def _verdict(parsed: list[Rule] | Reason | None) -> str:
    return "comment" if parsed is None else parsed if isinstance(parsed, Reason) else "used"


@pytest.mark.parametrize(("list_format", "path"), FILES, ids=[path.name for _, path in FILES])
def test_the_shortcut_says_what_the_parser_says(list_format: ListFormat, path: Path) -> None:
    dialect = DIALECTS[list_format]
    for line in lines_of(path.read_bytes(), list_format):
        found = dialect.plain.fullmatch(line)
        if found is not None:
            key = parse_name(found[1].decode())
            assert isinstance(key, bytes)
            assert dialect.parse(line.decode().strip()) == [Rule(key, dialect.reach)]


def check(line: str, must: list[str], must_not: list[str]) -> list[str]:
    """What is wrong with a line when it is a list by itself."""
    names = name_set(line, "autoproxy")
    return [f"{line}: {name} must be on it" for name in must if not is_listed(names, name)] + [
        f"{line}: {name} must not be on it" for name in must_not if is_listed(names, name)
    ]


def test_a_domain_stands_for_itself_and_all_below_it() -> None:
    """`||host` matches http, https and any subdomain; the border is the label's, on both ends."""
    lines = [line for line in gfwlist() if line.startswith("||") and not set(line) & set("*/")]
    wrong = []
    for line in some(lines):
        host = line.removeprefix("||")
        below = [f"www.{host}", f"a.b.{host}"]
        others = [f"evil{host}", f"evil-{host}", f"{host}.evil.test", host.partition(".")[2] or "test"]
        wrong += check(line, [host, *below], others)
    assert wrong == []


def test_a_start_of_an_address_stands_for_that_host_alone() -> None:
    """`|http://host` says where the address begins, so nothing stands before the host; a path is no name."""
    starts = {
        line: line.partition("://")[2].partition("/")
        for line in gfwlist()
        if line.startswith("|http") and "*" not in line and not line.rstrip("/")[-1].isdigit()
    }
    wrong = []
    for line in some(sorted(starts)):
        host, _, path = starts[line]
        parts = [part for part in path.split("/") if parse_name(part) and part.isascii() and "." not in part]
        wrong += check(
            line, [host], [f"www.{host}", f"evil{host}", f"{host}.evil.test", *filter(None, parts)]
        )
    assert wrong == []


def test_an_exception_lets_its_names_through(compiled_gfwlist: NameSet) -> None:
    """`@@||host`, wherever in the list it stands, and whatever other lines say of the host."""
    exceptions = [line for line in gfwlist() if line.startswith("@@||") and "/" not in line]
    assert exceptions
    for line in some(exceptions):
        host = line[4:].replace("*.", "a.")
        for name in (host, f"www.{host}"):
            match = lookup(compiled_gfwlist, name)
            assert match is not None
            assert match.is_exception, f"{line}: {name}"
        other = lookup(compiled_gfwlist, f"evil{line[4:].removeprefix('*.')}")
        assert other is None or gfwlist()[other.line - 1] != line


def test_a_wildcard_stands_for_any_characters_within_the_host() -> None:
    lines = [line for line in gfwlist() if line.startswith(("||", "|http")) and "*" in line.partition("/")[0]]
    assert lines
    for line in some(lines):
        host = line.strip("|").partition("://")[2].partition("/")[0] or line.strip("|").partition("/")[0]
        if host.startswith("*."):
            assert (
                check(line, [host.replace("*", "x"), host.replace("*", "x.y")], [host[2:], f"evil{host[2:]}"])
                == []
            )
        else:
            must = [host.replace("*", ""), host.replace("*", "1"), host.replace("*", "x.y")]
            assert (
                check(line, must, [f"evil{host.replace('*', '')}", host.partition("*")[2].lstrip(".")]) == []
            )


def test_a_plain_name_stands_for_itself_and_all_below_it() -> None:
    lines = [
        line
        for line in gfwlist()
        if line and line[0].isalnum() and "." in line and not set(line) & set("/*=")
    ]
    assert lines
    for line in some(lines):
        assert check(line, [line, f"a.{line}"], [f"evil{line}", f"{line}.evil.test"]) == []


def test_all_used_lines_are_found_in_the_whole_list(compiled_gfwlist: NameSet) -> None:
    """By the line itself, an earlier one for the same name, or one that comes before it in rank."""
    lines = gfwlist()
    for number, line in enumerate(lines, 1):
        if not line.startswith("||") or set(line) & set("*/"):
            continue
        match = lookup(compiled_gfwlist, line[2:])
        assert match is not None
        assert match.is_exception or match.line <= number
        assert match.is_exception or lines[match.line - 1] == line


def test_no_line_of_a_list_is_lost_at_a_word(compiled_gfwlist: NameSet) -> None:
    """The ancestor stopped reading at "Whitelist"."""
    lines = gfwlist()
    heading = next(number for number, line in enumerate(lines) if "Whitelist Start" in line)
    assert any(line.startswith("@@") for line in lines[heading:])
    assert compiled_gfwlist.report.exceptions >= sum(
        line.startswith("@@||") and "/" not in line for line in lines
    )


def test_the_files_are_the_ones_that_were_asked_for() -> None:
    assert [path for _, path in FILES if not path.is_file()] == []
