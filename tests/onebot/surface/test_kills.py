"""
Bots of a process that is killed: no event is lost, and none comes twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from twisted.internet import error
from twisted.internet.defer import Deferred, fail
from twisted.web.server import NOT_DONE_YET

from tests.onebot.surface.bots import RecordingSocket
from tests.rig import ScriptedServer
from txwebqq.onebot.surface.account import SurfaceAccount
from txwebqq.onebot.surface.config import PostSettings
from txwebqq.onebot.surface.connection import BotConnection
from txwebqq.onebot.surface.handover import MAX_ANSWER_TIME
from txwebqq.onebot.surface.httppost import EventPoster
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


class SilentBot:
    """
    A bot that does not answer posts.
    """

    def request(self, *args: Any, **more: Any) -> Deferred[Any]:
        return Deferred()


class Processes:
    """
    Processes of C{webqq-onebot} with the account of Alice, one after the other.

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
        self._files = [folder / "session", folder / "seen"]
        self.onMessage: Callable[[], None] = lambda: None
        self.bob.run()
        self.carol.run()
        self.web.settle()

    def start(self, hasSilentBot: bool = False) -> WatchedSocket:
        """
        Start a process, to which a bot connects.
        """
        clock = self.web.clock
        self.account = SurfaceAccount(self.alice.number, clock, PictureLoader(clock))
        account, [session, seen] = self.alice.account, self._files
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
        if hasSilentBot:
            settings = PostSettings("http://bot.test/")
            bot: Any = SilentBot()
            self.poster = EventPoster(self.account, settings, bot)
            self.poster.startService()
        connection = BotConnection(self.account, "in memory", heartbeat=0.0)
        socket = WatchedSocket(lambda: self.onMessage())
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
        self._copies = [f.read_bytes() if f.exists() else b"" for f in self._files]

    def kill(self) -> None:
        """
        Kill the process. Its files are those that were remembered.
        """
        self.cutOff()
        stopped = self.service.stopService()
        self.web.settle(2)
        self.web.result(stopped)
        if self.poster is not None:
            self.poster.stopService()
        self.web.treq.request = self._request
        self.onMessage = lambda: None
        for file, data in zip(self._files, self._copies, strict=True):
            file.write_bytes(data)

    def stop(self) -> None:
        self.web.result(self.service.stopService())
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
    first = processes.start(hasSilentBot=True)
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
    first = processes.start(hasSilentBot=True)
    processes.bob.tell(processes.alice, "one")
    processes.web.settle(1)
    processes.bob.tell(processes.alice, "two")
    processes.web.settle(MAX_ANSWER_TIME)
    assert first.texts == ["one", "two"]
    assert processes.poster is not None
    processes.poster.stopService()


def holdTwo(processes: Processes) -> WatchedSocket:
    """
    Start a process that was given two messages in one reply, while the number of the
    first one's sender is being fetched.
    """
    processes.start()
    processes.web.result(processes.service.stopService())
    processes.carol.tellGroup("cats", "one")
    processes.bob.tellGroup("cats", "two")
    processes.web.settle()
    processes.server.replies[NUMBERS] = [NOT_DONE_YET] * 20
    socket = processes.start()
    processes.web.settle(5)
    assert socket.texts == []
    return socket


def test_stoppedLookingUp(processes: Processes) -> None:
    """
    A message whose sender is not known when the process stops, and those behind it, are
    told once, by this process or the next one.
    """
    first = holdTwo(processes)
    stopped = processes.service.stopService()
    processes.web.settle(5)
    processes.web.result(stopped)
    processes.server.replies[NUMBERS] = []
    second = processes.start()
    processes.web.settle(5)
    assert sorted(first.texts + second.texts) == ["one", "two"]


def test_expiredLookingUp(processes: Processes) -> None:
    """
    The same holds when the session ends, and the same process signs on again.
    """
    first = holdTwo(processes)
    refused = b'{"retcode":103,"errmsg":""}'
    processes.server.replies["/channel/poll2"] = [b'{"retcode":121,"t":"0"}']
    processes.server.replies["/channel/login2"] = [refused]
    processes.web.settle(130)
    processes.server.replies[NUMBERS] = []
    processes.web.settle(100)
    assert sorted(first.texts) == ["one", "two"]
