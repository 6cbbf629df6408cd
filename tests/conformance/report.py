"""The table of results: every row, smartdoh and its peers beside each other."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.conformance.checks import Result
from tests.conformance.rows import Row

DOCUMENT = Path(__file__).parents[2] / "docs" / "conformance.md"
MARK = {"pass": "pass", "fail": "**fail**", "n.a.": "–"}

MUST, SHOULD = ("M",), ("S", "M/S", "S/M")

Results = Mapping[str, Mapping[str, Result]]
"""By server, then by the row's key."""

OPENING = """\
# Conformance

What the RFCs ask of a caching forwarder, and what smartdoh and four other servers do, asked from outside over a
socket with a scripted upstream behind them. **M** is a MUST or needed for safety, **S** SHOULD, **M/S** some of each,
**P** what a product needs, **-** nothing that a forwarder does. A *–* in a server's column: the row has nothing to say
about it, or it has no such setting. Every server has the options on that the row is about, where it has them; each runs
under libfaketime, so that hours pass in no time. dnsdist and dnss ask the upstream over DoH, unbound and dnsmasq over
UDP and TCP: rows about DoH are not for them.

`make conformance` runs it against smartdoh, both builds; `python -m tests.conformance --peers --write` makes this page;
`python -m tests.conformance --host H --port P` asks any server. `--help` says the rest.
"""


def render(rows: Sequence[Row], results: Results, versions: Mapping[str, str]) -> str:
    """The whole document."""
    servers = list(results)
    parts = [OPENING, _summary(rows, results, versions), _exceptions(rows)]
    for table in dict.fromkeys(row.table for row in rows):
        parts.append(f"## {table.replace('-', ' ').capitalize()}\n")
        parts.append("| row | asked | source | | " + " | ".join(servers) + " |")
        parts.append("| --- | --- | --- | --- |" + " --- |" * len(servers))
        parts += [_line(row, results) for row in rows if row.table == table]
        parts.append("")
    parts.append(_failures(rows, results))
    return "\n".join(parts).rstrip() + "\n"


def _line(row: Row, results: Results) -> str:
    cells = [MARK[results[server][row.key].verdict] for server in results]
    return f"| `{row.key}` | {row.behaviour} | {row.source} | {row.level} | " + " | ".join(cells) + " |"


def _summary(rows: Sequence[Row], results: Results, versions: Mapping[str, str]) -> str:
    lines = [
        "| server | version | M rows passed | of | S, M/S passed | of |",
        "| --- | --- | --: | --: | --: | --: |",
    ]
    for server, found in results.items():
        counts = []
        for levels in MUST, SHOULD:
            own = [row for row in rows if row.level in levels and found[row.key].verdict != "n.a."]
            counts += [sum(found[row.key].verdict == "pass" for row in own), len(own)]
        cells = " | ".join(map(str, counts))
        lines.append(f"| {server} | {versions.get(server, '')} | {cells} |")
    return "\n".join(lines) + "\n"


def _exceptions(rows: Sequence[Row]) -> str:
    argued = [row for row in rows if row.exception]
    if not argued:
        return ""
    lines = ["## Where smartdoh does otherwise\n", *(f"- `{row.key}`: {row.exception}" for row in argued)]
    return "\n".join(lines) + "\n"


def _failures(rows: Sequence[Row], results: Results) -> str:
    lines = ["## What failed\n", "As the checks found it: the check and what it saw.\n"]
    for server, found in results.items():
        wrong = [(row, found[row.key]) for row in rows if found[row.key].verdict == "fail"]
        lines.append(f"### {server}\n")
        lines += [f"- `{row.key}`: {_escaped('; '.join(result.details))}" for row, result in wrong] or [
            "Nothing."
        ]
        lines.append("")
    return "\n".join(lines)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
