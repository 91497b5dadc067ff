"""
The relay's QQ accounts, and the groups that they are in for it.
"""

from __future__ import annotations

from collections.abc import Awaitable

from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.errors import (
    CaptchaUnsolved,
    NotSignedOn,
    RequestRefused,
    WebQQError,
)
from txwebqq.irc.config.relay import GroupRef
from txwebqq.irc.protocol.splitting import splitAt
from txwebqq.irc.qq.account import AccountListener, QQAccount
from txwebqq.irc.qq.contacts import Conversation
from txwebqq.irc.qq.content import contentToText, textToContent
from txwebqq.irc.qq.messages import IncomingMessage, messageKey
from txwebqq.irc.relay.attribution import senderPrefix
from txwebqq.irc.relay.errors import DeliveryRefused, TargetUnavailable
from txwebqq.irc.relay.members import MemberList
from txwebqq.irc.relay.outbox import Outbox, OutboxMessage
from txwebqq.irc.relay.room import BridgedRoom
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import (
    DiscussionMessage,
    GroupMessage,
    GroupNotice,
    GroupStep,
    Number,
)
from txwebqq.net.pacing import Pacer

ROOM = 2000
"""The bytes of one message, which servers of all times have taken."""

BURST, SECONDS = 5, 1.0
"""So many messages at once, then one in so many seconds."""

LOOKED_UP_AGAIN = 300.0
"""The seconds until a group that we are not in is looked for again."""

_SKEW = 60
"""The seconds by which the server's clock may be behind ours."""

_MOVES = {
    GroupStep.JOINED: "has joined",
    GroupStep.LEFT: "has left",
}


class GroupLink:
    """
    A group or a discussion, with or without us.

    @ivar members: the others.
    """

    isChannel = False

    def __init__(
        self,
        group: GroupRef,
        account: RelayAccount,
        outbox: Outbox,
        clock: IReactorTime,
        room: BridgedRoom,
    ) -> None:
        self.group = group
        self.room = room
        target = group.target
        self.source = f"qq/{target.kind.name.lower()}/{target.number}"
        self.members = MemberList(clock.seconds)
        self._relayAccount = account
        self._outbox = outbox
        self._clock = clock

    @property
    def _conversation(self) -> Conversation | None:
        contacts = self._relayAccount.qq.contacts
        return contacts.conversations.get(self.group.target)

    @property
    def title(self) -> str:
        """
        What people call it.
        """
        conversation = self._conversation
        return (
            conversation.name
            if conversation and conversation.name
            else str(self.group.target.number)
        )

    @property
    def isUp(self) -> bool:
        """
        Whether we can be heard there.
        """
        account = self._relayAccount
        isThere = self._conversation is not None
        return isThere and account.qq.isOnline and account.isSettled

    async def speak(self, message: OutboxMessage) -> str:
        """
        Say the beginning of something.

        @return: the rest of its text; fails with L{TargetUnavailable} or
            L{DeliveryRefused}.
        """
        if not self.isUp:
            raise TargetUnavailable(f"nobody of ours is in {self.title}")
        try:
            await self._relayAccount.pacer.acquire()
        except CancelledError as e:
            raise TargetUnavailable("we are leaving") from e
        start = senderPrefix(message, isQuiet=False)
        said, rest = splitAt(message.text, ROOM - len(start.encode()))
        content = textToContent(start + said)
        if message.begun and await self._wasHeard(
            contentToText(content), message.begun
        ):
            return rest
        if message.serial:
            self._outbox.markSending(message, int(self._clock.seconds() * 1000))
        try:
            await self._relayAccount.qq.actions.send(self.group.target, content)
        except NotSignedOn as e:
            self._outbox.markSending(message, 0)
            raise TargetUnavailable(str(e)) from e
        except RequestRefused as e:
            self._outbox.markSending(message, 0)
            raise DeliveryRefused(str(e), isFinal=True) from e
        except WebQQError as e:
            # Perhaps it was heard all the same: the history will tell.
            raise DeliveryRefused(str(e)) from e
        return rest

    async def _wasHeard(self, text: str, begun: int) -> bool:
        since = begun // 1000 - _SKEW
        try:
            recent = await self._relayAccount.qq.actions.fetchRecent(self.group.target)
        except WebQQError:
            # Rather twice than not at all.
            return False
        return any(
            number == self.group.account
            and message.time >= since
            and contentToText(message.content) == text
            for number, message in recent
        )

    def settled(self) -> None:
        """
        It is known who is there.
        """
        conversation = self._conversation
        members = conversation.members if conversation is not None else ()
        others = [(m.number, m.name) for m in members if m.number != self.group.account]
        for number, name in others:
            before = self.members.names.get(number, name)
            if before != name and self.members.isActive(number):
                self.room.membershipChanged(self, before, f"is now known as {name}")
        self.members.replace(others)
        self.room.availabilityChanged(self)


class RelayAccount(AccountListener):
    """
    An account that is in groups for the relay: passes the events of each group
    on to the group's listener.

    @ivar qq: the account on QQ.
    @ivar isSettled: whether it is known which groups there are, this time.
    @ivar pacer: how fast it may speak.
    """

    _log = Logger()

    def __init__(self, number: Number, clock: IReactorTime, outbox: Outbox) -> None:
        self.qq = QQAccount(number, self)
        self.groupLinks: dict[Target, GroupLink] = {}
        self.isSettled = False
        self.pacer = Pacer(clock, BURST, SECONDS)
        self._clock = clock
        self._outbox = outbox
        self._lookup: IDelayedCall | None = None

    def link(self, group: GroupRef, room: BridgedRoom) -> GroupLink:
        """
        Be in a group.
        """
        groupLink = GroupLink(group, self, self._outbox, self._clock, room)
        self.groupLinks[group.target] = groupLink
        return groupLink

    def signedOn(self, account: QQAccount) -> None:
        """
        It is signed on, and everybody is known.
        """
        self.isSettled = True
        self._log.info("{number} is signed on.", number=account.number)
        for target, groupLink in self.groupLinks.items():
            if target not in account.contacts.conversations:
                self._log.error(
                    "{number} is not in {place}: nothing is relayed there.",
                    number=account.number,
                    place=target.number,
                )
            groupLink.settled()
        self._lookUpLater(account)

    def _lookUpLater(self, account: QQAccount) -> None:
        self.stop()
        if (
            account.isOnline
            and not self.groupLinks.keys() <= account.contacts.conversations.keys()
        ):
            self._lookup = self._clock.callLater(LOOKED_UP_AGAIN, self._lookUp, account)

    def _lookUp(self, account: QQAccount) -> None:
        self._lookup = None

        async def learn() -> None:
            await account.contacts.fetchAll()
            account.contactsChanged()

        def failed(failure: Failure) -> None:
            failure.trap(WebQQError)
            self._lookUpLater(account)

        Deferred.fromCoroutine(learn()).addErrback(failed).addErrback(
            lambda f: self._log.failure("The groups are not looked for any more.", f)
        )

    def stop(self) -> None:
        """
        Look for no groups any more.
        """
        if self._lookup is not None:
            self._lookup.cancel()
            self._lookup = None

    def contactsChanged(self, account: QQAccount) -> None:
        """
        It knows others than before.
        """
        for groupLink in self.groupLinks.values():
            groupLink.settled()
        self._lookUpLater(account)

    def connectionLost(self, account: QQAccount, reason: str, isForGood: bool) -> None:
        """
        It is not signed on any more.
        """
        self.isSettled = False
        self.stop()
        log = self._log.error if isForGood else self._log.warn
        log(
            "{number} is not signed on any more: {reason}.",
            number=account.number,
            reason=reason,
        )
        for groupLink in self.groupLinks.values():
            groupLink.room.availabilityChanged(groupLink)

    def messageReceived(self, account: QQAccount, message: IncomingMessage) -> None:
        """
        Somebody wrote.
        """
        groupLink = self.groupLinks.get(message.target)
        if groupLink is not None:
            name = str(groupLink.members.names.get(message.author, "")) or str(
                message.author or "?"
            )
            groupLink.members.markActive(message.author)
            groupLink.room.groupMessageReceived(
                groupLink, message.author, name, message
            )

    def groupChanged(self, account: QQAccount, notice: GroupNotice) -> None:
        """
        Somebody came into a group, or went.
        """
        groupLink = self.groupLinks.get(Target(TargetKind.GROUP, notice.number))
        how = _MOVES.get(notice.step)
        if groupLink is None or how is None:
            return
        number = int(notice.memberNumber or 0)
        name = groupLink.members.nameOf(number)
        if name and groupLink.members.isActive(number):
            groupLink.room.membershipChanged(groupLink, name, how)

    def captchaRequired(self, account: QQAccount, image: bytes) -> Awaitable[str]:
        """
        Nobody is there to read it.
        """
        self._log.error(
            "{number} is asked to read a captcha: sign it on once by other means.",
            number=account.number,
        )
        return fail(CaptchaUnsolved("the relay cannot read captchas"))

    def leftGroup(self, account: QQAccount, target: Target) -> None:
        """
        It is in a group no longer.
        """
        groupLink = self.groupLinks.get(target)
        if groupLink is not None:
            self._log.error(
                "{number} is not in {place} any more: nothing is relayed there.",
                number=account.number,
                place=target.number,
            )
            groupLink.settled()

    def incompleteMessageReceived(
        self,
        account: QQAccount,
        target: Target,
        message: GroupMessage | DiscussionMessage,
    ) -> None:
        groupLink = self.groupLinks.get(target)
        if groupLink is None:
            return
        number = account.contacts.numberOf(message.sender)
        name = str(groupLink.members.names.get(number, ""))
        groupLink.room.incompleteGroupMessageReceived(
            groupLink, messageKey(message), name, contentToText(message.content)
        )
