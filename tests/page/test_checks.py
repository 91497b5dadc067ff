"""
The checks that all tests in a browser share.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.page.browser import PageServer, users

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def test_failureIsSeen(browser: Browser, server: PageServer, tmp_path: Path) -> None:
    """
    A test that fails keeps a picture of the screen, and says where; one in which the
    policy of the page was violated fails.
    """
    failing = pytest.raises(AssertionError, match="on purpose")
    with failing as failed, users(browser, server, tmp_path) as (alice,):
        alice.page.goto(server.url)
        raise AssertionError("on purpose")
    picture = (tmp_path / "screen-0.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert str(tmp_path) in "".join(failed.value.__notes__)
    violating = pytest.raises(AssertionError, match="Content Security Policy")
    with violating, users(browser, server, tmp_path) as (alice,):
        alice.page.goto(server.url)
        with alice.page.expect_console_message():
            alice.page.evaluate("new Image().src = 'http://evil.test/'")
