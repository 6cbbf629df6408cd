"""The lists of questions that dnsperf reads."""

import random
from collections.abc import Iterable, Iterator
from itertools import accumulate
from pathlib import Path

REPEATED_NAMES = 1_000
DRAWS = 1_000_000  # questions after which a skewed list begins again


def _write(path: Path, names: Iterable[str], qtype: str = "A") -> Path:
    path.write_text("".join(f"{name} {qtype}\n" for name in names))
    return path


def _repeated(count: int) -> Iterator[str]:
    return (f"h{number}.repeated.example.com" for number in range(count))


def repeated(folder: Path, count: int = REPEATED_NAMES) -> Path:
    """The names of the hits, each once."""
    return _write(folder / f"hits-{count}.txt", _repeated(count))


def shuffled(folder: Path, count: int) -> Path:
    """The same in no order: each is asked equally often, and never soon after its neighbour in the first list."""
    path = folder / f"shuffled-{count}.txt"
    if not path.exists():
        names = list(_repeated(count))
        random.Random(count).shuffle(names)
        _write(path, names)
    return path


def skewed(folder: Path, count: int) -> Path:
    """Drawn from the same, the n-th of them 1/n times as often as the first: Zipf's law with exponent 1."""
    path = folder / f"zipf-{count}.txt"
    if not path.exists():
        _write(path, random.Random(count).choices(list(_repeated(count)), cum_weights=zipf(count), k=DRAWS))
    return path


def zipf(count: int, exponent: float = 1.0) -> list[float]:
    """The cumulated weights of `count` ranks, for random.choices."""
    return list(accumulate(1 / rank**exponent for rank in range(1, count + 1)))


def fresh(folder: Path, tag: str, count: int) -> Path:
    """`count` names that differ from each other and from those of every other tag."""
    return _write(folder / f"fresh-{tag}.txt", (f"{tag}-{n}.fresh.example.com" for n in range(count)))
