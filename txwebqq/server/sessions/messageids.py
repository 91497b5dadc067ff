"""
The ids that the server gives to messages and to other events.
"""

from __future__ import annotations

from collections.abc import Callable

from txwebqq.model import Number
from txwebqq.server.events.queued import MessageIds
from txwebqq.server.sessions.sessions import Random

UNSTORED = 2000
"""Maximum number of messages of a conversation of which the database may have no
history when the server is killed."""


class MessageIdGenerator:
    """
    Counters of message ids for each sender, and of sequence numbers for each
    group and discussion.

    @param now: returns the time in Unix seconds.
    @param lastSequence: returns the last stored sequence number of a group or
        discussion, 0 for none.
    """

    def __init__(
        self,
        now: Callable[[], float],
        random: Random,
        lastSequence: Callable[[Number], int],
    ) -> None:
        self._now = now
        self._random = random
        self._lastSequence = lastSequence
        self._messageIds: dict[Number, int] = {}
        self._sequences: dict[Number, int] = {}

    def next(self, sender: Number) -> MessageIds:
        """
        Return the ids of the next event that an account causes.
        """
        return MessageIds(
            sender=sender,
            time=int(self._now()),
            messageId=self.nextMessageId(sender),
            messageId2=self._random.getrandbits(31) or 1,
        )

    def nextMessageId(self, sender: Number) -> int:
        """
        Return the next C{msg_id} of an account.
        """
        # Clients drop a message whose id they have seen, also in an earlier
        # run of the server.
        last = self._messageIds.get(sender) or self._random.randrange(0, 30_000)
        self._messageIds[sender] = following = last % 65_535 + 1
        return following

    def nextSequence(self, conversation: Number) -> int:
        """
        Return the sequence number of the next message in a group or a
        discussion.
        """
        last = self._sequences.get(conversation)
        if last is None:
            # Some clients drop a message with a lower number as a repetition, so the
            # numbers must not start again with the server; its clock is behind them
            # after more than a message a second, or when it was set back.
            stored = self._lastSequence(conversation)
            last = max(int(self._now()), stored + UNSTORED if stored else 0)
        self._sequences[conversation] = last + 1
        return last + 1
