"""
Requests for the message history that the server keeps.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

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
from txwebqq.requests.requester import Requester, ebEmpty
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

NEWEST = HistoryRange(30)


class HistoryRequests(Requester):
    """
    Fetches earlier messages. A conversation without messages has an empty
    history, not a failure. The server does not keep fonts.
    """

    account: Account

    def fetchHistory(
        self, uin: Uin, page: int = 0, rows: int = 30
    ) -> Deferred[HistoryPage]:
        """
        Fetch messages between this account and another one
        (protocol.md 2.8.2). The sender of this account's messages is its
        number.

        @param page: the number of the page; 1 is the oldest, 0 the newest.
        @param rows: the number of messages of a page; servers have a limit.
        """

        def decode(log: ChatLog) -> HistoryPage:
            own = Uin(self.account.number)
            messages = tuple(
                PastMessage(
                    own if line.mine else uin,
                    line.time,
                    line.content,
                    line.sequence,
                    line.id,
                )
                for line in log.lines
            )
            return HistoryPage(messages, log.page, log.pages)

        return self.transport.call(GetChatLog, uin, page, rows).addCallback(decode)

    def fetchGroupHistory(
        self, code: Code, stretch: HistoryRange = NEWEST
    ) -> Deferred[HistoryStretch]:
        """
        Fetch messages of a group (protocol.md 2.8.2).

        @param code: the group's C{code}, not its C{gid}.
        @param stretch: the messages to fetch, by default the newest thirty.
            Messages before them have lower numbers than C{first} of the reply.
        """
        return self.transport.call(GroupChatLog, code, stretch).addErrback(
            ebEmpty, NO_HISTORY, HistoryStretch(())
        )

    def fetchDiscussionHistory(
        self, did: Did, stretch: HistoryRange = NEWEST
    ) -> Deferred[HistoryStretch]:
        """
        Fetch messages of a discussion (protocol.md 2.8.2).

        @param stretch: the messages to fetch, by default the newest thirty.
        """
        return self.transport.call(GetOnePage, did, stretch).addErrback(
            ebEmpty, NO_HISTORY, HistoryStretch(())
        )

    def fetchMemberHistory(
        self, code: Code, uin: Uin, since: int = 0, count: int = 30
    ) -> Deferred[HistoryStretch]:
        """
        Fetch the messages of one member in a group (protocol.md 2.8.2), the
        oldest first.

        @param since: the time after which they were sent, in Unix seconds.
        """
        return self.transport.call(UinTimeChatLog, code, uin, since, count).addErrback(
            ebEmpty, NO_HISTORY, HistoryStretch(())
        )

    def fetchHistoryDays(self, code: Code) -> Deferred[tuple[HistoryDay, ...]]:
        """
        Fetch the days on which a group had messages (protocol.md 2.8.2).
        """
        return self.transport.call(ChatLogDates, code).addErrback(
            ebEmpty, NO_HISTORY, ()
        )
