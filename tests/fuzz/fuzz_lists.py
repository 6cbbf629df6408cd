"""Any file as a list in any format: every line accounted for, the shortcut means what the parser says, names match.

The first octet says which format, the rest is the file.
"""

from __future__ import annotations

import functools
import shutil
import tempfile
from pathlib import Path

from smartdoh.config.settings import ListFormat
from smartdoh.rules.lists import NameSet, compile_list, compiled_path, open_list
from smartdoh.rules.lists.dialects import DIALECTS
from smartdoh.rules.lists.gathering import LONGEST_LINE, Gathered
from smartdoh.rules.lists.keys import LONGEST_NAME, parse_name, text_of
from smartdoh.rules.lists.rule import Reach, Rule
from smartdoh.rules.lists.source import lines_of
from tests.fuzz.harnesses import run_file

FORMATS: tuple[ListFormat, ...] = tuple(DIALECTS)
SHARED_MEMORY = Path("/dev/shm")  # where to write is nothing to wait for


def check(data: bytes) -> None:
    """What holds for any list."""
    list_format = FORMATS[data[0] % len(FORMATS)] if data else "domains"
    content = data[1:]
    lines = lines_of(content, list_format)
    gathered = Gathered(DIALECTS[list_format])
    gathered.take(lines)
    used = gathered.lines - gathered.comments - gathered.skipped.total()
    assert used >= 0
    rules = [rule for line in lines for rule in _rules(list_format, line)]
    for rule in rules:
        _check_rule(list_format, rule)
    names = _compiled(list_format, content)
    assert (names.report.lines, names.report.used) == (len(lines), used)
    if gathered.exceptions or "badfilter" in content.decode("utf-8", "replace"):
        return
    for rule in rules:
        if rule.is_plain and rule.key:
            assert names.match_key(rule.key + (b"x." if rule.reach is Reach.BELOW else b"")) is not None


def _rules(list_format: ListFormat, line: bytes) -> list[Rule]:
    """What the parser says of a line, to which the shortcut has to agree."""
    dialect = DIALECTS[list_format]
    if len(line) > LONGEST_LINE:
        return []
    parsed = dialect.parse(line.decode("utf-8", "replace").strip())
    found = dialect.plain.fullmatch(line)
    if found is not None and len(found[1]) <= LONGEST_NAME:
        assert parsed == [Rule(found[1][::-1].lower() + b".", dialect.reach)]
    return parsed if isinstance(parsed, list) else []


def _check_rule(list_format: ListFormat, rule: Rule) -> None:
    if rule.key is None:
        assert rule.pattern is not None
    elif rule.key and list_format != "addresses":
        assert parse_name(text_of(rule.key).decode()) == rule.key


def _compiled(list_format: ListFormat, content: bytes) -> NameSet:
    file = _folder() / list_format
    file.write_bytes(content)
    compile_list(file, list_format, compiled_path(file))
    return open_list(file, list_format, compiled_path(file))


@functools.cache
def _folder() -> Path:
    import atexit  # noqa: PLC0415 - where nothing is checked nothing has to be removed

    place = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
    folder = Path(tempfile.mkdtemp(dir=place))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


if __name__ == "__main__":
    run_file(__file__)
