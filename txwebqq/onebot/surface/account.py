"""
An account that bots use: the state that outlives its sign-ons, and who hears of its
events.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from txwebqq.errors import NotSignedOn
from txwebqq.model import FriendshipNotice, GroupNotice, Number
from txwebqq.onebot.surface.files import FileLoader, SharedFiles
from txwebqq.onebot.surface.handover import Handover, currentDelivery
from txwebqq.onebot.surface.pictures import PictureLoader, ReceivedPictures
from txwebqq.onebot.surface.store import MAX_MESSAGES, MessageStore
from txwebqq.protocol import WebQQProtocol

MAX_REQUESTS = 1000
"""Friend requests, requests to join groups and temporary chats that can be answered,
of each kind."""

MESSAGE_SENT = "message_sent"
"""The C{post_type} of a message of our own, which most bots do not expect."""

Listener = Callable[[dict[str, Any]], Deferred[bool] | bool]
"""A function that gives an event to a bot. It returns whether the bot is there, or a
Deferred that fires with whether the event was posted to the bot: not if the process
ends before."""

K = TypeVar("K")
V = TypeVar("V")


class SurfaceAccount:
    """
    One account, of any kind.

    @param folder: the folder whose files bots may send, L{None} for none.
    @param remembered: the number of messages that can be asked for.

    @ivar number: the account's number.
    @ivar nick: its nickname, C{""} until it has signed on.
    @ivar messages: the messages that can be asked for.
    @ivar handover: keeps events at the server until the bots have them.
    @ivar pictures: the pictures that were received.
    @ivar loader: reads the pictures that are to be sent.
    @ivar files: the files of groups.
    @ivar fileLoader: finds the files that are to be sent.
    @ivar friendRequests: by flag.
    @ivar joinRequests: by flag; those of this sign-on.
    """

    _log = Logger()

    def __init__(
        self,
        number: Number,
        clock: IReactorTime,
        loader: PictureLoader,
        folder: Path | None = None,
        remembered: int = MAX_MESSAGES,
    ) -> None:
        self.number = number
        self.clock = clock
        self.nick = ""
        self.messages = MessageStore(remembered)
        self.pictures = ReceivedPictures()
        self.loader = loader
        self.files = SharedFiles()
        self.fileLoader = FileLoader(loader, folder)
        self.friendRequests: dict[str, FriendshipNotice] = {}
        self.joinRequests: dict[str, GroupNotice] = {}
        self._protocol: WebQQProtocol | None = None
        self.handover = Handover(clock)
        self._listeners: dict[Listener, bool] = {}
        self._flags = 0
        self._wasLost = False
        self._waiting: list[Deferred[None]] = []

    @property
    def isOnline(self) -> bool:
        """
        Whether the account is signed on.
        """
        return self._protocol is not None

    @property
    def online(self) -> WebQQProtocol:
        """
        The protocol that is signed on.

        @raise NotSignedOn: when the account is not signed on.
        """
        if self._protocol is None:
            raise NotSignedOn(f"account {self.number} is not signed on")
        return self._protocol

    def subscribe(self, listener: Listener, hasOwn: bool = False) -> None:
        """
        Have a listener called with each event, as a JSON object that it must not
        change.

        @param hasOwn: whether it hears of messages of our own.
        """
        self._listeners[listener] = hasOwn

    def unsubscribe(self, listener: Listener) -> None:
        """
        Do not call a listener any more.
        """
        self._listeners.pop(listener, None)

    def event(self, postType: str, **fields: Any) -> dict[str, Any]:
        """
        Make an event of now.
        """
        return {
            "time": int(self.clock.seconds()),
            "self_id": self.number,
            "post_type": postType,
            **fields,
        }

    def emit(self, event: dict[str, Any]) -> None:
        """
        Tell all listeners of an event, unless the event of the server of which it is
        made is left to the server.
        """
        delivery = currentDelivery()
        if delivery is not None and delivery.isLeft:
            return
        isOwn = event["post_type"] == MESSAGE_SENT
        isGiven = False
        answers: list[Deferred[bool]] = []
        for listener, hasOwn in list(self._listeners.items()):
            if isOwn and not hasOwn:
                continue
            try:
                answer = listener(event)
                if isinstance(answer, Deferred):
                    answers.append(answer)
                else:
                    isGiven = isGiven or answer
            except Exception:
                self._log.failure(
                    "Passing an event on failed (account {number}).",
                    number=self.number,
                )
        if delivery is not None:
            delivery.emitted(isGiven, answers)

    def notice(self, noticeType: str, **fields: Any) -> None:
        """
        Tell all listeners of a notice.
        """
        self.emit(self.event("notice", notice_type=noticeType, **fields))

    def newFlag(self) -> str:
        """
        Return the id for a new request.
        """
        self._flags += 1
        return f"{int(self.clock.seconds())}-{self._flags}"

    def signedOn(self, protocol: WebQQProtocol) -> None:
        """
        Use a protocol that has signed on.
        """
        self._protocol = protocol
        self.joinRequests.clear()
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(None)
        if self._wasLost:
            self._wasLost = False
            self.notice("bot_online", user_id=self.number, reason="signed on again")

    async def untilSignedOn(self, seconds: float) -> None:
        """
        Wait for the sign-on of an account that is not signed on, but not longer than
        a number of seconds.
        """
        if self.isOnline:
            return
        waiting: Deferred[None] = Deferred(self._forget)
        self._waiting.append(waiting)
        await waiting.addTimeout(seconds, self.clock, lambda result, _: None)

    def _forget(self, waiting: Deferred[None]) -> None:
        self._waiting.remove(waiting)

    def signedOff(self, protocol: WebQQProtocol) -> None:
        """
        Drop the protocol.
        """
        if self._protocol is protocol:
            self._protocol = None

    def lost(self, tag: str, reason: str) -> None:
        """
        Tell the bots that the account is signed off, though their connections stay.
        """
        self._wasLost = True
        self.notice("bot_offline", user_id=self.number, tag=tag, message=reason)

    @property
    def status(self) -> dict[str, Any]:
        """
        The state that heartbeats tell.
        """
        return {"online": self.isOnline, "good": True, "stat": {}}


def keepLimited(known: dict[K, V], key: K, value: V) -> None:
    """
    Remember a request or a temporary chat that can be answered, and drop the oldest of
    too many.
    """
    known.pop(key, None)
    known[key] = value
    if len(known) > MAX_REQUESTS:
        del known[next(iter(known))]
