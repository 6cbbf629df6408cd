"""From families to text, a part at a time: the loop that answers questions waits for none longer than for a part."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder

SAMPLES = 64  # lines made at a time: some tenths of a millisecond
END = b"# EOF\n"  # of OpenMetrics, after all families

Encode = Callable[["_One"], bytes]


class _One:
    """A registry with one family."""

    def __init__(self, family: Metric) -> None:
        self._family = family

    def collect(self) -> Iterable[Metric]:
        """As a registry's."""
        return (self._family,)


def warm_up() -> None:
    """Do once what takes long the first time."""
    for accept in ("", "application/openmetrics-text; version=1.0.0"):
        choose_encoder(accept)[0](_One(GaugeMetricFamily("smartdoh_workers", "", 1.0)))


async def expose(families: Iterable[Metric], accept: str) -> tuple[bytes, str]:
    """The text in the form that `accept`, a header, wants, and that form's media type."""
    try:
        encode, media_type = choose_encoder(accept)
    except (TypeError, ValueError):  # a version that is none
        encode, media_type = choose_encoder("")
    parts = [part async for part in _parts(families, encode)]
    if "openmetrics" in media_type:
        parts.append(END)
    return b"".join(parts), media_type


async def _parts(families: Iterable[Metric], encode: Encode) -> AsyncIterator[bytes]:
    for family in families:
        is_first = True
        for part in _divided(family):
            text = encode(_One(part)).removesuffix(END)
            yield text if is_first else _without_head(text)
            is_first = False
            await asyncio.sleep(0)


def _divided(family: Metric) -> Iterator[Metric]:
    """The family in parts of so many samples; all of it is one where it has no more."""
    samples = family.samples
    for start in range(0, max(1, len(samples)), SAMPLES):
        part = Metric(family.name, family.documentation, family.type, family.unit)
        part.samples = samples[start : start + SAMPLES]
        yield part


def _without_head(text: bytes) -> bytes:
    """The samples alone; the head was said before."""
    return b"".join(line for line in text.splitlines(keepends=True) if not line.startswith(b"#"))
