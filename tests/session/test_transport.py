"""
The transport of one sign-on.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.python.failure import Failure
from twisted.web.server import NOT_DONE_YET
from zope.interface.verify import verifyObject

from tests.rig import (
    HTML,
    POLL,
    SEND,
    CallbackLog,
    Reply,
    Rig,
    disconnect,
    truncate,
)
from txwebqq.errors import (
    Intercepted,
    MalformedReply,
    MessageTooLong,
    NotSignedOn,
    RequestRefused,
    SessionExpired,
    Unreachable,
    WebQQError,
)
from txwebqq.interfaces import IWebQQTransport
from txwebqq.model import Status, Uin
from txwebqq.net.bodies import FileUpload
from txwebqq.wire.commands.offlinefiles import UploadOfflinePic
from txwebqq.wire.form import Ticket


def test_interface() -> None:
    """
    The transport of a protocol provides L{IWebQQTransport}.
    """
    rig = Rig()
    rig.start()
    assert verifyObject(IWebQQTransport, rig.protocol.transport)
    rig.finish()


def test_oldNames() -> None:
    """
    The former names of setStatus and friendListHash do the same.
    """
    rig = Rig()
    rig.start()
    transport = rig.protocol.transport
    rig.web.result(transport.appear(Status.AWAY))
    assert transport.status is Status.AWAY
    ticket = Ticket()
    assert transport.listHash(ticket) == transport.friendListHash(ticket)
    rig.finish()


def test_uploadTooEarly(tmp_path: Path) -> None:
    """
    A file that is to be sent without a session is closed.
    """
    path = tmp_path / "picture.png"
    path.write_bytes(b"\x89PNG")
    rig = Rig()
    rig.start()
    transport = rig.protocol.transport
    rig.web.result(rig.service.signOff())
    source = FileUpload(path)
    sent = transport.send(lambda ticket: UploadOfflinePic(ticket, Uin(5)), source)
    with pytest.raises(NotSignedOn):
        rig.web.result(sent)
    with pytest.raises(ValueError, match="closed"):
        next(source.chunks())
    rig.finish()


def test_setStatusBySending(rig: Rig) -> None:
    """
    A status that the server refuses is not stored.
    """
    rig.start()
    rig.server.replies["/channel/change_status2"] = [b'{"retcode":108,"errmsg":""}']
    with pytest.raises(SessionExpired):
        rig.web.result(rig.protocol.setStatus(Status.BUSY))
    seen = [rig.protocol.status]
    rig.web.result(rig.protocol.setStatus(Status.AWAY))
    seen.append(rig.protocol.status)
    assert seen == [Status.ONLINE, Status.AWAY]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b'{"retcode":123,"errmsg":""}', MessageTooLong),
        (b'{"retcode":99,"errmsg":"no"}', RequestRefused),
        (b'{"retcode":108,"errmsg":""}', SessionExpired),
        (b'{"retcode":121,"t":"0"}', SessionExpired),
        (HTML, Intercepted),
        (b"{", MalformedReply),
        (b"", MalformedReply),
        (502, Unreachable),
        (disconnect, Unreachable),
        (truncate, Unreachable),
    ],
)
def test_sendFails(rig: Rig, answer: Reply, kind: type[WebQQError]) -> None:
    """
    A send that fails has the right error, is not repeated, and does not end the
    session.
    """
    rig.start()
    uin = next(iter(rig.protocol.buddies))
    rig.server.replies[SEND] = [answer]
    with pytest.raises(kind):
        rig.web.result(rig.protocol.sendMessage(uin, "hm"))
    assert rig.server.requests.count(SEND) == 1
    rig.web.result(rig.protocol.sendMessage(uin, "hm"))
    rig.web.settle(60)
    assert rig.factory.logs == [["made", "on"]]


def test_sendUnanswered(rig: Rig) -> None:
    """
    A send without a reply fails after half a minute.
    """
    rig.start()
    rig.server.replies[SEND] = [NOT_DONE_YET]
    sent = rig.protocol.sendMessage(next(iter(rig.protocol.buddies)), "hm")
    rig.web.settle(31)
    with pytest.raises(Unreachable, match="30 s"):
        rig.web.result(sent)
    assert rig.server.disconnected == [SEND]


def test_heldInOrder(rig: Rig) -> None:
    """
    Messages that are sent during a rejoin go out after it in their order, but
    for the cancelled ones.
    """
    rig.polls(b'{"retcode":121,"t":"5"}')
    uin = next(iter(rig.protocol.buddies))
    sends = [rig.protocol.sendMessage(uin, text) for text in ("one", "two", "three")]
    sends[1].addErrback(lambda failure: None)
    sends[1].cancel()
    rig.web.settle(3)
    assert rig.server.requests.count(SEND) == 0
    rig.web.settle(5)
    rig.bob.run()
    rig.web.settle()
    assert rig.bob.heard == ["one", "three"]
    rig.bob.stop()


def test_sendTooEarly(rig: Rig) -> None:
    """
    A send before signedOn fails.
    """
    sent: list[Failure] = []

    class Eager(CallbackLog):
        def connectionMade(self) -> None:
            super().connectionMade()
            self.sendMessage(Uin(5), "hi").addErrback(sent.append)

    rig.factory.protocol = Eager
    rig.start()
    assert [failure.type for failure in sent] == [NotSignedOn]
    assert rig.protocol.log == ["made", "on"]


def test_statusHeld(rig: Rig) -> None:
    """
    A status that is set during a rejoin is set after it.
    """
    rig.polls(b'{"retcode":121,"t":"5"}')
    changed = rig.protocol.setStatus("away")
    rig.web.settle(8)
    rig.web.result(changed)
    uin = rig.bob.uinOf(rig.alice)
    assert rig.bob.protocol.buddies[uin].status is Status.AWAY
    rig.bob.stop()


def test_statusAfterExpiry(rig: Rig) -> None:
    """
    The status is kept in the next sign-on.
    """
    rig.start()
    rig.web.result(rig.protocol.setStatus(Status.BUSY))
    rig.server.replies[POLL] = [b'{"retcode":100,"errmsg":""}'] * 2
    rig.web.settle(70)
    assert len(rig.factory.protocols) == 2
    assert rig.protocol.status is Status.BUSY
    uin = rig.bob.uinOf(rig.alice)
    assert rig.bob.protocol.buddies[uin].status is Status.BUSY
    rig.bob.stop()
