"""Prints what differs, and why or that it is not explained: `python -m tests.differential [COUNT [SEED]]`."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

from tests.differential.compare import EXPLAINED, Difference, divided, explanations
from tests.differential.exchange import ask_both
from tests.differential.questions import questions
from tests.differential.servers import both
from tests.servers.certificates import Authority

COUNT, SEED = 10_000, 1
SHOWN = 3  # questions of each kind of difference


def main() -> int:
    """Ask, compare, print; 1 where something is not explained."""
    count, seed = [*map(int, sys.argv[1:]), *(COUNT, SEED)[len(sys.argv) - 1 :]]
    asked = list(questions(count, seed))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with both(home, Authority(home / "authority")) as ports:
            answers = ask_both(*ports, asked)
    told, strange = divided(asked, answers, explanations(EXPLAINED.read_text("utf-8")))
    for why, number in Counter(one.why for one in told).items():
        print(f"{number:6,}  {why}")
    kinds: dict[tuple[str, str, str], list[Difference]] = defaultdict(list)
    for difference in strange:
        kinds[difference.part, difference.ours, difference.theirs].append(difference)
    for (part, here, there), some in sorted(kinds.items(), key=lambda item: -len(item[1])):
        print(f"{len(some):6,}  NOT EXPLAINED: {part}: {here} here, {there} there")
        for difference in some[:SHOWN]:
            print(f"            {difference.asked}")
    return 1 if strange else 0


if __name__ == "__main__":
    sys.exit(main())
