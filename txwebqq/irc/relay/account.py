"""
The QQ accounts of the relay, and the groups and discussions that they relay.
"""

from __future__ import annotations

from collections.abc import Awaitable

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.errors import (
    CaptchaUnsolved,
    WebQQError,
)
from txwebqq.irc.config.accounts import BURST, SECONDS
from txwebqq.irc.config.relay import GroupRef
from txwebqq.irc.qq.account import AccountListener, QQAccount
from txwebqq.irc.qq.content import contentToText
from txwebqq.irc.qq.messages import IncomingMessage, messageKey
from txwebqq.irc.relay.group import GroupLink
from txwebqq.irc.relay.room import BridgedRoom
from txwebqq.irc.relay.storage.outbox import Outbox
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import (
    DiscussionMessage,
    GroupFile,
    GroupMessage,
    GroupNotice,
    GroupStep,
    Number,
    Reaction,
)
from txwebqq.net.pacing import Pacer
from txwebqq.operation.captchas.options import NO_WAY

RETRY_GROUPS = 300.0
"""The seconds until the groups are fetched again when one of them is not among
those of the account."""

_CHANGES = {
    GroupStep.JOINED: "has joined",
    GroupStep.LEFT: "has left",
}


class RelayAccount(AccountListener):
    """
    An account of the relay: passes the events of each group on to its room.

    @param burst: the number of messages that the account may send at once.
    @param seconds: the time for each message after them.
    @param accountSpace: names the QQ network: two accounts with the same one know
        others by the same numbers.
    @param captchaAdvice: the sentence that tells where captchas are answered.

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
        accountSpace: str = "",
        captchaAdvice: str = NO_WAY,
    ) -> None:
        self._captchaAdvice = captchaAdvice
        self.qq = QQAccount(number, self)
        self.isReady = False
        self.pacer = Pacer(clock, burst, seconds)
        self.accountSpace = accountSpace
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
            "The server requires a captcha of account {number}, which the relay itself"
            " cannot show. {advice} Or sign on once with another client, if the server"
            " still requires one in ten minutes.",
            number=account.number,
            advice=self._captchaAdvice,
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
            link.room.notices.membershipChanged(link, name, change)

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
            name = link.nameOf(number)
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
                link,
                messageKey(message),
                name,
                contentToText(message.content),
                message.id,
            )

    def messageSent(self, account: QQAccount, message: IncomingMessage) -> None:
        link = self._links.get(message.target)
        if link is not None:
            link.messageSent(message)

    def messageRecalled(
        self, account: QQAccount, target: Target | None, operator: int, messageId: int
    ) -> None:
        link = self._links.get(target) if target is not None else None
        if link is not None:
            name = link.nameOf(operator)
            link.room.interactions.messageRecalled(link, str(messageId), name)

    def memberMuted(
        self,
        account: QQAccount,
        target: Target,
        member: int,
        operator: int,
        seconds: int,
    ) -> None:
        link = self._links.get(target)
        if link is not None:
            muted = link.nameOf(member) if member else ""
            by = link.nameOf(operator) if operator else ""
            link.room.interactions.memberMuted(link, muted, by, seconds)

    def memberPoked(
        self, account: QQAccount, target: Target, sender: int, poked: int, time: int
    ) -> None:
        link = self._links.get(target)
        if link is not None:
            link.members.markActive(sender)
            key = f"poke.{time}.{sender}.{poked}" if time else ""
            names = link.nameOf(sender), link.nameOf(poked)
            link.room.interactions.memberPoked(link, key, *names)

    def reactionChanged(
        self, account: QQAccount, target: Target, sender: int, reaction: Reaction
    ) -> None:
        link = self._links.get(target)
        # Our own reactions are those of others.
        if link is not None and sender != account.number:
            link.room.interactions.reactionChanged(
                link, str(reaction.id), sender, reaction.face, reaction.isSet
            )

    def groupFileShared(
        self, account: QQAccount, target: Target, sender: int, file: GroupFile
    ) -> None:
        link = self._links.get(target)
        if link is not None:
            link.members.markActive(sender)
            name = link.nameOf(sender)
            link.room.interactions.fileShared(link, name, file)
