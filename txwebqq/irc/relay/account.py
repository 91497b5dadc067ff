"""
The relay's QQ accounts, and the groups that they are in for it.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

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
from txwebqq.irc.protocol.splitting import contentToText, splitAt, textToContent
from txwebqq.irc.qq.account import AccountProtocol, QQAccount
from txwebqq.irc.qq.messages import IncomingMessage, messageKey
from txwebqq.irc.relay.attribution import opening
from txwebqq.irc.relay.errors import NotNow, Refused
from txwebqq.irc.relay.members import Audience
from txwebqq.irc.relay.outbox import Piece, Spool
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import (
    Account,
    DiscussionMessage,
    FriendshipNotice,
    GroupMessage,
    GroupNotice,
    GroupStep,
    Number,
    Status,
)
from txwebqq.net.pacing import Pacer
from txwebqq.protocol import WebQQProtocol

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


class Listener(Protocol):
    """
    Who wants to know what happens in a group.
    """

    def noticed(self, table: Table, mark: str, name: str, text: str) -> None:
        """
        Somebody said something; it is not known yet who, or what all of it
        shows.
        """

    def learned(
        self, table: Table, number: int, name: str, message: IncomingMessage
    ) -> None:
        """
        Now it is.
        """

    def moved(self, table: Table, name: str, how: str) -> None:
        """
        Somebody came or went, in words that follow the name.
        """

    def changed(self, table: Table) -> None:
        """
        We can be heard there, or not any more.
        """


class Table:
    """
    A group or a discussion, with or without us.

    @ivar audience: the others.
    """

    def __init__(
        self,
        group: GroupRef,
        delegate: Delegate,
        spool: Spool,
        clock: IReactorTime,
        listener: Listener,
    ) -> None:
        self.circle = group
        self.listener = listener
        self.audience = Audience(clock.seconds)
        self._delegate = delegate
        self._spool = spool
        self._clock = clock

    @property
    def title(self) -> str:
        """
        What people call it.
        """
        conversation = self._delegate.conversations.get(self.circle.target)
        return (
            conversation.name
            if conversation and conversation.name
            else str(self.circle.target.number)
        )

    @property
    def isUp(self) -> bool:
        """
        Whether we can be heard there.
        """
        isThere = self.circle.target in self._delegate.conversations
        return isThere and self._delegate.isOnline and self._delegate.isSettled

    async def speak(self, piece: Piece) -> str:
        """
        Say the beginning of something.

        @return: the rest of its text; fails with L{NotNow} or L{Refused}.
        """
        if not self.isUp:
            raise NotNow(f"nobody of ours is in {self.title}")
        try:
            await self._delegate.pacer.acquire()
        except CancelledError as e:
            raise NotNow("we are leaving") from e
        start = opening(piece, isQuiet=False)
        said, rest = splitAt(piece.text, ROOM - len(start.encode()))
        content = textToContent(start + said)
        if piece.begun and await self._wasHeard(contentToText(content), piece.begun):
            return rest
        if piece.serial:
            self._spool.begin(piece, int(self._clock.seconds() * 1000))
        try:
            await self._delegate.send(self.circle.target, content)
        except NotSignedOn as e:
            self._spool.begin(piece, 0)
            raise NotNow(str(e)) from e
        except RequestRefused as e:
            self._spool.begin(piece, 0)
            raise Refused(str(e), isFinal=True) from e
        except WebQQError as e:
            # Perhaps it was heard all the same: the history will tell.
            raise Refused(str(e)) from e
        return rest

    async def _wasHeard(self, text: str, begun: int) -> bool:
        since = begun // 1000 - _SKEW
        try:
            recent = await self._delegate.recent(self.circle.target)
        except WebQQError:
            # Rather twice than not at all.
            return False
        return any(
            number == self.circle.account
            and message.time >= since
            and contentToText(message.content) == text
            for number, message in recent
        )

    def settled(self) -> None:
        """
        It is known who is there.
        """
        conversation = self._delegate.conversations.get(self.circle.target)
        members = conversation.members if conversation is not None else ()
        others = [
            (m.number, m.name) for m in members if m.number != self.circle.account
        ]
        for number, name in others:
            before = self.audience.names.get(number, name)
            if before != name and self.audience.isActive(number):
                self.listener.moved(self, before, f"is {name} now")
        self.audience.set(others)
        self.listener.changed(self)


class Reports:
    """
    Passes on what a resident tells to whoever wants to know what happens in a
    group.

    @ivar isSettled: whether it is known which groups there are, this time.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        self.tables: dict[Target, Table] = {}
        self.isSettled = False
        self._clock = clock
        self._lookup: IDelayedCall | None = None

    def signedOn(self, account: QQAccount) -> None:
        """
        It is signed on, and everybody is known.
        """
        self.isSettled = True
        self._log.info("{number} is signed on.", number=account.number)
        for target, table in self.tables.items():
            if target not in account.conversations:
                self._log.error(
                    "{number} is not in {place}: nothing is relayed there.",
                    number=account.number,
                    place=target.number,
                )
            table.settled()
        self._lookUpLater(account)

    def _lookUpLater(self, account: QQAccount) -> None:
        self.stop()
        if account.isOnline and not self.tables.keys() <= account.conversations.keys():
            self._lookup = self._clock.callLater(LOOKED_UP_AGAIN, self._lookUp, account)

    def _lookUp(self, account: QQAccount) -> None:
        self._lookup = None

        async def learn() -> None:
            await account.learn()
            account.changed()

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

    def changed(self, account: QQAccount) -> None:
        """
        It knows others than before.
        """
        for table in self.tables.values():
            table.settled()
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
        for table in self.tables.values():
            table.listener.changed(table)

    def messageReceived(self, account: QQAccount, message: IncomingMessage) -> None:
        """
        Somebody wrote.
        """
        table = self.tables.get(message.target)
        if table is not None:
            name = str(table.audience.names.get(message.author, "")) or str(
                message.author or "?"
            )
            table.audience.spoke(message.author)
            table.listener.learned(table, message.author, name, message)

    def presenceChanged(self, account: QQAccount, number: int, status: Status) -> None:
        """
        A friend came or went, which concerns nobody here.
        """

    def friendshipRequested(
        self, account: QQAccount, number: int, notice: FriendshipNotice
    ) -> None:
        """
        Somebody wants to be a friend; that is for a person to decide.
        """

    def groupChanged(self, account: QQAccount, notice: GroupNotice) -> None:
        """
        Somebody came into a group, or went.
        """
        table = self.tables.get(Target(TargetKind.GROUP, notice.number))
        how = _MOVES.get(notice.step)
        if table is None or how is None:
            return
        number = int(notice.memberNumber or 0)
        name = table.audience.nameOf(number)
        if name and table.audience.isActive(number):
            table.listener.moved(table, name, how)

    def captchaRequired(self, account: QQAccount, image: bytes) -> Awaitable[str]:
        """
        Nobody is there to read it.
        """
        self._log.error(
            "{number} is asked to read a captcha: sign it on once by other means.",
            number=account.number,
        )
        return fail(CaptchaUnsolved("the relay cannot read captchas"))

    def signedOff(self, account: QQAccount) -> None:
        """
        Its session is over.
        """

    def typing(self, account: QQAccount, number: int) -> None:
        """
        A friend is typing.
        """

    def shaken(self, account: QQAccount, number: int) -> None:
        """
        A friend shakes our window.
        """

    def leftGroup(self, account: QQAccount, target: Target) -> None:
        """
        It is in a group no longer.
        """
        table = self.tables.get(target)
        if table is not None:
            self._log.error(
                "{number} is not in {place} any more: nothing is relayed there.",
                number=account.number,
                place=target.number,
            )
            table.settled()

    def joinRequested(
        self, account: QQAccount, number: int, notice: GroupNotice
    ) -> None:
        """
        Somebody wants to be in a group; that is for a person to decide.
        """


class Delegate(QQAccount):
    """
    An account that is in groups for the relay.

    @ivar pacer: how fast it may speak.
    @ivar reports: where what happens to it goes.
    """

    def __init__(self, number: Number, clock: IReactorTime, spool: Spool) -> None:
        self.reports = Reports(clock)
        super().__init__(number, self.reports)
        self.pacer = Pacer(clock, BURST, SECONDS)
        self._clock = clock
        self._spool = spool

    def buildProtocol(self, account: Account) -> WebQQProtocol:
        return _Delegation(self, self.reports)

    @property
    def isSettled(self) -> bool:
        """
        Whether it is known which groups it is in, in this session.
        """
        return self.reports.isSettled

    def table(self, group: GroupRef, listener: Listener) -> Table:
        """
        Be in a group.
        """
        table = Table(group, self, self._spool, self._clock, listener)
        self.reports.tables[group.target] = table
        return table

    def stop(self) -> None:
        """
        Look for no groups any more.
        """
        self.reports.stop()

    def noticed(
        self, target: Target, message: GroupMessage | DiscussionMessage
    ) -> None:
        """
        Something came that will be a letter.
        """
        table = self.reports.tables.get(target)
        if table is None:
            return
        number = self.numberOf(message.sender)
        name = str(table.audience.names.get(number, ""))
        table.listener.noticed(
            table, messageKey(message), name, contentToText(message.content)
        )


class _Delegation(AccountProtocol):
    """
    One sign-on of a delegate; what comes is kept before the server is asked
    for more.
    """

    def __init__(self, delegate: Delegate, reports: Reports) -> None:
        super().__init__(delegate, reports)
        self._delegate = delegate

    def groupMessageReceived(self, message: GroupMessage) -> object:
        self._delegate.noticed(Target(TargetKind.GROUP, message.number), message)
        return super().groupMessageReceived(message)

    def discussionMessageReceived(self, message: DiscussionMessage) -> object:
        self._delegate.noticed(
            Target(TargetKind.DISCUSSION, message.discussion), message
        )
        return super().discussionMessageReceived(message)
