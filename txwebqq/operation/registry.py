"""
The Prometheus text format, by prometheus-client.

Only L{txwebqq.operation.service} imports this module, since the library is an extra.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Any

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from txwebqq.operation.metrics import Histogram, Metric, MetricKind, Source

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily


class SourceCollector(Collector):
    """
    Reads sources when it is asked for metrics.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources

    def describe(self) -> Iterable[Family]:
        """
        Return the metrics without values, so that the registry need not read the
        sources to know their names.
        """
        return [_family(each) for source in self._sources for each in source.metrics]

    def collect(self) -> Iterable[Family]:
        """
        Return the metrics with their present values.
        """
        families = {
            metric: _family(metric)
            for source in self._sources
            for metric in source.metrics
        }
        for source in self._sources:
            for metric, labels, value in source.samples():
                _add(families[metric], labels, value)
        return families.values()


class Metrics:
    """
    The metrics of sources, of the process and of Python's garbage collector.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        # Not the registry of the module, which other libraries write to as well.
        self._registry = registry = CollectorRegistry()
        registry.register(SourceCollector(sources))
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)

    def text(self) -> bytes:
        """
        Write the present values in the text format.
        """
        return generate_latest(self._registry)

    def values(self) -> dict[str, list[dict[str, Any]]]:
        """
        Return the present values: for each time series, by its name in the text
        format, C{labels} and C{value}, which is L{None} if it is no finite number.
        """
        found: dict[str, list[dict[str, Any]]] = {}
        for family in self._registry.collect():
            for sample in family.samples:
                value = float(sample.value)
                found.setdefault(sample.name, []).append(
                    {
                        "labels": sample.labels,
                        "value": value if isfinite(value) else None,
                    }
                )
        return found


def _family(metric: Metric) -> Family:
    name, about, labels = metric.name, metric.description, metric.labels
    match metric.kind:
        case MetricKind.COUNTER:
            return CounterMetricFamily(
                name.removesuffix("_total"), about, labels=labels
            )
        case MetricKind.GAUGE:
            return GaugeMetricFamily(name, about, labels=labels)
        case MetricKind.HISTOGRAM:
            return HistogramMetricFamily(name, about, labels=labels)


def _add(family: Family, labels: Sequence[str], value: float | Histogram) -> None:
    if isinstance(family, HistogramMetricFamily):
        assert isinstance(value, Histogram)
        family.add_metric(labels, value.buckets(), value.total)
    else:
        assert not isinstance(value, Histogram)
        family.add_metric(labels, value)
