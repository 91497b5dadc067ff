"""
Requests about messages that were sent before, and signals in groups: recalls, mutes,
pokes and reactions.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from txwebqq.model import FOREVER as FOREVER
from txwebqq.model import Code, Face, Gid, Text, Uin
from txwebqq.requests.requester import Requester
from txwebqq.wire.commands.interaction import (
    MuteGroupMember,
    PokeGroupMember,
    RecallBuddyMsg2,
    RecallQunMsg2,
    SetReaction,
)


class InteractionRequests(Requester):
    """
    Recalls messages, mutes and pokes members of groups, and reacts to messages.

    These are extensions (docs/protocol.md 2.9): a server without them refuses, which
    is L{RequestRefused}.
    """

    def recallMessage(self, uin: Uin, messageId: int) -> Deferred[None]:
        """
        Recall a message that this account has sent to a friend.

        @param messageId: the id of the message (L{txwebqq.model.Sent}).

        @return: fires when the server has recalled it. Fails with L{RequestRefused}
            when the message is too old.
        """
        return self.transport.call(RecallBuddyMsg2, uin, messageId)

    def recallGroupMessage(self, gid: Gid, messageId: int) -> Deferred[None]:
        """
        Recall a message in a group: one of this account, or any in a group that it
        administers.

        @param messageId: the id of the message (L{txwebqq.model.Received.id}).

        @return: fires when the server has recalled it. Fails with L{RequestRefused}
            when the message is too old, or not ours.
        """
        return self.transport.call(RecallQunMsg2, gid, messageId)

    def muteMember(self, code: Code, member: Uin, seconds: int) -> Deferred[None]:
        """
        Mute a member of a group that this account administers.

        @param seconds: the length of the mute; 0 ends it.
        """
        return self.transport.call(MuteGroupMember, code, member, seconds)

    def muteGroup(self, code: Code, isMuted: bool) -> Deferred[None]:
        """
        Mute all members of a group but its owner and administrators, or end that.
        """
        seconds = FOREVER if isMuted else 0
        return self.transport.call(MuteGroupMember, code, Uin(0), seconds)

    def pokeMember(self, gid: Gid, member: Uin) -> Deferred[None]:
        """
        Poke a member of a group, for all to see. L{MessageRequests.shakeWindow
        <txwebqq.requests.messages.MessageRequests.shakeWindow>} is that for a friend.
        """
        return self.transport.call(PokeGroupMember, gid, member)

    def setReaction(
        self, gid: Gid, messageId: int, face: Face | Text | str, isSet: bool = True
    ) -> Deferred[None]:
        """
        React to a message in a group.

        @param messageId: the id of the message (L{txwebqq.model.Received.id}).
        @param face: an emoticon of QQ, or a Unicode emoji as a text, also as a
            L{str}.
        @param isSet: C{False} takes the reaction back.
        """
        if isinstance(face, str):
            face = Text(face)
        return self.transport.call(SetReaction, gid, messageId, face, isSet)
