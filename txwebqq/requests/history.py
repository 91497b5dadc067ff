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
    HistorySlice,
    HistoryStretch,
    PastMessage,
    RecentContact,
    Uin,
)
from txwebqq.requests.requester import Requester, ebEmpty
from txwebqq.wire.commands.history import (
    NO_HISTORY,
    ChatLog,
    ChatLogDates,
    GetChatLog,
    GetHistory2,
    GetOnePage,
    GroupChatLog,
    HistoryRange,
    SetRead2,
    UinTimeChatLog,
)

NEWEST = HistoryRange(30)


class HistoryRequests(Requester):
    """
    Fetches earlier messages. A conversation without messages has an empty
    history, not a failure. Histories by pages and numbers have no fonts.
    """

    account: Account

    def fetchMessages(
        self, contact: RecentContact, after: int = 0, before: int = 0, count: int = 30
    ) -> Deferred[HistorySlice]:
        """
        Fetch messages of a conversation by the ids that events, C{Sent} and the
        history give them: the oldest ones after a message, or the newest ones before
        one, or of all. An extension (docs/protocol.md 2.2.12), which accounts of
        today's QQ do not have.

        @param contact: the conversation, of L{fetchRecent
            <txwebqq.requests.profiles.ProfileRequests.fetchRecent>} or by its kind and
            id: C{RecentContact(RECENT_BUDDY, uin)}.
        @param after: the id of a message, 0 for none, and so C{before}. With both, the
            oldest ones between them.
        @param count: the maximum number of messages; our server has a limit of 100.

        @return: fails with L{RequestRefused} when the history has no such message, or
            no longer, because it was recalled or is too old; and on a server without
            the extension.
        """
        return self.transport.call(
            GetHistory2, contact.kind, contact.id, after, before, count
        )

    def markRead(self, contact: RecentContact, messageId: int) -> Deferred[None]:
        """
        Mark a conversation as read up to a message, for all later sign-ons of the
        account. The marker never goes back. An extension (docs/protocol.md 2.2.12).

        @param contact: as of L{fetchMessages}.
        @param messageId: the id of a message, of this account or another one.

        @return: fires when the server has stored the marker. Fails as
            L{fetchMessages}.
        """
        return self.transport.call(SetRead2, contact.kind, contact.id, messageId)

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
