"""
Pictures in the durable queue, of an account at our server.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest
from twisted.internet.defer import CancelledError

from tests.outbox.test_queue import SEND_GROUP, TOO_FAST, Scene, delivered, reasonOf
from tests.rig import SEND, disconnect
from txwebqq.errors import QueueFull, RequestRefused
from txwebqq.model import (
    Failed,
    Number,
    PictureBytes,
    QueuedMessage,
    QueuePolicy,
    Text,
    ToDiscussion,
    ToFriend,
    ToGroup,
    ToStranger,
)
from txwebqq.server.storage.store import Store

UPLOAD = "/ftn_access/upload_offline_pic"
UPLOAD_GROUP = "/cgi-bin/cface_upload"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 3
CAT = PictureBytes(PNG, "cat.png")
TOO_LARGE = b"<script>parent.EQQ.Model.ChatMsg.callback({'ret':3,'msg':''});</script>"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """
    Make a process with a queue, at a server that recognises messages that are sent
    again; Bob is online.
    """
    store = Store(tmp_path / "server.db")
    scene = Scene(tmp_path, store)
    scene.bob.run()
    yield scene
    scene.finish()
    store.close()


def pictures(scene: Scene) -> list[bytes]:
    """
    Fetch the pictures of the messages that Bob has received.
    """
    found = []
    for event in scene.bob.events:
        for each in getattr(event, "content", ()):
            if not isinstance(each, Text):
                fetched = scene.bob.protocol.fetchPicture(cast(Any, event), each)
                found.append(scene.web.result(fetched))
    return found


def stored(scene: Scene) -> list[int]:
    """
    Return the sizes of the pictures in the file of the queue.
    """
    with closing(sqlite3.connect(scene.file)) as db:
        return [size for (size,) in db.execute("SELECT length(data) FROM picture")]


def test_restart(scene: Scene) -> None:
    """
    Pictures for friends, groups and discussions are sent by another process, in order,
    and their bytes are deleted with the messages.
    """
    did = scene.web.discussion("d", scene.alice, scene.bob, scene.carol)
    for to in (ToFriend(scene.bob.number), ToGroup(scene.cats), ToDiscussion(did)):
        scene.sendTo(to, ["before ", CAT, " between ", CAT])
        scene.sendTo(to, "after")
    assert stored(scene) == [len(PNG)] * 3
    scene.kill()
    scene.start()
    scene.web.settle(5)
    assert len(scene.told) == 6
    assert all(delivered([outcome]) for _, outcome in scene.told)
    assert scene.told[0][0].content == (Text("before "), CAT, Text(" between "), CAT)
    assert sorted(scene.bob.heard) == ["after"] * 3 + ["before  between "] * 3
    assert pictures(scene) == [PNG] * 6
    assert stored(scene) == []
    assert scene.server.requests.count(UPLOAD) == 1


@pytest.mark.parametrize("isGroup", [False, True])
def test_newSession(scene: Scene, isGroup: bool) -> None:
    """
    A picture is uploaded again when the session has ended between upload and send, but
    not when the same session sends the message again.
    """
    to = ToGroup(scene.cats) if isGroup else ToFriend(scene.bob.number)
    upload, send = (UPLOAD_GROUP, SEND_GROUP) if isGroup else (UPLOAD, SEND)
    scene.start()
    scene.replies(TOO_FAST, TOO_FAST, path=send)
    outcomes = scene.sendTo(to, [CAT])
    later = scene.sendTo(to, "later")
    scene.web.settle(6)
    assert scene.server.requests.count(send) == 2
    assert scene.server.requests.count(upload) == 1
    scene.web.result(scene.service.signOff())
    scene.service.signOn()
    scene.web.settle(60)
    assert delivered(outcomes)
    assert delivered(later)
    assert scene.server.requests.count(upload) == 2
    assert pictures(scene) == [PNG]
    assert scene.bob.heard == ["", "later"]


def test_lostAnswers(scene: Scene) -> None:
    """
    After a lost answer of the upload it is repeated; after one of the message, which
    was delivered, the message is not sent again, and no part of it twice.
    """

    def processed(request: Any) -> Any:
        scene.web.server.render(request)
        return disconnect(request)

    scene.start()
    scene.replies(disconnect, path=UPLOAD)
    scene.replies(processed)
    text = "a" * 14_900
    outcomes = scene.sendTo(ToFriend(scene.bob.number), [text, CAT, "b"])
    scene.web.settle(100)
    assert delivered(outcomes)
    assert "".join(scene.bob.heard) == text + "b"
    assert len(scene.bob.heard) == 2
    assert pictures(scene) == [PNG]
    assert stored(scene) == []


@pytest.mark.parametrize("isKeyed", [False, True])
def test_refused(scene: Scene, isKeyed: bool) -> None:
    """
    A picture that the server refuses for good fails the message, its bytes are deleted,
    and the next message is sent.
    """
    scene.start()
    group = ToGroup(scene.cats)
    broken = PictureBytes(b"no picture")
    outcomes = scene.sendTo(group, ["x", broken], key="k" if isKeyed else "")
    reason = reasonOf(outcomes, Failed)
    assert isinstance(reason, RequestRefused)
    assert "not a jpg" in str(reason)
    scene.replies(TOO_LARGE, path=UPLOAD_GROUP)
    reason = reasonOf(scene.sendTo(group, [CAT]), Failed)
    assert "too large" in str(reason)
    assert delivered(scene.sendTo(group, "next"))
    assert scene.bob.heard == ["next"]
    assert stored(scene) == []


def test_bounds(scene: Scene) -> None:
    """
    Pictures that wait have a number of bytes in all, and no more; those of a message
    that is withdrawn do not count.
    """
    scene.policy = QueuePolicy(pictures=1000)
    scene.kill()
    bob = ToFriend(scene.bob.number)
    first = scene.queue.send(bob, [PictureBytes(b"x" * 600)])
    with pytest.raises(QueueFull, match=r"of 600 bytes wait; 401 more .* 1000 bytes"):
        scene.web.result(scene.queue.send(bob, [PictureBytes(b"y" * 401)]))
    with pytest.raises(ValueError, match="have 1001 bytes, where 1000 are allowed"):
        scene.web.result(scene.queue.send(bob, [PictureBytes(b"y" * 1001)]))
    scene.queue.send(bob, [PictureBytes(b"y" * 400)])
    scene.queue.send(bob, "text")
    assert scene.queue.counts() == {bob: 3}
    first.addErrback(lambda failure: failure.trap(CancelledError) and None).cancel()
    assert stored(scene) == [400]
    scene.queue.send(bob, [PictureBytes(b"z" * 600)])


@pytest.mark.parametrize(
    ("picture", "error", "text"),
    [
        (PictureBytes(cast(Any, "cat.png")), TypeError, "is str, not bytes"),
        (PictureBytes(PNG, cast(Any, None)), TypeError, "is NoneType, not str"),
        (PictureBytes(b""), ValueError, "without bytes"),
        (PictureBytes(PNG, "x" * 101), ValueError, "more than 100 characters"),
    ],
)
def test_unsendable(
    scene: Scene, picture: PictureBytes, error: type[Exception], text: str
) -> None:
    """
    A picture that can never be sent fails at once, and is not in the queue.
    """
    with pytest.raises(error, match=text):
        scene.web.result(scene.queue.send(ToGroup(scene.cats), [picture]))
    assert scene.queue.counts() == {}


def test_onlyQueue(scene: Scene) -> None:
    """
    Temporary chats, and sends beside the queue, take no bytes; C{repr} leaves them out.
    """
    to = ToStranger(Number(1), ToGroup(scene.cats))
    with pytest.raises(ValueError, match="temporary chat"):
        scene.web.result(scene.queue.send(to, [CAT]))
    scene.start()
    protocol = scene.web.result(scene.service.whenSignedOn())
    sent = protocol.sendGroupMessage(cast(Any, 1), cast(Any, [CAT]))
    with pytest.raises(TypeError, match="PictureBytes is not a segment"):
        scene.web.result(sent)
    message = QueuedMessage(ToFriend(Number(1)), (CAT,), 0.0)
    assert "PNG" not in repr(message)
