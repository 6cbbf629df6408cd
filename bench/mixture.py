"""The realistic mix: names that say how they are to be answered, and the questions drawn from them.

The first label is KIND NUMBER "-" DELAY "-" TTL: kind `m` has an answer and `x` does not exist, the upstream takes
DELAY milliseconds, and the answer lives for TTL seconds. `bench/mixed_upstream.c` reads it.
"""

import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from bench.names import zipf

NAMES = 100_000
DELAYS = (5, 80)  # ms, drawn evenly
TTLS = (5, 3_600)  # s, drawn evenly on a scale of logarithms
MISSING = 0.03  # of the questions are for names that do not exist
TYPES = {"A": 0.85, "AAAA": 0.075, "HTTPS": 0.075}  # shares of the questions
GOOD = frozenset({"NOERROR", "NXDOMAIN"})
LONG_TTL = 3_600


def name_of(kind: str, number: int, delay: int, ttl: int) -> str:
    return f"{kind}{number}-{delay}-{ttl}.mix.example.com"


def delay_of(name: str) -> float:
    """The seconds for which the upstream holds a question for this name."""
    return int(name.split("-", 2)[1]) / 1e3


@cache
def named(kind: str, number: int) -> str:
    """The name of a rank; its delay and TTL are drawn, and always the same."""
    chance = random.Random(f"{kind}{number}")
    low, high = TTLS
    ttl = round(low * (high / low) ** chance.random())
    return name_of(kind, number, chance.randint(*DELAYS), ttl)


def drawn(seed: int, count: int) -> Iterator[str]:
    """Lines for dnsperf: ranks by Zipf's law with exponent 1, kinds and types in their shares."""
    chance = random.Random(seed)
    ranks = chance.choices(range(NAMES), cum_weights=zipf(NAMES), k=count)
    qtypes = chance.choices([*TYPES], [*TYPES.values()], k=count)
    for rank, qtype in zip(ranks, qtypes, strict=True):
        kind = "x" if chance.random() < MISSING else "m"
        yield f"{named(kind, rank)} {qtype}\n"


def mixed(folder: Path, seed: int, count: int) -> Path:
    path = folder / f"mix-{seed}-{count}.txt"
    path.write_text("".join(drawn(seed, count)))
    return path


def lasting(folder: Path, count: int) -> Path:
    """Names whose answers outlive the measurement."""
    path = folder / "mix-lasting.txt"
    path.write_text("".join(f"{name_of('m', NAMES + n, DELAYS[0], LONG_TTL)} A\n" for n in range(count)))
    return path


def unseen(folder: Path, tag: int, count: int) -> Path:
    """Names that were never asked, with delays like the others'."""
    chance = random.Random(tag)
    start = (tag + 2) * 10_000_000
    path = folder / f"mix-unseen-{tag}.txt"
    path.write_text(
        "".join(f"{name_of('m', start + n, chance.randint(*DELAYS), LONG_TTL)} A\n" for n in range(count))
    )
    return path
