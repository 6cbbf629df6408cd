"""Numbers as people read them: few digits, and the unit that fits."""

from __future__ import annotations

from datetime import UTC, datetime

_SIZES = ("B", "KiB", "MiB", "GiB", "TiB")
_STEP = 1024
_PLAIN = 10_000  # below it every digit is shown
_PRECISE = 10  # below it there is a decimal


def count(number: float) -> str:
    """`9,812`, `12.4 k`, `3.1 M`."""
    if number < _PLAIN:
        return f"{number:,.0f}"
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number:,.0f}"


def rate(number: float) -> str:
    """Something a second: `0.4`, `12`, `5,012`."""
    return f"{number:.1f}" if 0 < number < _PRECISE else count(number)


def share(part: float) -> str:
    """Of 0 to 1: `93.4%`."""
    return f"{100 * part:.1f}%"


def ms(number: float | None) -> str:
    """Milliseconds: `0.4 ms`, `23 ms`, `1.2 s`; a dash for what is not known."""
    if number is None:
        return "–"
    if number >= 1000:  # noqa: PLR2004 - a second
        return f"{number / 1000:.1f} s"
    return f"{number:.1f} ms" if number < _PRECISE else f"{number:.0f} ms"


def octets(number: float) -> str:
    """`512 B`, `3.4 MiB`."""
    for unit in _SIZES:
        if number < _STEP or unit == _SIZES[-1]:
            break
        number /= _STEP
    return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"


def seconds(number: float) -> str:
    """A stretch of time in its two largest units: `41 s`, `3 min 5 s`, `2 d 4 h`."""
    left = int(number)
    found: list[tuple[int, str]] = []
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        whole, left = divmod(left, size)
        if whole or found or size == 1:
            found.append((whole, unit))
    return " ".join(f"{whole} {unit}" for whole, unit in found[:2] if whole or len(found) == 1)


def at(epoch: float) -> str:
    """The time as RFC 3339 has it."""
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
