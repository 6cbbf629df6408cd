"""Lists of names: five ways to write them, one compiled form, and the question whether a name is on one."""

from __future__ import annotations

from smartdoh.rules.lists.compiler import compile_list
from smartdoh.rules.lists.file import NotUsable
from smartdoh.rules.lists.keys import key_of
from smartdoh.rules.lists.match import Match
from smartdoh.rules.lists.nameset import NameSet, compiled_path, open_list
from smartdoh.rules.lists.report import Report, Skipped
from smartdoh.rules.lists.rule import MEANINGS, Reason
from smartdoh.rules.lists.source import line_text

__all__ = [
    "MEANINGS",
    "Match",
    "NameSet",
    "NotUsable",
    "Reason",
    "Report",
    "Skipped",
    "compile_list",
    "compiled_path",
    "key_of",
    "line_text",
    "open_list",
]
