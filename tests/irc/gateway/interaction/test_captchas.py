"""
Captchas of the accounts of a gateway user.
"""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from tests.irc.memorygateway import Client, MemoryGateway
from txwebqq.errors import CaptchaUnsolved

JPEG = b"\xff\xd8\xff and more"


def ask(gateway: MemoryGateway, number: int) -> Deferred[str]:
    """
    Show a captcha of one of Alice's accounts.
    """
    answer: Any = gateway.aliceUser.captchas.ask(number, JPEG)
    assert isinstance(answer, Deferred)
    return answer


def notices(client: Client, command: str) -> str:
    """
    Return the replies to a command of the bot.
    """
    client.transport.clear()
    return client.send(f"PRIVMSG *qq :{command}")


def test_byNumber(gateway: MemoryGateway) -> None:
    """
    The captcha of an account is answered by the account's number, or that which has
    waited longest.
    """
    client = gateway.client()
    answers = [ask(gateway, number) for number in (10001, 10002, 10003)]
    assert "Answer with: captcha 10002 TEXT" in client.seen
    assert "for 10002 was passed on" in notices(client, "captcha 10002 two")
    assert "for 10001 was passed on" in notices(client, "captcha one")
    assert "no captcha to answer" in notices(client, "captcha 10002 again")
    assert "for 10003 was passed on" in notices(client, "captcha 10003 999")
    texts: list[str] = []
    for answer in answers:
        answer.addCallback(texts.append)
    assert texts == ["one", "two", "999"]


@pytest.mark.parametrize("command", ["captcha", "captcha x y"])
def test_usage(gateway: MemoryGateway, command: str) -> None:
    """
    A command without a text, or with a word in place of the number, answers nothing.
    """
    client = gateway.client()
    answer = ask(gateway, 10001)
    assert "captcha [NUMBER] TEXT" in notices(client, command)
    assert not answer.called


def test_withdrawn(gateway: MemoryGateway) -> None:
    """
    The user is told when the captcha was answered in another way.
    """
    client = gateway.client()
    answer = ask(gateway, 10001)
    failures: list[Failure] = []
    answer.addErrback(failures.append)
    client.transport.clear()
    answer.cancel()
    assert "The captcha for 10001 needs no answer any more" in client.seen
    assert failures[0].check(CancelledError)
    assert "no captcha to answer" in notices(client, "captcha x")


def test_noLinks(gateway: MemoryGateway) -> None:
    """
    Without links to pictures the captcha cannot be shown, which the user is told, and
    where captchas can be answered.
    """
    client = gateway.client()
    gateway.aliceUser._links = None
    failures: list[Failure] = []
    ask(gateway, 10001).addErrback(failures.append)
    assert failures[0].check(CaptchaUnsolved)
    assert "cannot be shown here without pictures-listen" in client.seen
    assert "To answer captchas, configure captcha-folder" in client.seen
