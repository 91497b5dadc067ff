"""
Handlers of the message history (protocol.md 2.8.2).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import date

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from txwebqq.model import (
    Code,
    Content,
    Did,
    HistoryDay,
    HistoryStretch,
    Number,
    PastMessage,
    Uin,
)
from txwebqq.server.domain.history import HistoryEntry, conversationOf
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.server.domain.state import ServerState
from txwebqq.server.events.extensions import hasReferences, withoutReferences
from txwebqq.server.events.queued import QueuedEvent
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.handlers import answers
from txwebqq.server.sessions.session import Session
from txwebqq.server.storage.history import DISCUSSION, GROUP, Conversation
from txwebqq.sqlite.database import isLocked
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.history import (
    DISCUSSION_LOG,
    NO_HISTORY,
    ChatLine,
    ChatLog,
    ChatLogDates,
    GetChatLog,
    GetOnePage,
    GroupChatLog,
    HistoryRange,
    UinTimeChatLog,
)

FLUSH = 1.0
"""Maximum delay of writing a message to the history, in seconds."""

MAX_ROWS = 100
"""Maximum number of messages in a reply."""

NOTHING = Refusal(NO_HISTORY, "nothing has been said")
NO_GROUP = Refusal(NO_SUCH_ID, "gid is not the code of a group of yours")
NO_DISCUSSION = Refusal(NO_SUCH_ID, "gid is not the did of a discussion of yours")

_EPOCH = date(1970, 1, 1).toordinal()


class HistoryAPI:
    """
    The handlers of the message history, and the timer that writes it.
    """

    def __init__(self, state: ServerState, clock: IReactorTime) -> None:
        self._state = state
        self._clock = clock
        self._recorder = state.recorder
        self._recorder.wake = self._wake
        self._flushing: IDelayedCall | None = None
        self._stopped = False

    def stop(self) -> None:
        """
        Write all recorded messages, and stop the timer.
        """
        self._stopped = True
        flushing, self._flushing = self._flushing, None
        if flushing is not None:
            flushing.cancel()
        self._flush()

    def _wake(self) -> None:
        if self._flushing is None and not self._stopped:
            self._flushing = self._clock.callLater(FLUSH, self._cbFlush)

    def _cbFlush(self) -> None:
        self._flushing = None
        if not self._flush():
            self._wake()

    def _flush(self) -> bool:
        try:
            self._recorder.flush()
        except sqlite3.Error as e:
            # Another process that writes ends soon, and nothing is lost.
            if not isLocked(e):
                self._state.onError(
                    "Writing the message history failed: {reason}; trying again.",
                    reason=str(e),
                )
            return False
        return True

    def _group(self, session: Session, code: Code) -> Conversation | None:
        number = session.sessionIds.groupOfCode(code)
        if number is None or not self._state.store.groups.isMember(
            number, session.number
        ):
            return None
        return GROUP, number, 0

    def _isInDiscussion(self, session: Session, did: Did) -> bool:
        # A did is the number of the discussion in all sessions.
        return self._state.store.discussions.isMember(Number(did), session.number)

    @answers(GetChatLog)
    def getChatLog(
        self, command: GetChatLog, session: Session, exchange: HTTPExchange
    ) -> ChatLog | Refusal:
        """
        C{GET /cgi-bin/webqq_chat/}: return a page of the messages between the
        account and another one.
        """
        number = session.sessionIds.person(command.uin)
        if number is None or number == session.number:
            return Refusal(NO_SUCH_ID, "tuin is not the uin of an account")
        # The reply must not tell whether the other account exists.
        conversation = conversationOf(session.number, number)
        rows = min(max(command.rows, 1), MAX_ROWS)
        pages = self._recorder.pages(conversation, rows)
        page = command.page if command.page > 0 else pages
        lines = (
            self._recorder.page(conversation, page, rows) if 0 < page <= pages else []
        )
        return ChatLog(
            command.uin,
            page,
            pages,
            tuple(
                ChatLine(
                    entry.event.ids.sender == session.number,
                    entry.event.ids.time,
                    _contentFor(session, entry.event),
                    entry.sequence,
                    entry.event.ids.messageId2,
                )
                for entry in lines
            ),
            command.callback,
        )

    @answers(GroupChatLog)
    def groupChatLog(
        self, command: GroupChatLog, session: Session, exchange: HTTPExchange
    ) -> HistoryStretch | Refusal:
        """
        C{GET /keycgi/top/groupchatlog}: return messages of a group.
        """
        conversation = self._group(session, command.code)
        if conversation is None:
            return NO_GROUP
        return self._stretch(session, conversation, command.code, command.range)

    @answers(GetOnePage)
    def getOnePage(
        self, command: GetOnePage, session: Session, exchange: HTTPExchange
    ) -> HistoryStretch | Refusal:
        """
        C{GET /cgi/top/get_one_page}: return messages of a discussion or a
        group.
        """
        if command.kind != DISCUSSION_LOG:
            conversation = self._group(session, Code(command.did))
            if conversation is None:
                return NO_GROUP
        elif self._isInDiscussion(session, command.did):
            conversation = (DISCUSSION, command.did, 0)
        else:
            return NO_DISCUSSION
        return self._stretch(session, conversation, command.did, command.range)

    @answers(UinTimeChatLog)
    def uinTimeChatLog(
        self, command: UinTimeChatLog, session: Session, exchange: HTTPExchange
    ) -> HistoryStretch | Refusal:
        """
        C{GET /keycgi/qqweb/group/uintimechatlog.do}: return the messages of
        one member of a group.
        """
        conversation = self._group(session, command.code)
        if conversation is None:
            return NO_GROUP
        sender = session.sessionIds.person(Uin(command.uin))
        if sender is None:
            return NOTHING
        count = min(max(command.count, 1), MAX_ROWS)
        found = self._recorder.bySender(conversation, sender, command.since, count)
        return self._answer(session, command.code, found)

    @answers(ChatLogDates)
    def chatLogDates(
        self, command: ChatLogDates, session: Session, exchange: HTTPExchange
    ) -> tuple[HistoryDay, ...] | Refusal:
        """
        C{GET /keycgi/top/chatlogdates}: return the days on which a group has
        messages.
        """
        conversation = self._group(session, command.code)
        if conversation is None:
            return NO_GROUP
        days = self._recorder.dates(conversation)
        if not days:
            return NOTHING
        return tuple(
            HistoryDay(date.fromordinal(_EPOCH + day), first, last)
            for day, first, last in days
        )

    def _stretch(
        self,
        session: Session,
        conversation: Conversation,
        alias: int,
        stretch: HistoryRange,
    ) -> HistoryStretch | Refusal:
        found = self._recorder.between(
            conversation,
            stretch.first,
            stretch.last,
            min(max(stretch.count, 1), MAX_ROWS),
            stretch.backwards,
        )
        return self._answer(session, alias, found)

    def _answer(
        self, session: Session, alias: int, found: Sequence[HistoryEntry]
    ) -> HistoryStretch | Refusal:
        if not found:
            return NOTHING
        return HistoryStretch(
            tuple(
                PastMessage(
                    session.sessionIds.uin(entry.event.ids.sender),
                    entry.event.ids.time,
                    _contentFor(session, entry.event),
                    entry.sequence,
                    entry.event.ids.messageId2,
                )
                for entry in found
            ),
            found[0].sequence,
            found[-1].sequence,
            alias,
            int(self._clock.seconds()),
        )


def _contentFor(session: Session, event: QueuedEvent) -> Content:
    content = event.content
    # Clients of ours may ask before their first poll.
    if session.sendsAck is False and hasReferences(content):
        return withoutReferences(content)
    return content
