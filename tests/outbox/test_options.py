"""
The options of the queue, and the queue of a daemon.
"""

from __future__ import annotations

from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.testing import MemoryReactorClock
from twisted.python.usage import UsageError

from txwebqq.accounts import OneBotAccess, WebQQAccess, makeAccount
from txwebqq.errors import InvalidConfiguration, NotQueued
from txwebqq.model import Account, Number, QueuePolicy
from txwebqq.outbox.options import QueueOptions, QueueSettings
from txwebqq.protocol import WebQQFactory


def parse(*arguments: str) -> QueueSettings | None:
    options = QueueOptions()
    options.parseOptions(list(arguments))
    return options.readQueue()


def test_none() -> None:
    """
    Without the option there is no queue.
    """
    assert parse() is None


def test_policy() -> None:
    """
    The options set the limits and the pace.
    """
    settings = parse("--queue=q.db", "--queue-limit=5", "--queue-hours=2")
    assert settings is not None
    assert settings.file == Path("q.db").absolute()
    assert settings.policy == QueuePolicy(5, 50, 7200.0, 20, 0.25)
    settings = parse("--queue=q.db", "--queue-rate=6")
    assert settings is not None
    assert (settings.policy.burst, settings.policy.seconds) == (6, 10.0)
    assert parse("--queue=q.db") == QueueSettings(
        Path("q.db").absolute(), QueuePolicy()
    )


@pytest.mark.parametrize(
    "option", ["--queue-limit=0", "--queue-hours=x", "--queue-rate=1.5"]
)
def test_invalid(option: str) -> None:
    """
    An option that is invalid is named.
    """
    name = option.partition("=")[0]
    with pytest.raises(UsageError, match=f"^{name} is not from 1 to "):
        parse("--queue=q.db", option)


def test_pace() -> None:
    """
    An account of today's QQ keeps its own pace.
    """
    settings = QueueSettings(Path("q.db"))
    assert settings.paced(WebQQAccess()) == settings
    access = OneBotAccess("ws://127.0.0.1:1", burst=2, seconds=3.0)
    policy = settings.paced(access).policy
    assert (policy.burst, policy.seconds) == (2, 3.0)


def test_application(tmp_path: Path) -> None:
    """
    The application is given the queue, and is told outcomes if it wants to be.
    """
    reactor: Any = MemoryReactorClock()
    account = Account(Number(10001), "x")
    factory = WebQQFactory()
    with pytest.raises(NotQueued, match="twistd webqq --queue FILE"):
        attrgetter("queue")(factory)
    service = makeAccount(account, WebQQAccess(), factory, reactor)
    queue = QueueSettings(tmp_path / "q.db").addTo(service, factory)
    given: Any = factory.queue
    assert given is queue
    assert queue._settled == factory.messageSettled
    assert queue.parent is service
    queue.stopService()


def test_unusable(tmp_path: Path) -> None:
    """
    The option and the file are named when the file cannot be used.
    """
    reactor: Any = MemoryReactorClock()
    account = Account(Number(10001), "x")
    factory = WebQQFactory()
    service = makeAccount(account, WebQQAccess(), factory, reactor)
    file = tmp_path / "none" / "q.db"
    with pytest.raises(InvalidConfiguration, match=f"^--queue {file}: No such file"):
        QueueSettings(file).addTo(service, factory)
