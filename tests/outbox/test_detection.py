"""
Detection of messages that are sent again, at servers that know it and at others.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.defer import Deferred

from tests.rig import HTML, PROBE, Reply, Rig
from txwebqq.errors import RequestRefused, WebQQError
from txwebqq.model import Sent
from txwebqq.outbox.detection import REPEATABLE, SentDetection
from txwebqq.server.storage.store import Store
from txwebqq.testing import MemoryWebQQ

SENT = "/channel/get_sent2"


@pytest.fixture
def online(rig: Rig) -> Rig:
    rig.start()
    rig.web.settle(10)
    return rig


def isKnown(rig: Rig, detection: SentDetection) -> bool:
    return rig.web.result(Deferred.fromCoroutine(detection.isKnown()))


@pytest.mark.parametrize("reply", [HTML, 404, 500, b"", b'{"retcode":100000}'])
def test_otherServer(online: Rig, reply: Reply) -> None:
    """
    A server that answers other requests, and this one with no answer to it, does not
    recognise messages; it is asked once.
    """
    online.server.replies[SENT] = [reply]
    detection = SentDetection(online.protocol)
    assert not isKnown(online, detection)
    assert not isKnown(online, detection)
    assert online.server.requests.count(SENT) == 1


def test_noServer(online: Rig) -> None:
    """
    While there is no server, nothing is known.
    """
    online.server.replies[SENT] = [HTML]
    online.server.replies[PROBE] = [HTML]
    detection = SentDetection(online.protocol)
    with pytest.raises(WebQQError):
        isKnown(online, detection)
    assert not isKnown(online, detection)


def test_find(tmp_path: Path) -> None:
    """
    A message that the server cannot tell of is one without an id, or an old one.
    """
    store = Store(tmp_path / "server.db")
    web = MemoryWebQQ(store=store)
    [alice] = web.friends("Alice")
    alice.run()
    detection = SentDetection(alice.protocol)

    def find(sendId: str, age: float) -> Sent | None:
        return web.result(Deferred.fromCoroutine(detection.find(sendId, age)))

    assert web.result(Deferred.fromCoroutine(detection.isKnown()))
    assert find("x", 0.0) is None
    for sendId, age in (("", 0.0), ("x", REPEATABLE)):
        with pytest.raises(RequestRefused):
            find(sendId, age)
    alice.stop()
    web.stop()
    store.close()
