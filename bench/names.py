"""The lists of questions that dnsperf reads."""

from pathlib import Path

REPEATED_NAMES = 1_000


def _write(path: Path, names: list[str]) -> Path:
    path.write_text("".join(f"{name} A\n" for name in names))
    return path


def repeated(folder: Path) -> Path:
    """The names of the hits: few enough that every server keeps all of them."""
    return _write(folder / "hits.txt", [f"h{n}.repeated.example.com" for n in range(REPEATED_NAMES)])


def fresh(folder: Path, tag: str, count: int) -> Path:
    """`count` names that differ from each other and from those of every other tag."""
    return _write(folder / f"fresh-{tag}.txt", [f"{tag}-{n}.fresh.example.com" for n in range(count)])
