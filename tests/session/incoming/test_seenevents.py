"""
Events that were delivered before: by an earlier sign-on, and by an earlier process.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.rig import (
    LOGIN2,
    NO_EVENTS,
    POLL,
    CapturedLog,
    RecordedPolls,
    Rig,
    batch,
    envelope,
    message,
)
from txwebqq.errors import InvalidConfiguration
from txwebqq.interfaces import IEventHold
from txwebqq.model import (
    Code,
    Gid,
    Message,
    MessageRecalled,
    Number,
    Text,
    Typing,
    Uin,
)
from txwebqq.service import WebQQService
from txwebqq.session.incoming.seenevents import (
    MAX_LINES,
    REMEMBERED,
    SeenEvents,
    keyOf,
)

ME = Number(10001)
RECALL = MessageRecalled(
    Gid(1), Code(2), Number(3), Uin(4), Uin(4), 5, 100, ME, 13, 886023
)


def words(number: int, sender: int = 7) -> Message:
    """
    A message; its sender's uin is of one sign-on.
    """
    return Message(Uin(sender), ME, (Text("a"),), 100, number, number + 1000)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """
    A file that is not there yet.
    """
    return tmp_path / "seen"


def test_keys() -> None:
    """
    A key does not depend on the uins of one sign-on, and contains no text. Events
    without ids have none, nor have those that pass.
    """
    assert keyOf(words(1)) == keyOf(words(1, sender=8)) == "Message 1 1001 100"
    assert keyOf(RECALL) == "MessageRecalled 13 886023 100"
    assert keyOf(Message(Uin(7), ME, (), 1, 0, 0)) is None
    assert keyOf(Typing(Uin(7), ME, 5, 6)) is None


def test_file(file: Path) -> None:
    """
    The next process recognises what this one delivered. Only the user can read the
    file, which has a bounded length.
    """
    seen = SeenEvents(ME, file)
    for n in range(MAX_LINES + 50):
        assert not seen.isRepeated(words(n))
        seen.delivered(words(n))
    seen.close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_text().splitlines()) < MAX_LINES
    again = SeenEvents(ME, file)
    assert again.isRepeated(words(MAX_LINES + 49, sender=8))
    assert again.isRepeated(words(MAX_LINES - REMEMBERED // 2))
    assert not again.isRepeated(words(5))
    again.close()
    assert list(file.parent.iterdir()) == [file]


def test_held(file: Path) -> None:
    """
    Events that the application could not store come again in the next process, unless
    it has stored them in the end.
    """
    seen = SeenEvents(ME, file)
    seen.delivered(words(1))
    seen.confirmed()
    seen.delivered(words(2))
    seen.hold()
    seen.delivered(words(3))
    held = SeenEvents(ME, file)
    assert [held.isRepeated(words(n)) for n in (1, 2, 3)] == [True, False, False]
    held.close()
    seen = SeenEvents(ME, file)
    seen.hold()
    seen.delivered(words(2))
    seen.release()
    seen.close()
    later = SeenEvents(ME, file)
    assert [later.isRepeated(words(n)) for n in (1, 2, 3)] == [True, True, False]


@pytest.mark.parametrize("data", [b"", b"\0\xff\n", b"-\n--\n", b"x" * 9999, b"a b c"])
def test_damaged(file: Path, data: bytes) -> None:
    """
    Lines of another kind are ignored, as is the end of a line that was cut off.
    """
    file.write_bytes(data + b"\nMessage 1 1001 100\nMessage 2 10")
    seen = SeenEvents(ME, file)
    assert seen.isRepeated(words(1))
    assert not seen.isRepeated(words(2))


def test_unusable(tmp_path: Path) -> None:
    """
    A file that cannot be used is an error that names it.
    """
    with pytest.raises(InvalidConfiguration, match="none/seen"):
        SeenEvents(ME, tmp_path / "none" / "seen")
    with pytest.raises(InvalidConfiguration, match=str(tmp_path)):
        SeenEvents(ME, tmp_path)


def test_full(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    When the disk is full, that is logged once, and events are delivered.
    """
    seen = SeenEvents(ME, file)
    monkeypatch.setattr(os, "write", lambda file, data: len(data) - 1)
    with CapturedLog() as logged:
        seen.delivered(words(1))
        seen.delivered(words(2))
    assert len(logged.events) == 1
    assert f"cannot be written to {file} (account 10001): the disk is full" in (
        logged.text
    )


# In a session.


class FileRig(Rig):
    """
    A rig whose services remember what was delivered.
    """

    def process(self, file: Path | None) -> WebQQService[object]:
        """
        Start a service as another process would.
        """
        self.service = WebQQService(
            self.alice.account,
            self.factory,
            self.web.client(),
            self.web.clock,
            backoff=lambda n: 2.0,
            seenFile=file,
        )
        self.service.startService()
        self.web.settle()
        return self.service

    def kill(self) -> None:
        """
        Drop the service without a sign-off.
        """
        driver = self.service._driver
        assert driver._channel is not None
        driver._closeChannel()
        self.web.settle()


Processes = Callable[[Path | None], list[str]]


@pytest.fixture
def files() -> FileRig:
    """
    One at a server that numbers replies.
    """
    return FileRig()


@pytest.mark.parametrize("isKept", [True, False])
def test_nextProcess(files: FileRig, file: Path, isKept: bool) -> None:
    """
    A process that was killed before it acknowledged a reply is followed by one that is
    given the reply again, and drops what was delivered, if there is a file.
    """
    path = file if isKept else None
    recall = envelope(RECALL)
    first = batch(message(2, 6, "b"), message(1, 5, "a"), recall, ack=7)
    files.server.replies[POLL] = [first]
    files.process(path)
    files.kill()
    messages = [message(3, 7, "c"), message(2, 6, "b"), message(1, 5, "a")]
    again = batch(*messages, recall, ack=7)
    polls = RecordedPolls(again, NO_EVENTS)
    files.server.replies[POLL] = [polls] * 3
    service = files.process(path)
    heard = files.protocol.log[2:]
    assert heard == (["c"] if isKept else ["a", "b", "c"])
    assert [poll.ack for poll in polls.polls] == [0, 7, 7]
    assert service.signOns.incoming.repeated == (3 if isKept else 0)


def test_held_inSession(files: FileRig, file: Path) -> None:
    """
    An event that was held comes again in the next process.
    """
    files.factory.onMessage = lambda message: files.protocol.transport.holdEvents()
    files.server.replies[POLL] = [batch(message(1, 5, "a"), ack=7)]
    files.process(file)
    files.kill()
    files.factory.onMessage = lambda message: None
    files.server.replies[POLL] = [batch(message(1, 5, "a"), ack=7)]
    files.process(file)
    assert files.protocol.log[2:] == ["a"]


@pytest.mark.parametrize("isInCallback", [True, False])
@pytest.mark.parametrize("end", ["delivered", "notDelivered", None])
def test_eventHeld_inSession(
    files: FileRig, file: Path, end: str | None, isInCallback: bool
) -> None:
    """
    An event that was held comes again in the next process, unless it was delivered,
    and without the other events of its reply.
    """
    holds: list[IEventHold] = []

    def heard(message: Message) -> None:
        if message.text == "a":
            holds.append(files.protocol.transport.holdEvent())
            if end and isInCallback:
                getattr(holds[0], end)()

    files.factory.onMessage = heard
    reply = batch(message(2, 6, "b"), message(1, 5, "a"), ack=7)
    files.server.replies[POLL] = [reply]
    files.process(file)
    if end and not isInCallback:
        getattr(holds[0], end)()
    files.kill()
    files.factory.onMessage = lambda message: None
    files.server.replies[POLL] = [reply]
    files.process(file)
    assert files.protocol.log[2:] == ([] if end == "delivered" else ["a"])


def test_nextSignOn(rig: Rig) -> None:
    """
    Servers that do not number their replies may give the last one again in the next
    session, with other uins: what was delivered is dropped, without a file.
    """
    rig.server.replies[LOGIN2] = []
    reply = batch(message(1, 5, "a"))
    other = reply.replace(b"2963008411", b"2417766001")
    rig.polls(reply, b'{"retcode":103,"errmsg":""}', b'{"retcode":103,"errmsg":""}')
    rig.server.replies[POLL] += [other, batch(message(2, 6, "b"))]
    rig.web.settle(10)
    assert rig.factory.logs[0] == ["made", "on", "a", "SessionExpired"]
    assert rig.factory.logs[1] == ["made", "on", "b"]
