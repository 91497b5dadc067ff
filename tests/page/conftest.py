"""
The browser of the tests of the chat page.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.irc.programs import program

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.page.browser import PageServer


_HERE = Path(__file__).parent

_started: list[Browser] = []
"""The browser, once there is one, and what ends it."""
_stop = ExitStack()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Iterator[None]:
    """
    End the browser when the next test is another folder's: its event loop is that of
    the process, which others need.
    """
    try:
        return (yield)
    finally:
        if nextitem is None or _HERE not in nextitem.path.parents:
            _started.clear()
            _stop.close()


def pytest_sessionfinish() -> None:
    """
    End the browser also after a failure that ends the run.
    """
    _stop.close()


@pytest.fixture(scope="module")
def browser() -> Browser:
    """
    Chromium of the system, without a window, in which all hosts of C{.test} are this
    machine. All tests in a row use one, each with profiles of its own.
    """
    if not _started:
        chromium = program("chromium")
        from playwright.sync_api import sync_playwright

        playwright = _stop.enter_context(sync_playwright())
        # Chromium refuses to run with its sandbox as root.
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--host-resolver-rules=MAP *.test 127.0.0.1"],
        )
        _stop.callback(browser.close)
        _started.append(browser)
    return _started[0]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    """
    A server that all tests of a module use, each with accounts or texts of its own.
    """
    from tests.page.browser import PageServer

    folder = tmp_path_factory.mktemp("page")
    with PageServer(folder, "--database", "p.db") as server:
        yield server
