"""Sizes: `"500MiB"`, `"1GiB"`, `"1.5TiB"` to octets."""

from __future__ import annotations

import re

OCTETS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}  # IEC 80000-13

_FORM = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,3}))?(KiB|MiB|GiB|TiB)")


def parse_size(text: str) -> int:
    """Octets; a number of at most three decimals with its unit. Raises ValueError for anything else."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError("is not a size")
    whole, fraction, unit = match.groups()
    thousandths = int(whole) * 1000 + int((fraction or "").ljust(3, "0"))
    return thousandths * OCTETS[unit] // 1000
