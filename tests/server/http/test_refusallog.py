"""
The lines about refused requests.
"""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, Logger, formatEvent
from zope.interface import implementer

from txwebqq.server.http.refusallog import RefusalLog


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (b"/health", "/health"),
        (b"/v3/" + b"5ec4e7" * 32, "/v3/..."),
        (b"/a\n\xe9", r"'/a\n\xe9'"),
        (b"/long" * 100, "/long" * 20),
    ],
)
def test_path(path: bytes, shown: str) -> None:
    """
    A path stays on its line, is cut, and lacks what may be a secret.
    """
    lines: list[str] = []

    @implementer(ILogObserver)
    def observe(event: LogEvent) -> None:
        lines.append(formatEvent(event))

    log = RefusalLog(Logger(observer=observe), Clock().seconds)
    log.refused(path, "10.0.0.9", "no such path")
    assert lines == [f"Refused a request of {shown} from 10.0.0.9: no such path."]
