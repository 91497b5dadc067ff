"""
History: what was said, as far as the server keeps it.
"""

from __future__ import annotations

from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from txwebqq.errors import RequestRefused
from txwebqq.model import (
    Account,
    Code,
    Did,
    HistoryDay,
    HistoryPage,
    HistoryStretch,
    PastMessage,
    Uin,
)
from txwebqq.requests.requester import Requester
from txwebqq.wire.commands.history import (
    NO_HISTORY,
    ChatLog,
    ChatLogDates,
    GetChatLog,
    GetOnePage,
    GroupChatLog,
    HistoryRange,
    UinTimeChatLog,
)

T = TypeVar("T")

NEWEST = HistoryRange(30)


def _orNothing(failure: Failure, nothing: T) -> T:
    failure.trap(RequestRefused)
    if failure.value.retcode != NO_HISTORY:  # type: ignore[union-attr]
        failure.raiseException()
    return nothing


class HistoryRequests(Requester):
    """
    What to know of the past. Where nothing has been said, nothing is answered;
    fonts are not kept.
    """

    account: Account

    def fetchHistory(
        self, uin: Uin, page: int = 0, rows: int = 30
    ) -> Deferred[HistoryPage]:
        """
        Ask what we and somebody else have said to each other
        (protocol.md 2.8.2). Our own messages have our number for a sender.

        @param page: which page; 1 is the oldest, 0 means the newest.
        @param rows: how many messages make a page; servers have a limit.
        """

        def page_(log: ChatLog) -> HistoryPage:
            own = Uin(self.account.number)
            messages = tuple(
                PastMessage(
                    own if line.mine else uin, line.time, line.content, line.sequence
                )
                for line in log.lines
            )
            return HistoryPage(messages, log.page, log.pages)

        return self.transport.call(
            lambda ticket: GetChatLog(ticket, uin, page, rows)
        ).addCallback(page_)

    def fetchGroupHistory(
        self, code: Code, stretch: HistoryRange = NEWEST
    ) -> Deferred[HistoryStretch]:
        """
        Ask what was said in a group (protocol.md 2.8.2).

        @param code: the group's C{code}, not its C{gid}.
        @param stretch: which messages; the newest thirty, if unsaid. Those
            before them have lower numbers than the C{first} of the answer.
        """
        asked = self.transport.call(lambda ticket: GroupChatLog(ticket, code, stretch))
        return asked.addErrback(_orNothing, HistoryStretch(()))

    def fetchDiscussionHistory(
        self, did: Did, stretch: HistoryRange = NEWEST
    ) -> Deferred[HistoryStretch]:
        """
        Ask what was said in a discussion (protocol.md 2.8.2).

        @param stretch: which messages; the newest thirty, if unsaid.
        """
        asked = self.transport.call(lambda ticket: GetOnePage(ticket, did, stretch))
        return asked.addErrback(_orNothing, HistoryStretch(()))

    def fetchMemberHistory(
        self, code: Code, uin: Uin, since: int = 0, count: int = 30
    ) -> Deferred[HistoryStretch]:
        """
        Ask what one member has said in a group (protocol.md 2.8.2).

        @param since: Unix seconds; what was said first after that comes first.
        """
        asked = self.transport.call(
            lambda ticket: UinTimeChatLog(ticket, code, uin, since, count)
        )
        return asked.addErrback(_orNothing, HistoryStretch(()))

    def fetchHistoryDays(self, code: Code) -> Deferred[tuple[HistoryDay, ...]]:
        """
        Ask on which days something was said in a group (protocol.md 2.8.2).
        """
        asked = self.transport.call(lambda ticket: ChatLogDates(ticket, code))
        return asked.addErrback(_orNothing, ())
