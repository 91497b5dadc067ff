"""
The ways of a daemon to show captchas, and the advice that names them.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from tests.irc.memoryrelay import MemoryRelay
from tests.rig import CapturedLog
from txwebqq.irc.relay.account import RelayAccount
from txwebqq.model import Number
from txwebqq.operation.captchas.options import NO_WAY, CaptchaWays
from txwebqq.operation.settings import OperationSettings

PAGE = OperationSettings("tcp:9100:interface=127.0.0.1")


@pytest.mark.parametrize(
    ("hasFolder", "operation", "advice"),
    [
        (True, None, "Answer it in the folder of captcha-folder."),
        (False, PAGE, "Answer it at the page /captcha of operate."),
        (
            True,
            PAGE,
            (
                "Answer it in the folder of captcha-folder or at the page /captcha of"
                " operate."
            ),
        ),
        (False, None, NO_WAY),
    ],
)
def test_advice(
    tmp_path: Path, hasFolder: bool, operation: OperationSettings | None, advice: str
) -> None:
    """
    The advice names the ways that are configured, or what to configure.
    """
    ways = CaptchaWays(tmp_path if hasFolder else None, operation, Clock())
    assert ways.advice == advice


def test_relay() -> None:
    """
    The relay's log has the advice for a captcha.
    """
    relay = MemoryRelay()
    account = RelayAccount(
        Number(10001), relay.clock, relay.outbox, captchaAdvice="Answer it there."
    )
    with CapturedLog() as log:
        answer = account.captchaRequired(account.qq, b"")
    assert isinstance(answer, Deferred)
    answer.addErrback(lambda failure: None)
    assert "cannot show. Answer it there." in log.text
