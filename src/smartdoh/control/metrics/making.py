"""How a family of samples is made: what prometheus_client wants, from rows of labels and a value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from smartdoh.control.api.shapes_counts import Histogram

Row = tuple[Sequence[str], float]
"""The values of the labels, and of the sample."""


def counter(name: str, about: str, labels: Sequence[str], rows: Iterable[Row]) -> Metric:
    """What only grows; `name` without `_total`."""
    family = CounterMetricFamily(name, about, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family


def gauge(name: str, about: str, labels: Sequence[str], rows: Iterable[Row]) -> Metric:
    """What goes up and down."""
    family = GaugeMetricFamily(name, about, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family


def one_counter(name: str, about: str, value: float) -> Metric:
    """A counter without labels."""
    return counter(name, about, (), [((), value)])


def one_gauge(name: str, about: str, value: float) -> Metric:
    """A gauge without labels."""
    return gauge(name, about, (), [((), value)])


def histogram(
    name: str, about: str, labels: Sequence[str], rows: Iterable[tuple[Sequence[str], Histogram]]
) -> Metric:
    """Histograms in seconds."""
    family = HistogramMetricFamily(name, about, labels=labels)
    for values, found in rows:
        bounds = [*(repr(float(bound)) for bound in found["bounds"]), "+Inf"]
        buckets = list(zip(bounds, accumulate(found["counts"]), strict=True))
        family.add_metric(values, buckets, found["seconds"])
    return family
