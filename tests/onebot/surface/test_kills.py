"""
Bots of a process that is killed: no event is lost, and none comes twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
from twisted.internet import error
from twisted.internet.defer import fail
from twisted.web.server import NOT_DONE_YET

from tests.onebot.surface.bots import PostedTreq, RecordingSocket
from tests.rig import ScriptedServer
from txwebqq.errors import SessionExpired
from txwebqq.onebot.surface.account import SurfaceAccount
from txwebqq.onebot.surface.config import PostSettings
from txwebqq.onebot.surface.connection import BotConnection
from txwebqq.onebot.surface.handover import MAX_ANSWER_TIME, MAX_POST_TIME
from txwebqq.onebot.surface.httppost import STOP_TIME, EventPoster
from txwebqq.onebot.surface.pictures import PictureLoader
from txwebqq.onebot.surface.protocol import SurfaceFactory
from txwebqq.onebot.websocket import WebSocket
from txwebqq.service import WebQQService
from txwebqq.sessionfile import SessionFile
from txwebqq.testing import MemoryTreq, MemoryWebQQ

NUMBERS = "/api/get_friend_uin2"


class WatchedSocket(RecordingSocket):
    """
    Calls a function after each message of a user.
    """

    def __init__(self, heard: Callable[[], None]) -> None:
        super().__init__()
        self._heard = heard

    def sendText(self, text: str) -> None:
        super().sendText(text)
        if self.sent[-1]["post_type"] == "message":
            self._heard()

    @property
    def texts(self) -> list[str]:
        return [e["raw_message"] for e in self.sent if e["post_type"] == "message"]


class Processes:
    """
    Processes of C{webqq-onebot} with the account of Alice, one after the other.

    @ivar files: those of the session, and of the events that were seen.
    @ivar onMessage: called when the bot was given a message.
    """

    def __init__(self, folder: Path) -> None:
        self.web = MemoryWebQQ()
        self.alice, self.bob = self.web.friends("Alice", "Bob")
        self.carol = self.web.person("Carol")
        self.web.group("cats", self.bob, self.alice, self.carol)
        self.server = ScriptedServer(self.web)
        self.web.treq = MemoryTreq(self.server)
        self._request = self.web.treq.request
        self.files = [folder / "session", folder / "seen"]
        self.onMessage: Callable[[], None] = lambda: None
        self.bob.run()
        self.carol.run()
        self.web.settle()

    def start(self, hasSocket: bool = True, isPosting: bool = False) -> WatchedSocket:
        """
        Start a process, to which a bot connects, which posts events, or both.
        """
        clock = self.web.clock
        self.account = SurfaceAccount(self.alice.number, clock, PictureLoader(clock))
        account, [session, seen] = self.alice.account, self.files
        self.service = WebQQService(
            account,
            SurfaceFactory(self.account),
            self.web.client(),
            clock,
            backoff=lambda n: 2.0,
            keeper=SessionFile(session, account, "ours", clock.seconds),
            seenFile=seen,
        )
        self.poster: EventPoster | None = None
        self.posted = PostedTreq()
        if isPosting:
            settings = PostSettings("http://bot.test/")
            self.poster = EventPoster(self.account, settings, self.posted)
            self.poster.startService()
            self.web.settle()
            self.posted.answer()
        socket = WatchedSocket(lambda: self.onMessage())
        if hasSocket:
            connection = BotConnection(self.account, "in memory", heartbeat=0.0)
            connection.opened(cast(WebSocket, socket))
        self.service.startService()
        self.web.settle(3)
        return socket

    def cutOff(self) -> None:
        """
        Let no further request of the process reach the server.
        """
        refused = error.ConnectionRefusedError
        self.web.treq.request = lambda *args, **more: fail(refused())

    def copyFiles(self) -> None:
        """
        Remember the files as they are now.
        """
        self._copies = [f.read_bytes() if f.exists() else b"" for f in self.files]

    def kill(self) -> None:
        """
        Kill the process. Its files are those that were remembered.
        """
        self.cutOff()
        self.end(STOP_TIME)
        self.web.treq.request = self._request
        self.onMessage = lambda: None
        for file, data in zip(self.files, self._copies, strict=True):
            file.write_bytes(data)

    def end(self, seconds: float) -> None:
        """
        End the process as by SIGTERM, which takes at most a number of seconds.
        """
        stopped = [self.service.stopService()]
        if self.poster is not None:
            stopped.append(self.poster.stopService())
        self.web.settle(seconds)
        for each in stopped:
            self.web.result(each)
        self.account.handover.stop()

    def stop(self) -> None:
        self.end(STOP_TIME)
        self.bob.stop()
        self.carol.stop()
        self.web.stop()
        assert self.web.clock.getDelayedCalls() == []


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    found = Processes(tmp_path)
    yield found
    found.stop()


def test_lookingUp(processes: Processes) -> None:
    """
    A message is told by the next process, when this one is killed while it fetches the
    number of the sender; the polls before do not acknowledge it.
    """
    first = processes.start()
    processes.server.replies[NUMBERS] = [NOT_DONE_YET] * 20
    processes.carol.tellGroup("cats", "hello")
    processes.web.settle(5)
    assert first.texts == []
    processes.copyFiles()
    processes.kill()
    processes.server.replies[NUMBERS] = []
    assert processes.start().texts == ["hello"]


def test_once(processes: Processes) -> None:
    """
    A message that a bot was given is not told again, although the poll that would
    acknowledge it did not reach the server.
    """
    first = processes.start()
    processes.onMessage = processes.cutOff
    processes.bob.tell(processes.alice, "hello")
    processes.web.settle(5)
    processes.copyFiles()
    processes.kill()
    assert first.texts == ["hello"]
    second = processes.start()
    processes.bob.tell(processes.alice, "again")
    processes.web.settle(1)
    assert second.texts == ["again"]


def test_notWritten(processes: Processes) -> None:
    """
    A message is told again when the process is killed before the reactor can have
    written it to the socket.
    """
    first = processes.start()

    def die() -> None:
        processes.cutOff()
        # Once the callback has returned.
        processes.web.clock.callLater(0, processes.copyFiles)

    processes.onMessage = die
    processes.bob.tell(processes.alice, "hello")
    processes.web.settle(5)
    processes.kill()
    assert first.texts == ["hello"]
    assert processes.start().texts == ["hello"]


def test_notPosted(processes: Processes) -> None:
    """
    A message waits at the server for the answer of a bot, and is told again after a
    kill before that.
    """
    first = processes.start(isPosting=True)
    processes.bob.tell(processes.alice, "one")
    processes.web.settle(MAX_ANSWER_TIME - 1)
    processes.copyFiles()
    processes.kill()
    assert first.texts == ["one"]
    assert processes.start().texts == ["one"]


def test_silentBot(processes: Processes) -> None:
    """
    A bot that does not answer delays others only for seconds.
    """
    first = processes.start(isPosting=True)
    processes.bob.tell(processes.alice, "one")
    processes.web.settle(1)
    processes.bob.tell(processes.alice, "two")
    processes.web.settle(MAX_ANSWER_TIME)
    assert first.texts == ["one", "two"]
    assert len(processes.posted.waiting) == 1


def tellTwo(processes: Processes) -> None:
    """
    Send two messages that come in one reply to the next process.
    """
    processes.start()
    processes.end(0)
    processes.carol.tellGroup("cats", "one")
    processes.bob.tellGroup("cats", "two")
    processes.web.settle()


def holdTwo(processes: Processes) -> WatchedSocket:
    """
    Start a process that was given two messages in one reply, while the number of the
    first one's sender is being fetched.
    """
    tellTwo(processes)
    processes.server.replies[NUMBERS] = [NOT_DONE_YET] * 20
    socket = processes.start()
    processes.web.settle(5)
    assert socket.texts == []
    return socket


def messagesOf(*sockets: WatchedSocket) -> list[tuple[int, str]]:
    """
    Return the sender and the text of each message that bots were given.
    """
    return [
        (event["user_id"], event["raw_message"])
        for socket in sockets
        for event in socket.sent
        if event["post_type"] == "message"
    ]


def test_stoppedLookingUp(processes: Processes) -> None:
    """
    A message whose sender is not known when the process stops, and those behind it, are
    told by the next process, with their senders.
    """
    first = holdTwo(processes)
    processes.end(5)
    processes.server.replies[NUMBERS] = []
    second = processes.start()
    processes.web.settle(5)
    assert first.texts == []
    carol, bob = processes.carol.number, processes.bob.number
    assert messagesOf(second) == [(carol, "one"), (bob, "two")]


def test_expiredLookingUp(processes: Processes) -> None:
    """
    They are told after the next sign-on, when the session ends.
    """
    first = holdTwo(processes)
    processes.service._driver._machine.invalidated(SessionExpired("gone", 103))
    processes.server.replies[NUMBERS] = []
    processes.web.settle(100)
    carol, bob = processes.carol.number, processes.bob.number
    assert messagesOf(first) == [(carol, "one"), (bob, "two")]


def postTwo(processes: Processes, hasSocket: bool = False) -> WatchedSocket:
    """
    Start a process that was given two messages in one reply, and posts the first to a
    bot which does not answer.
    """
    tellTwo(processes)
    socket = processes.start(hasSocket, isPosting=True)
    assert postedTexts(processes) == ["one"]
    return socket


def postedTexts(processes: Processes) -> list[str]:
    """
    Return the texts of the messages that were posted by the last process.
    """
    events = [event for event, *_ in processes.posted.posted]
    return [e["raw_message"] for e in events if e["post_type"] == "message"]


@pytest.mark.parametrize("isRefused", [True, False])
def test_stoppedPosting(processes: Processes, isRefused: bool) -> None:
    """
    Messages that could be posted to no bot before the process ends are posted by the
    next one.
    """
    postTwo(processes)
    if isRefused:
        # The bot ends at the same time.
        refused = error.ConnectionRefusedError()
        processes.web.clock.callLater(1, processes.posted.waiting[0].errback, refused)
    processes.end(2 if isRefused else STOP_TIME)
    processes.start(hasSocket=False, isPosting=True)
    processes.web.settle(2)
    assert postedTexts(processes) == ["one"]
    processes.posted.answer()
    processes.web.settle()
    assert postedTexts(processes) == ["one", "two"]
    processes.posted.answer()


def test_postedWhileStopping(processes: Processes) -> None:
    """
    Messages are posted while the process stops, after its sign-off, and then not
    posted by the next one.
    """
    postTwo(processes)
    processes.web.clock.callLater(1, processes.posted.answer)
    processes.web.clock.callLater(2, processes.posted.answer)
    processes.end(3)
    assert postedTexts(processes) == ["one", "two"]
    # The session alone remembers that.
    processes.files[1].unlink()
    processes.start(hasSocket=False, isPosting=True)
    processes.web.settle(2)
    assert postedTexts(processes) == []


def test_stoppedPostingToOne(processes: Processes) -> None:
    """
    A message that one bot has is not told it again, because another bot did not answer.
    """
    first = postTwo(processes, hasSocket=True)
    refused = error.ConnectionRefusedError()
    processes.web.clock.callLater(1, processes.posted.waiting[0].errback, refused)
    processes.end(2)
    second = processes.start()
    processes.web.settle(2)
    assert first.texts + second.texts == ["one", "two"]


def test_unansweredPost(processes: Processes) -> None:
    """
    An event that no bot has waits at the server for the answer to its post, for longer
    than one that another bot has, but for a minute at most.
    """
    processes.start(hasSocket=False, isPosting=True)
    processes.bob.tell(processes.alice, "one")
    processes.web.settle(MAX_ANSWER_TIME + 1)
    [delivery] = processes.account.handover._deliveries
    processes.web.settle(MAX_POST_TIME)
    assert delivery not in processes.account.handover._deliveries
