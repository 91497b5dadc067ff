"""
The distribution of the tests to the processes that run them.

The tests of real programs mostly wait: while some processes wait with them, others
need the processor for quick tests. So they are spread over the first part of the run,
and none of them is at its end, where the other processes would have nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

PAGE = "tests/page/"
"""The folder of the tests in a browser, which each process starts that runs them."""

TOGETHER = ("tests/project/test_packaging.py",)
"""Other modules whose tests share a costly fixture."""

SLOW = (
    "tests/ledger/",
    "tests/project/test_benchmarks.py",
    "tests/project/test_typed.py",
    "tests/test_service.py::test_anyAnswers",
    *TOGETHER,
)
"""Beginnings of the ids of slow tests, beside C{test_end_to_end}."""

_QUICK_AT_END = 0.3
"""The part of the quick tests that come after all slow ones."""

_UNITS = 2000
"""The number of units of quick tests, when there are more tests."""


def isSlow(nodeid: str) -> bool:
    """
    Tell if a test takes long, of which most is waiting.
    """
    return "test_end_to_end" in nodeid or nodeid.startswith(SLOW)


def shared(nodeid: str) -> str:
    """
    Return the name of the unit of a test that shares a costly fixture, or C{""}.
    """
    file = nodeid.partition("::")[0]
    if file.startswith(PAGE):
        # Each has about half of the tests.
        return "browser" if file == f"{PAGE}test_browser.py" else "page"
    return file if file in TOGETHER else ""


def units(nodeids: Sequence[str]) -> dict[str, str]:
    """
    Return the unit of each test: the tests of a unit are run by one process, in a row.
    """
    size = max(1, len(nodeids) // _UNITS)
    return {
        nodeid: shared(nodeid)
        or (nodeid if isSlow(nodeid) else f"quick {position // size}")
        for position, nodeid in enumerate(nodeids)
    }


def spread(tests: Sequence[T], key: Callable[[T], str]) -> list[T]:
    """
    Put tests in the order in which they are begun: those in a browser first, since
    each half of them takes a process for minutes, then the slow ones between the
    quick.

    @param key: called with a test for its id.
    """
    ordered = [test for test in tests if key(test).startswith(PAGE)]
    others = [test for test in tests if not key(test).startswith(PAGE)]
    slow = [test for test in others if isSlow(key(test))]
    quick = [test for test in others if not isSlow(key(test))]
    between = int(len(quick) * (1 - _QUICK_AT_END)) // max(1, len(slow))
    for test in slow:
        ordered.append(test)
        ordered += quick[:between]
        del quick[:between]
    return ordered + quick
