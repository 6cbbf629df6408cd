"""The table of results: every row, smartdoh and its peers beside each other."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.conformance.checks import Result
from tests.conformance.results import Run
from tests.conformance.rows import Row

DOCUMENT = Path(__file__).parents[2] / "docs" / "conformance.md"
MARK = {"pass": "pass", "fail": "**fail**", "n.a.": "–"}

MUST, SHOULD = ("M",), ("S", "M/S", "S/M")

NEVER = Result("n.a.", ("never asked",))
Runs = Mapping[str, Run]
"""By server."""

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


def render(rows: Sequence[Row], runs: Runs) -> str:
    """The whole document."""
    servers = list(runs)
    parts = [OPENING, _summary(rows, runs), _exceptions(rows)]
    for table in dict.fromkeys(row.table for row in rows):
        parts.append(f"## {table.replace('-', ' ').capitalize()}\n")
        parts.append("| row | asked | source | | " + " | ".join(servers) + " |")
        parts.append("| --- | --- | --- | --- |" + " --- |" * len(servers))
        parts += [_line(row, runs) for row in rows if row.table == table]
        parts.append("")
    parts.append(_failures(rows, runs))
    return "\n".join(parts).rstrip() + "\n"


def _result(run: Run, row: Row) -> Result:
    return run.rows.get(row.key, NEVER)


def _line(row: Row, runs: Runs) -> str:
    cells = [MARK[_result(run, row).verdict] for run in runs.values()]
    return f"| `{row.key}` | {row.behaviour} | {row.source} | {row.level} | " + " | ".join(cells) + " |"


def _summary(rows: Sequence[Row], runs: Runs) -> str:
    lines = [
        "| server | version | M rows passed | of | S, M/S passed | of |",
        "| --- | --- | --: | --: | --: | --: |",
    ]
    for server, run in runs.items():
        counts = []
        for levels in MUST, SHOULD:
            own = [row for row in rows if row.level in levels and _result(run, row).verdict != "n.a."]
            counts += [sum(_result(run, row).verdict == "pass" for row in own), len(own)]
        cells = " | ".join(map(str, counts))
        lines.append(f"| {server} | {run.version} | {cells} |")
    return "\n".join(lines) + "\n"


def _exceptions(rows: Sequence[Row]) -> str:
    said = [(row, row.exception or row.note) for row in rows]
    lines = [f"- `{row.key}`: {text}." for row, text in said if text]
    heading = "## What is to be said of smartdoh's"
    return "\n".join([f"{heading}\n", *lines]) + "\n" if lines else ""


def _failures(rows: Sequence[Row], runs: Runs) -> str:
    lines = ["## What failed\n", "As the checks found it: the check and what it saw.\n"]
    for server, run in runs.items():
        wrong = [(row, _result(run, row)) for row in rows if _result(run, row).verdict == "fail"]
        lines.append(f"### {server}\n")
        lines += [f"- `{row.key}`: {_escaped('; '.join(result.details))}" for row, result in wrong] or [
            "Nothing."
        ]
        lines.append("")
    return "\n".join(lines)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
