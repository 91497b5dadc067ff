"""
Handlers of the message history, recent conversations and read markers
(protocol.md 2.8.2, 2.2.10, 2.2.12).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import date

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from txwebqq import model
from txwebqq.model import (
    Code,
    Content,
    Did,
    HistoryDay,
    HistorySlice,
    HistoryStretch,
    Number,
    PastFile,
    PastMessage,
    Reacted,
    RecentContact,
    Uin,
)
from txwebqq.server.domain.files.offline import pastFiles
from txwebqq.server.domain.history import MAX_RECENT, HistoryEntry, conversationOf
from txwebqq.server.domain.interaction.readmarkers import ReadMarkerRules
from txwebqq.server.domain.refusals import MALFORMED, NO_SUCH_ID
from txwebqq.server.domain.state import ServerState
from txwebqq.server.events.extensions import hasReferences, withoutReferences
from txwebqq.server.events.queued import QueuedEvent
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.handlers import answers
from txwebqq.server.sessions.session import Session
from txwebqq.server.storage.conversations.history import DISCUSSION, GROUP, Conversation
from txwebqq.sqlite.database import isLocked
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.history import (
    DISCUSSION_LOG,
    NO_HISTORY,
    ChatLine,
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
from txwebqq.wire.commands.profiles import (
    GetRecentContact2,
    GetRecentList2,
    Recent,
)
from txwebqq.wire.events.interaction import readFace

FLUSH = 1.0
"""Maximum delay of writing a message to the history, in seconds."""

MAX_ROWS = 100
"""Maximum number of messages in a reply."""

NOTHING = Refusal(NO_HISTORY, "nothing has been said")
NO_GROUP = Refusal(NO_SUCH_ID, "gid is not the code of a group of yours")
NO_DISCUSSION = Refusal(NO_SUCH_ID, "gid is not the did of a discussion of yours")
_NO_CONVERSATION = Refusal(
    NO_SUCH_ID, "uin is not an id that conversations of yours of this type have"
)
_NO_MESSAGE = Refusal(
    NO_SUCH_ID,
    "after or before is not the id of a message in the history, or no longer",
)

_EPOCH = date(1970, 1, 1).toordinal()


class HistoryAPI:
    """
    The handlers of the message history, and the timer that writes it.
    """

    def __init__(
        self, state: ServerState, readMarkers: ReadMarkerRules, clock: IReactorTime
    ) -> None:
        self._state = state
        self._readMarkers = readMarkers
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

    def _friend(self, session: Session, uin: Uin) -> Conversation | None:
        # The reply must not tell whether the other account exists.
        number = session.sessionIds.person(uin)
        if number is None or number == session.number:
            return None
        return conversationOf(session.number, number)

    def _group(self, session: Session, code: Code) -> Conversation | None:
        number = session.sessionIds.groupOfCode(code)
        if number is None or not self._state.store.groups.isMember(
            number, session.number
        ):
            return None
        return GROUP, number, 0

    def _discussion(self, session: Session, did: Did) -> Conversation | None:
        # A did is the number of the discussion in all sessions.
        if not self._state.store.discussions.isMember(Number(did), session.number):
            return None
        return DISCUSSION, did, 0

    def _conversation(
        self, session: Session, kind: int, place: int
    ) -> Conversation | Refusal:
        """
        Return a conversation by its kind and id in the list of recent ones.
        """
        match kind:
            case model.RECENT_BUDDY:
                found = self._friend(session, Uin(place))
            case model.RECENT_GROUP:
                found = self._group(session, Code(place))
            case model.RECENT_DISCUSSION:
                found = self._discussion(session, Did(place))
            case _:
                return Refusal(MALFORMED, "type is not 0, 1 or 2")
        return found or _NO_CONVERSATION

    @answers(GetChatLog)
    def getChatLog(
        self, command: GetChatLog, session: Session, exchange: HTTPExchange
    ) -> ChatLog | Refusal:
        """
        C{GET /cgi-bin/webqq_chat/}: return a page of the messages between the
        account and another one.
        """
        conversation = self._friend(session, command.uin)
        if conversation is None:
            return Refusal(NO_SUCH_ID, "tuin is not the uin of an account")
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
            conversation, refusal = self._group(session, Code(command.did)), NO_GROUP
        else:
            conversation, refusal = (
                self._discussion(session, command.did),
                NO_DISCUSSION,
            )
        if conversation is None:
            return refusal
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

    @answers(GetHistory2)
    def getHistory2(
        self, command: GetHistory2, session: Session, exchange: HTTPExchange
    ) -> HistorySlice | Refusal:
        """
        C{GET /channel/get_history2}: return messages of a conversation after or
        before another message.
        """
        conversation = self._conversation(session, command.kind, command.id)
        if isinstance(conversation, Refusal):
            return conversation
        count = min(max(command.count, 1), MAX_ROWS)
        part = self._recorder.around(conversation, command.after, command.before, count)
        if part is None:
            return _NO_MESSAGE
        found = [entry.event.ids.messageId2 for entry in part.entries]
        reactions: dict[int, dict[str, list[Number]]] = {}
        if command.kind == model.RECENT_GROUP and found:
            reactions = self._state.store.reactions.of(Number(conversation[1]), found)
        messages = tuple(
            _past(session, entry, reactions.get(messageId, {}))
            for messageId, entry in zip(found, part.entries, strict=True)
        )
        files: tuple[PastFile, ...] = ()
        if part.files:
            lower, higher = conversation[1:]
            other = Number(higher if lower == session.number else lower)
            media, now = self._state.store.media, self._clock.seconds()
            files = pastFiles(media, session, other, part.files, now)
        return HistorySlice(messages, part.hasMore, files)

    @answers(SetRead2)
    def setRead2(
        self, command: SetRead2, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /channel/set_read2}: mark a conversation as read up to a message.
        """
        conversation = self._conversation(session, command.kind, command.id)
        if isinstance(conversation, Refusal):
            return conversation
        return self._readMarkers.mark(session.number, conversation, command.message)

    @answers(GetRecentList2, GetRecentContact2)
    def getRecentList2(
        self,
        command: GetRecentList2 | GetRecentContact2,
        session: Session,
        exchange: HTTPExchange,
    ) -> Recent | Refusal:
        """
        C{POST /channel/get_recent_list2} and C{POST /api/get_recent_contact2}:
        return the recent contacts of the account.
        """
        isDetailed = isinstance(command, GetRecentList2) and command.unread
        limit = MAX_ROWS if isDetailed else MAX_RECENT
        return tuple(
            self._contact(session, kind, number, isDetailed)
            for kind, number in self._recorder.recent(session.number, limit)
        )

    def _contact(
        self, session: Session, kind: int, number: Number, isDetailed: bool
    ) -> RecentContact:
        conversation: Conversation
        match kind:
            case model.RECENT_BUDDY:
                contact = RecentContact(kind, session.sessionIds.uin(number))
                conversation = conversationOf(session.number, number)
            case model.RECENT_GROUP:
                contact = RecentContact(kind, session.sessionIds.code(number))
                conversation = (GROUP, number, 0)
            case _:
                contact = RecentContact(kind, number)
                conversation = (DISCUSSION, number, 0)
        if not isDetailed:
            return contact
        newest = self._recorder.between(conversation, 0, 0, 1, newest=True)
        last, author = None, ""
        if newest:
            last = _past(session, newest[0])
            if kind != model.RECENT_BUDDY:
                account = self._state.store.accounts.get(newest[0].event.ids.sender)
                author = "" if account is None else account.nick
        return RecentContact(
            contact.kind,
            contact.id,
            self._readMarkers.unread(session.number, conversation),
            last,
            author,
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
            tuple(_past(session, entry) for entry in found),
            found[0].sequence,
            found[-1].sequence,
            alias,
            int(self._clock.seconds()),
        )


def _past(
    session: Session,
    entry: HistoryEntry,
    reactions: Mapping[str, Sequence[Number]] | None = None,
) -> PastMessage:
    """
    Return a message as a session sees it.

    @param reactions: the members who have reacted to it, by the face.
    """
    ids = entry.event.ids
    return PastMessage(
        session.sessionIds.uin(ids.sender),
        ids.time,
        _contentFor(session, entry.event),
        entry.sequence,
        ids.messageId2,
        ids.messageId,
        entry.event.font,
        tuple(
            Reacted(readFace(face), tuple(map(session.sessionIds.uin, numbers)))
            for face, numbers in (reactions or {}).items()
        ),
    )


def _contentFor(session: Session, event: QueuedEvent) -> Content:
    content = event.content
    # Clients of ours may ask before their first poll.
    if session.sendsAck is False and hasReferences(content):
        return withoutReferences(content)
    return content
