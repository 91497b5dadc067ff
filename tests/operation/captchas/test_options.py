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
from txwebqq.operation.captchas.folder import INTERVAL
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


def test_reload(tmp_path: Path) -> None:
    """
    Captchas come to another folder after a reload; a folder that is added or removed
    needs a restart.
    """
    first, second = tmp_path / "first", tmp_path / "second"
    for each in (first, second):
        each.mkdir()
    clock = Clock()
    ways = CaptchaWays(first, None, clock)
    number = Number(10001)
    earlier = ways.ways[0].ask(number, b"one")
    shown = ways.ways
    assert ways.reload(second, "irc") == {"irc.captcha-folder": False}
    later = shown[0].ask(number, b"two")
    (first / "10001.txt").write_text("abcd\n", encoding="utf-8")
    (second / "10001.txt").write_text("efgh\n", encoding="utf-8")
    answers: list[str] = []
    for answer in (earlier, later):
        answer.addCallback(answers.append)
    clock.advance(INTERVAL)
    assert answers == ["abcd", "efgh"]
    assert ways.reload(None, "irc") == {}
    assert CaptchaWays(None, None, clock).reload(first, "irc") == {}
