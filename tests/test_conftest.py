"""
The log and the databases that L{conftest <tests.conftest>} watches.
"""

from __future__ import annotations

from pathlib import Path

import pytest

OPENED = """
import sqlite3

import pytest

from txwebqq.server.storage.store import Store

def test_left(tmp_path):
    sqlite3.connect(tmp_path / "q.db")

def test_leftStore(tmp_path):
    Store(tmp_path / "q.db")

def test_closed(tmp_path):
    Store(tmp_path / "q.db").close()

@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "q.db")
    yield store
    store.close()

def test_closedAfterwards(store):
    pass

def test_memory():
    Store()
"""

INNER = """
import pytest
from twisted.internet.defer import fail
from twisted.logger import Logger
from twisted.python import log
from twisted.trial.unittest import SynchronousTestCase

def burn():
    try:
        raise RuntimeError("burnt")
    except RuntimeError:
        Logger().failure("Cooking failed.")

def test_silent():
    Logger().critical("Nothing failed.")

def test_logged():
    burn()

def test_loggedTheOldWay():
    log.err("no failure at hand")

def test_unheard():
    fail(RuntimeError("unheard"))

def test_flushed(flushLoggedErrors):
    burn()
    [failure] = flushLoggedErrors(RuntimeError)
    assert str(failure.value) == "burnt"
    assert flushLoggedErrors() == []

def test_flushedAnother(flushLoggedErrors):
    burn()
    assert flushLoggedErrors(ValueError) == []

class Case(SynchronousTestCase):
    def test_trialLogged(self):
        burn()

    def test_trialFlushed(self):
        burn()
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

@pytest.fixture(scope="module")
def late():
    yield
    burn()

def test_late(late):
    pass
"""


def test_loggedFailures(pytester: pytest.Pytester) -> None:
    """
    A failure in the log fails its test, unless the test flushed it; trial
    judges its own test cases, and a failure after the last test fails the run.
    """
    here = Path(__file__).with_name("conftest.py")
    pytester.makeconftest(here.read_text("utf-8"))
    pytester.makepyfile(INNER)
    result = pytester.runpytest_subprocess("-v", "-p", "no:cacheprovider")
    # Fixtures report at teardown: what passed as a test is an error after it.
    result.assert_outcomes(passed=8, failed=1, errors=5)
    result.stdout.fnmatch_lines_random(
        [
            "*::test_logged ERROR*",
            "*::test_loggedTheOldWay ERROR*",
            "*::test_unheard ERROR*",
            "*::test_flushedAnother ERROR*",
            "*::test_trialLogged FAILED*",
            "*::test_late ERROR*",
            "Cooking failed.",
        ]
    )
    result.stdout.no_fnmatch_line("*::test_silent ERROR*")
    result.stdout.no_fnmatch_line("*::test_flushed ERROR*")


def test_openDatabases(pytester: pytest.Pytester) -> None:
    """
    A database file that a test leaves open fails it; one in memory closes itself,
    and a fixture may close its own after the test.
    """
    here = Path(__file__).with_name("conftest.py")
    pytester.makeconftest(here.read_text("utf-8"))
    pytester.makepyfile(OPENED)
    result = pytester.runpytest_subprocess("-v", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=5, errors=2)
    result.stdout.fnmatch_lines_random(
        ["*::test_left ERROR*", "*::test_leftStore ERROR*", "databases left open: 1"]
    )
