"""
Handlers of recalls, mutes, pokes and reactions (protocol.md 2.9).
"""

from __future__ import annotations

from txwebqq.server.domain.interaction.mutes import MuteRules
from txwebqq.server.domain.interaction.reactions import ReactionRules
from txwebqq.server.domain.interaction.recalls import RecallRules
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.handlers import answers
from txwebqq.server.sessions.session import Session
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.interaction import (
    MuteGroupMember,
    PokeGroupMember,
    RecallBuddyMsg2,
    RecallQunMsg2,
    SetReaction,
)


class InteractionAPI:
    """
    The handlers of recalls, mutes, pokes and reactions.
    """

    def __init__(
        self,
        recallRules: RecallRules,
        muteRules: MuteRules,
        reactionRules: ReactionRules,
    ) -> None:
        self._recallRules = recallRules
        self._muteRules = muteRules
        self._reactionRules = reactionRules

    @answers(RecallBuddyMsg2)
    def recallBuddyMsg2(
        self, command: RecallBuddyMsg2, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /channel/recall_buddy_msg2}: recall a message to a friend.
        """
        return self._recallRules.recallFromFriend(session, command.to, command.id)

    @answers(RecallQunMsg2)
    def recallQunMsg2(
        self, command: RecallQunMsg2, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /channel/recall_qun_msg2}: recall a message in a group.
        """
        return self._recallRules.recallFromGroup(session, command.group, command.id)

    @answers(MuteGroupMember)
    def muteGroupMember2(
        self, command: MuteGroupMember, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /api/mute_group_member2}: mute a member of a group, or all of them.
        """
        return self._muteRules.mute(
            session, command.code, command.member, command.seconds
        )

    @answers(PokeGroupMember)
    def pokeGroupMember2(
        self, command: PokeGroupMember, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /channel/poke_group_member2}: poke a member of a group.
        """
        return self._reactionRules.poke(session, command.group, command.member)

    @answers(SetReaction)
    def setReaction2(
        self, command: SetReaction, session: Session, exchange: HTTPExchange
    ) -> None | Refusal:
        """
        C{POST /channel/set_reaction2}: react to a message in a group.
        """
        return self._reactionRules.react(
            session, command.group, command.id, command.face, command.isSet
        )
