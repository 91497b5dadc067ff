"""
Sending, recording and showing the messages of one gateway user.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from functools import partial

from twisted.logger import Logger

from txwebqq.errors import NotSignedOn
from txwebqq.irc.gateway.attachedclient import AttachedClient
from txwebqq.irc.gateway.directory import BOT_NICK, NameDirectory
from txwebqq.irc.gateway.storage.history import HistoryStore
from txwebqq.irc.gateway.storage.message import HistoryMessage
from txwebqq.irc.gateway.storage.unstored import UnstoredMessages
from txwebqq.irc.protocol.splitting import splitLines
from txwebqq.irc.qq.account import QQAccount
from txwebqq.irc.targets import SERVICE, Target, TargetKind
from txwebqq.model import Content, Font, Number, Reply
from txwebqq.ratelimit import RateLimiter

MAX_MISSED = 200
"""Maximum number of messages of one conversation that are played back."""

TYPING_INTERVAL = 3.0
"""Time between two typing notifications to one friend, in seconds."""


class Conversations:
    """
    The messages of one gateway user: sent with an account, stored in the
    history, and shown to all clients.

    @param userName: the name of the gateway user.
    @param clients: the user's attached clients.
    @param seconds: returns the time, in Unix seconds.

    @ivar unstored: is called when a message cannot be stored, and C{stored}
        when all of them are.
    """

    _log = Logger()

    def __init__(
        self,
        userName: str,
        directory: NameDirectory,
        clients: Sequence[AttachedClient],
        history: HistoryStore,
        seconds: Callable[[], float],
    ) -> None:
        self._userName = userName
        self._directory = directory
        self._clients = clients
        self._history = history
        self._seconds = seconds
        self.unstored: Callable[[], object] = lambda: None
        self.stored: Callable[[], object] = lambda: None
        self._unstored = UnstoredMessages[AttachedClient](history)
        # The number of messages that are being sent, and calls that wait for them.
        self._sending: dict[Target, int] = {}
        self._afterSends: dict[Target, list[Callable[[], object]]] = {}
        self._typing = RateLimiter(seconds, 1, TYPING_INTERVAL)

    def record(
        self, message: HistoryMessage, exclude: AttachedClient | None = None
    ) -> HistoryMessage | None:
        """
        Store a message, and show it to the clients. A message that cannot be
        stored now is shown, and stored later.

        @param exclude: a client that is not shown the message.

        @return: as L{HistoryStore.append}; without serial and msgid for a
            message that is stored later.
        """
        if len(self._unstored):
            return self._showUnstored(message, exclude)
        try:
            stored = self._history.append(
                message, partial(self._lost, message, tuple(self._clients))
            )
        except sqlite3.Error as e:
            # This error may have told of the loss of the messages before.
            isFirst = not len(self._unstored)
            shown = self._showUnstored(message, exclude)
            if isFirst:
                self._showFailure(e)
            return shown
        if stored is not None:
            for client in list(self._clients):
                if client is not exclude:
                    client.showMessage(stored)
                client.messageStored(stored.serial, client is exclude)
        return stored

    def _lost(
        self,
        message: HistoryMessage,
        informed: Sequence[AttachedClient],
        error: sqlite3.Error,
    ) -> None:
        """
        Keep a message that was shown but could not be committed.
        """
        isFirst = not len(self._unstored)
        if self._unstored.add(message, informed):
            self.unstored()
        if isFirst:
            self._showFailure(error)

    def _showFailure(self, error: sqlite3.Error) -> None:
        self._log.error(
            "Storing a message failed (user {user}): {reason}; it is shown, and"
            " stored later.",
            user=self._userName,
            reason=str(error),
        )
        self._showNotice(
            f"Messages cannot be stored now ({error}): this one is shown, and stored"
            " later; QQ keeps those after it"
        )

    def _showUnstored(
        self, message: HistoryMessage, exclude: AttachedClient | None
    ) -> HistoryMessage | None:
        if not self._unstored.add(message, tuple(self._clients)):
            return None
        self.unstored()
        for client in list(self._clients):
            if client is not exclude:
                client.showMessage(message)
        return message

    def _showNotice(self, text: str) -> None:
        for message in self.botMessages(text):
            for client in list(self._clients):
                client.showMessage(message)

    @property
    def unstoredCount(self) -> int:
        """
        The number of messages that could not be stored yet.
        """
        return len(self._unstored)

    def storeAgain(self) -> None:
        """
        Store the messages that could not be stored. Clients that
        were not attached when the messages came are shown them.
        """
        if not len(self._unstored):
            return
        for stored, informed in self._unstored.store():
            for client in list(self._clients):
                if client not in informed:
                    client.showMessage(stored)
                client.messageStored(stored.serial, False)
        if not len(self._unstored):
            self._log.info(
                "Messages are stored again (user {user}).", user=self._userName
            )
            self._showNotice("Messages are stored again")
            self.stored()

    def notify(self, text: str) -> None:
        """
        Store and show a notice from the bot.
        """
        for message in self.botMessages(text):
            self.record(message)

    def playBack(self, client: AttachedClient) -> None:
        """
        Show a client the messages that were recorded while it was not
        attached, and those that it has not confirmed before.
        """
        history, name = self._history, self._userName
        client.playBack(history.missed(name, client.key, MAX_MISSED))
        client.messageStored(history.last(name), False)

    async def send(
        self,
        target: Target,
        text: str,
        content: Content,
        sender: AttachedClient,
        command: str = "PRIVMSG",
        font: Font = Font(),
        reply: HistoryMessage | None = None,
    ) -> HistoryMessage | None:
        """
        Send a text that a client has typed; fails as L{AccountActions.send
        <txwebqq.irc.qq.actions.AccountActions.send>}.

        @param content: the text as QQ is sent it.
        @param sender: the client, which is not shown the message.
        @param reply: the message of the conversation to which this one is a reply.

        @return: as L{record}.
        """
        account = self._accountFor(target)
        if reply is not None and reply.id:
            content = (Reply(reply.id), *content)
        self._sending[target] = self._sending.get(target, 0) + 1
        try:
            sent = await account.actions.send(target, content, font)
            number = account.number
            message = self.newMessage(
                target,
                number,
                number,
                self._userName,
                text,
                command=command,
                messageId=sent.messageId,
                earlier=sent.earlier,
                reply=0 if reply is None else reply.serial,
            )
            return self.record(message, sender)
        finally:
            self._sendEnded(target)

    def _sendEnded(self, target: Target) -> None:
        self._sending[target] -= 1
        if not self._sending[target]:
            del self._sending[target]
            for call in self._afterSends.pop(target, ()):
                call()

    def afterSends(self, target: Target, call: Callable[[], object]) -> None:
        """
        Call a function when nothing is being sent to a target: a copy of a message
        may arrive before the answer that has its id.
        """
        if target in self._sending:
            self._afterSends.setdefault(target, []).append(call)
        else:
            call()

    def isStored(self, target: Target, account: int, messageId: int) -> bool:
        """
        Check whether the message with this id is stored, as
        L{MessageReferences.withId
        <txwebqq.irc.gateway.storage.references.MessageReferences.withId>}.
        """
        find = self._history.references.withId
        return find(self._userName, target, account, messageId) is not None

    async def sendTyping(self, target: Target) -> None:
        """
        Let a friend know that the user is typing, at most once in
        L{TYPING_INTERVAL}; fails as L{send}.
        """
        if self._typing.take(target):
            await self._accountFor(target).actions.sendTyping(target.number)

    async def shake(self, target: Target) -> None:
        """
        Shake a friend's window; fails as L{send}.
        """
        if target.kind is not TargetKind.CONTACT:
            raise NotSignedOn("only a friend's window can be shaken")
        await self._accountFor(target).actions.shakeWindow(target.number)

    def _accountFor(self, target: Target) -> QQAccount:
        account = self._directory.accountFor(target)
        if account is None:
            raise NotSignedOn("none of your accounts knows this contact")
        return account

    def botMessages(self, text: str) -> list[HistoryMessage]:
        """
        Make notices from the bot, one for each line of a text, not stored yet.
        """
        return [
            self.newMessage(SERVICE, 0, 0, BOT_NICK, line, command="NOTICE")
            for line in splitLines(text)
        ]

    def newMessage(
        self,
        target: Target,
        account: int,
        sender: int,
        nick: str,
        text: str,
        time: int | None = None,
        command: str = "PRIVMSG",
        origin: str = "",
        messageId: int = 0,
        earlier: tuple[int, ...] = (),
        reply: int = 0,
    ) -> HistoryMessage:
        """
        Make a message that is not stored yet.

        @param time: when it was sent, in Unix seconds; without it, now.
        @param messageId: the C{id} of the L{HistoryMessage}.
        """
        # A server whose clock is ahead must not date messages in the future.
        now = self._seconds()
        seconds = now if time is None else min(time, now)
        return HistoryMessage(
            self._userName,
            target,
            int(seconds * 1000),
            Number(account),
            Number(sender),
            nick,
            text,
            command,
            origin,
            id=messageId,
            earlier=earlier,
            reply=reply,
        )
