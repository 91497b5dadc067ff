"""
Rules of read markers: what an account has read of its conversations
(protocol.md 2.2.12).
"""

from __future__ import annotations

from txwebqq.model import MANY_UNREAD, Number
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.server.domain.state import ServerState
from txwebqq.server.storage.conversations.history import Conversation
from txwebqq.wire.command import Refusal

NOT_KEPT = Refusal(NO_SUCH_ID, "this server keeps no history")
_NO_MESSAGE = Refusal(
    NO_SUCH_ID, "msg_id2 is not the id of a message in the history, or no longer"
)


class ReadMarkerRules:
    """
    The rules of read markers.

    An account has one for each conversation that it has read. They only go forward.
    Messages of others after it are unread, as far as the history has them.
    """

    def __init__(self, state: ServerState) -> None:
        self._recorder = state.recorder
        self._markers = state.store.readMarkers

    def mark(
        self, number: Number, conversation: Conversation, messageId: int
    ) -> Refusal | None:
        """
        Mark a conversation of an account as read up to a message.

        @return: L{None} if it is, also if it was read further before.

        @raise sqlite3.Error: when the database fails.
        """
        if self._recorder.keep <= 0:
            return NOT_KEPT
        found = self._recorder.find(conversation, messageId)
        if found is None:
            return _NO_MESSAGE
        self._markers.mark(number, conversation, found.stored.sequence)
        return None

    def unread(self, number: Number, conversation: Conversation) -> int:
        """
        Return the number of messages that an account has not read,
        L{MANY_UNREAD} for that many and more.
        """
        self._recorder.tryFlush()
        window = self._recorder.window
        return self._markers.unread(number, conversation, window, MANY_UNREAD)
