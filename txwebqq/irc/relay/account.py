"""
The QQ accounts of the relay, and the groups and discussions that they relay.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

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
from txwebqq.irc.config.accounts import BURST, SECONDS
from txwebqq.irc.config.relay import GroupRef
from txwebqq.irc.protocol.nicknames import displayName
from txwebqq.irc.protocol.splitting import splitAt
from txwebqq.irc.qq.account import AccountListener, QQAccount
from txwebqq.irc.qq.contacts import Conversation
from txwebqq.irc.qq.content import contentToText, textToContent
from txwebqq.irc.qq.messages import IncomingMessage, messageKey
from txwebqq.irc.relay.errors import DeliveryRefused, TargetUnavailable
from txwebqq.irc.relay.members import MemberList
from txwebqq.irc.relay.room import BridgedRoom
from txwebqq.irc.relay.storage.outbox import Outbox, OutboxMessage
from txwebqq.irc.relay.text.attribution import oneWord, quoted, senderPrefix
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import (
    DiscussionMessage,
    GroupMessage,
    GroupNotice,
    GroupStep,
    Number,
)
from txwebqq.net.pacing import Pacer

MAX_MESSAGE = 2000
"""Maximum length of a message to a group, in bytes of UTF-8: servers of all
versions accept it."""

RETRY_GROUPS = 300.0
"""The seconds until the groups are fetched again when one of them is not among
those of the account."""

_SKEW = 60
"""The seconds by which the server's clock may be behind ours."""

_CHANGES = {
    GroupStep.JOINED: "has joined",
    GroupStep.LEFT: "has left",
}


class GroupLink:
    """
    A group or discussion of a room, and the account that relays it.

    @ivar source: the name of the group in origins and of its outbox queue.
    @ivar members: the members without that account.
    """

    isChannel = False
    isQuiet = False

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
        conversation = self._conversation
        name = conversation.name if conversation is not None else ""
        return displayName(name) or str(self.group.target.number)

    @property
    def isUp(self) -> bool:
        account = self._relayAccount
        isMember = self._conversation is not None
        return isMember and account.qq.isOnline and account.isReady

    def holdEvents(self) -> Callable[[], None]:
        try:
            return self._relayAccount.qq.holdEvents()
        except NotSignedOn:
            return lambda: None

    async def deliver(self, message: OutboxMessage) -> str:
        """
        Send the first L{MAX_MESSAGE} bytes of a message. When an earlier
        sending may have succeeded, look for it in the history first.

        @return: the rest of the text, when the server has accepted that part;
            fails with L{TargetUnavailable} or L{DeliveryRefused}.
        """
        account, target = self._relayAccount, self.group.target
        if not self.isUp:
            raise TargetUnavailable(f"the relay is not in {self.title}")
        try:
            await account.pacer.acquire()
        except CancelledError as e:
            raise TargetUnavailable("the relay is stopping") from e
        prefix = senderPrefix(message, self.isQuiet)
        limit = MAX_MESSAGE - len(prefix.encode("utf-8", "replace"))
        part, rest = splitAt(quoted(message.text), limit)
        content = textToContent(prefix + part)
        if message.begun:
            text = contentToText(content)
            if await self._isInHistory(text, message.begun):
                return rest
        if message.serial:
            self._outbox.markSending(message, int(self._clock.seconds() * 1000))
        try:
            await account.qq.actions.send(target, content)
        except NotSignedOn as e:
            self._outbox.markSending(message, 0)
            raise TargetUnavailable(str(e)) from e
        except RequestRefused as e:
            self._outbox.markSending(message, 0)
            raise DeliveryRefused(str(e), isFinal=True) from e
        except WebQQError as e:
            # The server may have accepted it: the next try asks the history.
            raise DeliveryRefused(str(e)) from e
        return rest

    async def _isInHistory(self, text: str, begun: int) -> bool:
        since = begun // 1000 - _SKEW
        try:
            recent = await self._relayAccount.qq.actions.fetchRecent(self.group.target)
        except WebQQError:
            # Better to send a message twice than not at all.
            return False
        return any(
            number == self.group.account
            and message.time >= since
            and contentToText(message.content) == text
            for number, message in recent
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
            if member.number != self.group.account
        ]
        for number, name in others:
            before = self.members.names.get(number, name)
            if before != name and self.members.isActive(number):
                change = f"is now known as {oneWord(name)}"
                self.room.membershipChanged(self, before, change)
        self.members.replace(others)
        self.room.availabilityChanged(self)


class RelayAccount(AccountListener):
    """
    An account of the relay: passes the events of each group on to its room.

    @param burst: the number of messages that the account may send at once.
    @param seconds: the time for each message after them.

    @ivar qq: the account on QQ.
    @ivar isReady: whether the contacts of the present session are fetched.
    @ivar pacer: limits the rate of the messages that the account sends.
    """

    _log = Logger()

    def __init__(
        self,
        number: Number,
        clock: IReactorTime,
        outbox: Outbox,
        burst: int = BURST,
        seconds: float = SECONDS,
    ) -> None:
        self.qq = QQAccount(number, self)
        self.isReady = False
        self.pacer = Pacer(clock, burst, seconds)
        self._links: dict[Target, GroupLink] = {}
        self._clock = clock
        self._outbox = outbox
        self._retry: IDelayedCall | None = None

    def link(self, group: GroupRef, room: BridgedRoom) -> GroupLink:
        """
        Create the link of a room to a group or discussion of this account.
        """
        link = GroupLink(group, self, self._outbox, self._clock, room)
        self._links[group.target] = link
        return link

    def stop(self) -> None:
        """
        Do not fetch the groups again.
        """
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    def signedOn(self, account: QQAccount) -> None:
        self.isReady = True
        self._log.info("Account {number} is signed on.", number=account.number)
        for target, link in self._links.items():
            if target not in account.contacts.conversations:
                self._logNotMember(link)
            link.refresh()
        self._retryLater(account)

    def connectionLost(self, account: QQAccount, reason: str, isForGood: bool) -> None:
        self.isReady = False
        self.stop()
        log = self._log.error if isForGood else self._log.warn
        log(
            "Account {number} is signed off: {reason}; {consequence}.",
            number=account.number,
            reason=reason,
            consequence="it stays so" if isForGood else "signing on again",
        )
        for link in self._links.values():
            link.room.availabilityChanged(link)

    def captchaRequired(self, account: QQAccount, image: bytes) -> Awaitable[str]:
        self._log.error(
            "Account {number} cannot sign on now: the server requires a captcha. Sign"
            " on once with another client, if it still does in ten minutes.",
            number=account.number,
        )
        return fail(CaptchaUnsolved("the relay cannot read captchas"))

    def contactsChanged(self, account: QQAccount) -> None:
        for link in self._links.values():
            link.refresh()
        self._retryLater(account)

    def leftGroup(self, account: QQAccount, target: Target) -> None:
        link = self._links.get(target)
        if link is not None:
            self._logNotMember(link)
            link.refresh()

    def groupChanged(self, account: QQAccount, notice: GroupNotice) -> None:
        link = self._links.get(Target(TargetKind.GROUP, notice.number))
        change = _CHANGES.get(notice.step)
        if link is None or change is None:
            return
        number = int(notice.memberNumber or 0)
        name = link.members.nameOf(number)
        if name and link.members.isActive(number):
            link.room.membershipChanged(link, name, change)

    def _logNotMember(self, link: GroupLink) -> None:
        self._log.error(
            "Account {number} is not in {target}: nothing is relayed there.",
            number=self.qq.number,
            target=link.source,
        )

    def _retryLater(self, account: QQAccount) -> None:
        self.stop()
        isComplete = self._links.keys() <= account.contacts.conversations.keys()
        if account.isOnline and not isComplete:
            self._retry = self._clock.callLater(
                RETRY_GROUPS, self._fetchContacts, account
            )

    def _fetchContacts(self, account: QQAccount) -> None:
        self._retry = None

        async def fetch() -> None:
            await account.contacts.fetchAll()
            account.contactsChanged()

        def failed(failure: Failure) -> None:
            failure.trap(WebQQError)
            self._retryLater(account)

        Deferred.fromCoroutine(fetch()).addErrback(failed).addErrback(
            lambda failure: self._log.failure(
                "Fetching the groups of account {number} failed; not tried again.",
                failure,
                number=account.number,
            )
        )

    def messageReceived(self, account: QQAccount, message: IncomingMessage) -> None:
        link = self._links.get(message.target)
        if link is not None:
            number = message.author
            name = link.members.names.get(number, "") or str(number or "?")
            link.members.markActive(number)
            link.room.groupMessageReceived(link, number, name, message)

    def incompleteMessageReceived(
        self,
        account: QQAccount,
        target: Target,
        message: GroupMessage | DiscussionMessage,
    ) -> None:
        link = self._links.get(target)
        if link is not None:
            name = link.members.names.get(account.contacts.numberOf(message.sender), "")
            link.room.incompleteGroupMessageReceived(
                link, messageKey(message), name, contentToText(message.content)
            )
