"""
The browser of the tests of the chat page.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.irc.programs import program

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.page.browser import PageServer


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """
    Chromium of the system, without a window, in which all hosts of C{.test} are this
    machine.
    """
    chromium = program("chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Chromium refuses to run with its sandbox as root.
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--host-resolver-rules=MAP *.test 127.0.0.1"],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    """
    A server that all tests of a module use, each with accounts or texts of its own.
    """
    from tests.page.browser import PageServer

    folder = tmp_path_factory.mktemp("page")
    with PageServer(folder, "--database", "p.db") as server:
        yield server
