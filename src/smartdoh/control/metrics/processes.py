"""The figures of processes, under the names that Prometheus' client libraries have for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from prometheus_client import GC_COLLECTOR, PLATFORM_COLLECTOR, ProcessCollector
from prometheus_client.core import CounterMetricFamily, Metric

from smartdoh.control.metrics.making import counter
from smartdoh.control.metrics.shares import Share


def of_processes(shares: Sequence[Share]) -> Iterator[Metric]:
    """Each family once, with a sample for each process; where there are several they are told apart by `worker`.

    Reads /proc.
    """
    found: dict[str, Metric] = {}
    for share in shares:
        for family in ProcessCollector(pid=partial(str, share["pid"]), registry=None).collect():
            labels = {"worker": str(share["worker"])} if len(shares) > 1 else {}
            known = found.setdefault(family.name, _empty(family))
            for sample in family.samples:
                known.add_sample(sample.name, labels, sample.value)
    yield from found.values()
    if len(shares) > 1:
        yield counter(
            "smartdoh_worker_restarts",
            "How often a worker has ended and was started again.",
            ("worker",),
            [((str(share["worker"]),), share["restarts"]) for share in shares],
        )
    yield from PLATFORM_COLLECTOR.collect()
    yield from GC_COLLECTOR.collect()


def _empty(family: Metric) -> Metric:
    if isinstance(family, CounterMetricFamily):
        return CounterMetricFamily(family.name, family.documentation)
    return Metric(family.name, family.documentation, family.type)
