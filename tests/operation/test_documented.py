"""
The page of operators, and the dashboard, name the metrics that there are.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from txwebqq.irc.statistics import GatewaySource, RelaySource
from txwebqq.model import AccountState
from txwebqq.operation.accounts import WatchedAccounts
from txwebqq.operation.lag import LagMeter
from txwebqq.operation.metrics import Metric, MetricKind
from txwebqq.operation.process import ProcessSource
from txwebqq.operation.queues import WatchedQueues
from txwebqq.operation.service import VersionSource
from txwebqq.server.fleet.statistics import FleetStatistics
from txwebqq.server.statistics import ServerStatistics

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
DASHBOARD = json.loads((ROOT / "examples/grafana.json").read_text(encoding="utf-8"))

SOURCES = (
    FleetStatistics,
    GatewaySource,
    LagMeter,
    ProcessSource,
    RelaySource,
    ServerStatistics,
    VersionSource,
    WatchedAccounts,
    WatchedQueues,
)
METRICS: list[Metric] = [each for source in SOURCES for each in source.metrics]

PROCESS = {
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
}

_ROW = re.compile(r"^\| `(txwebqq_\w+)` \| (\w+) \|([^|]*)\| ([^|]+) \|$", re.M)
_NAME = re.compile(r"\b(?:txwebqq|process|python)_\w+")


def series() -> set[str]:
    """
    Return the names of all time series.
    """
    names = set(PROCESS)
    for metric in METRICS:
        if metric.kind is MetricKind.HISTOGRAM:
            names.update(f"{metric.name}_{end}" for end in ("bucket", "sum", "count"))
        else:
            names.add(metric.name)
    return names


def test_table() -> None:
    """
    The table has each metric once, with its type and its labels.
    """
    rows = [
        (name, kind, tuple(re.findall(r"`(\w+)`", labels)))
        for name, kind, labels, _ in _ROW.findall(PAGE)
    ]
    known = [(each.name, each.kind.value, each.labels) for each in METRICS]
    assert sorted(rows) == sorted(known)


def test_names() -> None:
    """
    Names follow the rules of Prometheus: counters and only they end with C{_total},
    and the others with a unit that is none of a counter.
    """
    for metric in METRICS:
        isCounter = metric.kind is MetricKind.COUNTER
        assert metric.name.endswith("_total") is isCounter
        assert metric.name.startswith("txwebqq_")
        assert metric.description.endswith(".")


def test_states() -> None:
    """
    All states of an account are explained.
    """
    section = PAGE.partition("## Readiness")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \|$", section, re.M)
    assert rows == [state.value for state in AccountState]


def test_examples() -> None:
    """
    The queries that are shown name time series that there are.
    """
    section = PAGE.partition("## Prometheus")[2]
    assert set(_NAME.findall(section)) <= series()


def queries(value: Any) -> list[str]:
    """
    Return all queries of a dashboard.
    """
    if isinstance(value, list):
        return [query for each in value for query in queries(each)]
    if not isinstance(value, dict):
        return []
    own = [value[key] for key in ("expr", "query") if isinstance(value.get(key), str)]
    return own + [query for each in value.values() for query in queries(each)]


def test_dashboard() -> None:
    """
    The dashboard shows all metrics, and no others; its panels do not overlap.
    """
    found = {name for query in queries(DASHBOARD) for name in _NAME.findall(query)}
    assert found <= series()
    shown = {re.sub("_(bucket|sum|count)$", "", name) for name in found}
    assert {metric.name for metric in METRICS} <= shown
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y)
        for panel in panels
        for x in range(panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["h"])
    ]
    assert len(set(cells)) == len(cells)
