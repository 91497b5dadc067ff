"""
One QQ group or discussion of a room: sends the messages of its outbox, and tells
messages that the account has sent elsewhere from copies.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from txwebqq.errors import (
    Intercepted,
    NotSent,
    NotSignedOn,
    RequestRefused,
    WebQQError,
)
from txwebqq.irc.config.relay import GroupRef
from txwebqq.irc.protocol.nicknames import displayName
from txwebqq.irc.protocol.splitting import splitAt
from txwebqq.irc.qq.account import QQAccount
from txwebqq.irc.qq.contacts import Conversation
from txwebqq.irc.qq.content import contentToText, textToContent
from txwebqq.irc.qq.messages import IncomingMessage
from txwebqq.irc.relay.errors import (
    DeliveryRefused,
    TargetUnanswered,
    TargetUnavailable,
)
from txwebqq.irc.relay.members import MemberList
from txwebqq.irc.relay.room import BridgedRoom
from txwebqq.irc.relay.storage.messageids import RelayedMessage
from txwebqq.irc.relay.storage.outbox import MessageKind, Outbox, OutboxMessage
from txwebqq.irc.relay.text.attribution import oneWord, quoted, senderPrefix
from txwebqq.irc.relay.text.mentions import MentionFinder
from txwebqq.irc.relay.text.quotes import quoteOf
from txwebqq.irc.targets import TargetKind
from txwebqq.model import (
    Content,
    Face,
    Failed,
    Mention,
    Reply,
    Segment,
    Sent,
    Text,
    outcomeOf,
)
from txwebqq.net.pacing import Pacer
from txwebqq.wire.content import sizeOf

MAX_MESSAGE = 2000
"""Maximum length of a message to a group, in bytes of UTF-8: servers of all
versions accept it."""

MAX_SENT = 100
"""The number of messages that are remembered because the server may give them back
as sent by another client."""

_SKEW = 60
"""The seconds by which the server's clock may be behind ours."""


class GroupAccount(Protocol):
    """
    The account of a L{GroupLink}.

    @ivar isReady: whether the contacts of the present session are fetched.
    @ivar accountSpace: names the QQ network.
    """

    qq: QQAccount
    isReady: bool
    pacer: Pacer
    accountSpace: str


class GroupLink:
    """
    A group or discussion of a room, and the account that relays it.

    @ivar source: the name of the group in origins and of its outbox queue.
    @ivar members: the members without that account.
    """

    isChannel = False
    isQuiet = False
    _log = Logger()

    def __init__(
        self,
        group: GroupRef,
        account: GroupAccount,
        outbox: Outbox,
        clock: IReactorTime,
        room: BridgedRoom,
    ) -> None:
        self.group = group
        self.room = room
        target = group.target
        self.source = f"qq/{target.kind.name.lower()}/{target.number}"
        self.members = MemberList(clock.seconds)
        self.account = group.account
        self.accountSpace = account.accountSpace
        self._relayAccount = account
        self._outbox = outbox
        self._clock = clock
        self._mentions = MentionFinder({})
        # The texts and ids of the last messages that were sent.
        self._sentTexts: deque[str] = deque(maxlen=MAX_SENT)
        self._sentIds: deque[int] = deque(maxlen=MAX_SENT)
        # The number of messages that are being sent, and what came as sent by another
        # client meanwhile: it may be one of these.
        self._inFlight = 0
        self._undecided: list[IncomingMessage] = []
        self._mayReact = True

    @property
    def _conversation(self) -> Conversation | None:
        contacts = self._relayAccount.qq.contacts
        return contacts.conversations.get(self.group.target)

    @property
    def title(self) -> str:
        conversation = self._conversation
        name = conversation.name if conversation is not None else ""
        return displayName(name) or str(self.group.target.number)

    @property
    def isUp(self) -> bool:
        account = self._relayAccount
        isMember = self._conversation is not None
        return isMember and account.qq.isOnline and account.isReady

    def nameOf(self, number: int) -> str:
        """
        Return the name of a member, or of the account itself; the number of an
        unknown member.
        """
        name = self.members.names.get(number, "")
        conversation = self._conversation
        if number == self.account and conversation is not None:
            ours = [each.name for each in conversation.members if each.number == number]
            name = displayName(ours[0]) if ours else ""
        return name or str(number or "?")

    def holdEvents(self) -> Callable[[], None]:
        try:
            return self._relayAccount.qq.holdEvents()
        except NotSignedOn:
            return lambda: None

    async def deliver(self, message: OutboxMessage) -> str:
        """
        Send the first L{MAX_MESSAGE} bytes of a message. When an earlier sending may
        have succeeded, ask the server for it first, or look for it in the history
        where the server cannot be asked.

        @return: the rest of the text, when the server has accepted that part; fails
            with L{TargetUnavailable}, L{TargetUnanswered} or L{DeliveryRefused}.
        """
        account = self._relayAccount
        if not self.isUp:
            raise TargetUnavailable(f"the relay is not in {self.title}")
        try:
            await account.pacer.acquire()
        except CancelledError as e:
            raise TargetUnavailable("the relay is stopping") from e
        if message.kind is MessageKind.RECALL:
            ids = self.room.ids.idsIn(self.source, message.reply)
            if ids and self.group.target.kind is TargetKind.GROUP:
                await self._recall(ids)
                return ""
            message = replace(message, kind=MessageKind.ACTION, reply="")
        content, rest = self._contentOf(message)
        isIdentified = await self._recognises(message, content)
        if message.begun:
            accepted = await self._restAfter(message, content, rest)
            if accepted is not None:
                return accepted
        if message.serial:
            now = int(self._clock.seconds() * 1000)
            self._outbox.markSending(message, now, rest, isIdentified)
        try:
            sent = await self._send(content, message.sendId if isIdentified else "")
        except WebQQError as e:
            if isinstance(outcomeOf(e), Failed):
                self._outbox.markUnsent(message)
            # Else the server may have accepted it: the next try asks for it.
            raise _deliveryError(e, message.begun) from e
        self._sent(message, sent)
        return rest

    def _sent(self, message: OutboxMessage, sent: Sent) -> None:
        ids = [
            str(messageId) for messageId in (*sent.earlier, sent.messageId) if messageId
        ]
        self.room.copySent(self, message, ids)

    async def _recognises(self, message: OutboxMessage, content: Content) -> bool:
        """
        Tell whether the server recognises a message when it is sent again.
        """
        if not message.sendId:
            return False
        try:
            detection = self._relayAccount.qq.actions.detection
            isKnown = await detection.isKnown()
        except WebQQError as e:
            raise _questionError(e) from e
        # The parts into which a longer one would be split have no ids of their own.
        return isKnown and sizeOf(content) <= detection.protocol.longest

    async def _restAfter(
        self, message: OutboxMessage, content: Content, rest: str
    ) -> str | None:
        """
        Find out whether the server has accepted a message whose answer is lost.

        @return: the rest of the text, L{None} when it is to be sent again.
        """
        sendId = message.sendId if message.isIdentified else ""
        age = self._clock.seconds() - message.begun / 1000
        try:
            detection = self._relayAccount.qq.actions.detection
            sent = await detection.find(sendId, age)
        except RequestRefused:
            # Another server, or one without a database.
            return rest if await self._isInHistory(content, message.begun) else None
        except WebQQError as e:
            raise _questionError(e) from e
        if sent is None:
            return None
        self._sentIds.append(sent.messageId)
        self._sent(message, sent)
        return message.rest

    def _contentOf(self, message: OutboxMessage) -> tuple[Content, str]:
        """
        Make the content of the first part of a message.

        @return: the content, and the rest of the text.
        """
        replied = self.room.ids.get(message.reply) if message.reply else None
        start: list[Segment] = []
        prefix = senderPrefix(message, self.isQuiet)
        if replied is not None:
            ids = self.room.ids.idsIn(self.source, replied.origin)
            if ids:
                start.append(Reply(int(ids[0])))
            elif not replied.isRecalled:
                text = message.text
                prefix += quoteOf(replied.author, replied.excerpt, text)
        limit = MAX_MESSAGE - len(prefix.encode("utf-8", "replace"))
        part, rest = splitAt(quoted(message.text), limit)
        return (*start, *self._withMentions(prefix, part, message, replied)), rest

    def _withMentions(
        self,
        prefix: str,
        text: str,
        message: OutboxMessage,
        replied: RelayedMessage | None,
    ) -> list[Segment]:
        if message.kind not in (MessageKind.TEXT, MessageKind.ACTION):
            return list(textToContent(prefix + text))
        given = message.mentions
        if replied is not None and replied.source == self.source:
            # The author of that message is a member here.
            given = tuple(
                each for each in given if each != (0, oneWord(replied.author))
            )
        mayAddress = message.kind is MessageKind.TEXT
        content: list[Segment] = []
        for part in self._mentions.find(text, given, mayAddress):
            if isinstance(part, Mention):
                content += textToContent(prefix) if prefix else ()
                content.append(part)
            else:
                content += textToContent(prefix + part)
            prefix = ""
        return content

    async def _send(self, content: Content, sendId: str) -> Sent:
        self._sentTexts.append(_comparable(content))
        self._inFlight += 1
        try:
            actions = self._relayAccount.qq.actions
            sent = await actions.send(self.group.target, content, sendId=sendId)
            self._sentIds.extend(filter(None, (*sent.earlier, sent.messageId)))
        finally:
            self._inFlight -= 1
            if not self._inFlight:
                undecided, self._undecided = self._undecided, []
                for each in undecided:
                    self.messageSent(each)
        return sent

    async def _recall(self, ids: list[str]) -> None:
        actions = self._relayAccount.qq.actions
        for messageId in ids:
            try:
                await actions.recall(self.group.target, int(messageId))
            except NotSignedOn as e:
                raise TargetUnavailable(str(e)) from e
            except RequestRefused as e:
                self._log.info(
                    "Recalling a message in {target} failed: {reason}; it stays.",
                    target=self.source,
                    reason=str(e),
                )
            except WebQQError as e:
                raise DeliveryRefused(str(e)) from e

    async def _isInHistory(self, content: Content, begun: int) -> bool:
        since = begun // 1000 - _SKEW
        try:
            recent = await self._relayAccount.qq.actions.fetchRecent(self.group.target)
        except Intercepted as e:
            raise TargetUnanswered(str(e)) from e
        except WebQQError:
            # Better to send a message twice than not at all.
            return False
        text = _comparable(content)
        return any(
            number == self.account
            and message.time >= since
            and _comparable(message.content) == text
            for number, message in recent
        )

    def messageSent(self, message: IncomingMessage) -> None:
        """
        The account has sent a message by another client, or the server has given
        back one of ours: relay it unless it is ours.
        """
        messageId = message.id
        if (
            _comparable(message.content) in self._sentTexts
            or messageId in self._sentIds
        ):
            return
        if self._inFlight:
            # Programs change some texts, and the id comes with the answer.
            self._undecided.append(message)
        elif self.room.messageWith(self, str(messageId or "")) is None:
            key = f"sent.{message.id}" if message.id else self.room.newKey()
            name = self.nameOf(self.account)
            message = replace(message, key=message.key or key)
            self.room.groupMessageReceived(self, self.account, name, message)

    def react(
        self, messageId: str, face: Face | Text, isSet: bool, source: str
    ) -> None:
        async def react() -> None:
            try:
                await self._relayAccount.pacer.acquire()
                actions = self._relayAccount.qq.actions
                await actions.react(self.group.target, int(messageId), face, isSet)
            except (CancelledError, WebQQError) as e:
                self._reactionFailed(e)

        Deferred.fromCoroutine(react()).addErrback(
            lambda failure: self._log.failure(
                "Reacting in {target} failed.", failure, target=self.source
            )
        )

    def _reactionFailed(self, error: Exception) -> None:
        # Some servers have no reactions, or few emojis.
        if self._mayReact and not isinstance(error, CancelledError):
            self._mayReact = False
            self._log.info(
                "Reacting in {target} failed: {reason}; the reaction is left out, and"
                " further ones that fail are not logged.",
                target=self.source,
                reason=str(error),
            )

    def refresh(self) -> None:
        """
        Take over the members from the account's contacts, and report
        new names and the availability of the group to the room.
        """
        conversation = self._conversation
        members = conversation.members if conversation is not None else ()
        others = [
            (member.number, displayName(member.name) or str(member.number))
            for member in members
            if member.number != self.account
        ]
        for number, name in others:
            before = self.members.names.get(number, name)
            if before != name and self.members.isActive(number):
                change = f"is now known as {oneWord(name)}"
                self.room.notices.membershipChanged(self, before, change)
        self.members.replace(others)
        self._mentions = MentionFinder(self.members.names)
        self.room.availabilityChanged(self)


def _questionError(error: WebQQError) -> Exception:
    # Sent without an answer to the question, the message could come twice.
    if isinstance(error, NotSignedOn):
        return TargetUnavailable(str(error))
    return TargetUnanswered(str(error))


def _deliveryError(error: WebQQError, begun: int) -> Exception:
    """
    Make the error of a delivery from that of a request.

    @param begun: not 0 when the server has just answered the question for the message.
    """
    if isinstance(error, NotSignedOn):
        return TargetUnavailable(str(error))
    if isinstance(error, NotSent) or (isinstance(error, Intercepted) and not begun):
        return TargetUnanswered(str(error))
    return DeliveryRefused(str(error), isinstance(error, RequestRefused))


def _comparable(content: Content) -> str:
    # Servers and programs write the names in mentions in several ways.
    segments = tuple(each for each in content if not isinstance(each, Mention))
    return " ".join(contentToText(segments).split())
