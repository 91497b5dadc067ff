"""
Rules of mutes in groups (protocol.md 2.9).
"""

from __future__ import annotations

from datetime import UTC, datetime

from txwebqq.model import Code, Gid, Number, Uin
from txwebqq.server.domain.groups import (
    NOT_IN_IT,
    NOT_OWNER,
    GroupRules,
    isAdmin,
    joinedGroup,
)
from txwebqq.server.domain.refusals import MALFORMED, NO_SUCH_ID, TOO_FAST
from txwebqq.server.domain.state import ServerState
from txwebqq.server.events.interactionkinds import GROUP_MUTE, newNotice
from txwebqq.server.records import GroupRecord
from txwebqq.server.sessions.session import Session
from txwebqq.server.storage.mutes import EVERYBODY
from txwebqq.wire.command import Refusal

MUTED = 113
"""The retcode for an account that is muted in a group."""

MAX_MUTE = 30 * 24 * 3600
"""Maximum length of the mute of a member, in seconds."""

ENDLESS = 2**31 - 1
"""The length of a mute of all members, in seconds: another request ends it."""

_NEVER = 2**53 - 1

_TOO_LONG = Refusal(MALFORMED, f"seconds is more than {MAX_MUTE} (30 days)")
_ALL_MUTED = Refusal(
    MUTED,
    "all members but the owner and administrators are muted until one of them ends it",
)


def muteRefusal(state: ServerState, group: Number, number: Number) -> Refusal | None:
    """
    Return the refusal of what a member sends to a group, if the member is muted.
    """
    now = int(state.now())
    own, everybody = state.store.mutes.until(group, number, now)
    if not own and not everybody:
        return None
    record = state.store.groups.get(group)
    if record is None or number == record.owner:
        return None
    if own:
        until = datetime.fromtimestamp(own, UTC)
        return Refusal(
            MUTED, f"you are muted in the group until {until:%Y-%m-%d %H:%M:%S} UTC"
        )
    return None if isAdmin(state.store.groups, record, number) else _ALL_MUTED


def groupToSendTo(state: ServerState, session: Session, gid: Gid) -> Number | Refusal:
    """
    Return the group with a gid, which the account of a session is a member of and not
    muted in.
    """
    group = joinedGroup(state.store.groups, session, gid)
    if isinstance(group, Refusal):
        return group
    return muteRefusal(state, group, session.number) or group


class MuteRules:
    """
    The rules of mutes.
    """

    def __init__(self, state: ServerState, groupRules: GroupRules) -> None:
        self._state = state
        self._groups = state.store.groups
        self._mutes = state.store.mutes
        self._groupRules = groupRules

    def mute(
        self, session: Session, code: Code, member: Uin, seconds: int
    ) -> Refusal | None:
        """
        Mute a member of a group, or end the mute. Only the owner can mute an
        administrator.

        @param member: 0 for all members but the owner and administrators.
        @param seconds: the length of the mute, 0 to end it.

        @return: L{None} when it is done.
        """
        group = self._groupRules.administered(session, code)
        if isinstance(group, Refusal):
            return group
        if seconds < 0:
            return Refusal(MALFORMED, "seconds is below 0")
        number = EVERYBODY
        if member:
            found = self._mutable(session, group, member)
            if isinstance(found, Refusal):
                return found
            number = found
            if seconds > MAX_MUTE:
                return _TOO_LONG
        # Each is an event that is stored for all members.
        if not self._state.sendingLimiter.takeMessage(session.number, group.number):
            return TOO_FAST
        now = int(self._state.now())
        if not seconds:
            if not self._mutes.remove(group.number, number, now):
                return None
        elif number == EVERYBODY:
            seconds = ENDLESS
            self._mutes.add(group.number, number, _NEVER, now)
        else:
            self._mutes.add(group.number, number, now + seconds, now)
        ids = self._state.messageIds.next(session.number)
        event = newNotice(
            GROUP_MUTE,
            ids,
            group=group.number,
            member=number,
            operator=session.number,
            seconds=seconds,
        )
        self._state.router.route(event, self._groups.memberNumbers(group.number))
        return None

    def _mutable(
        self, session: Session, group: GroupRecord, member: Uin
    ) -> Number | Refusal:
        """
        Return the number of a member whom the account of a session may mute.
        """
        number = self._groupRules.memberOf(session, group, member)
        if number is None:
            return NOT_IN_IT
        if number == group.owner:
            return Refusal(NO_SUCH_ID, "the owner cannot be muted")
        isOwner = session.number == group.owner
        return (
            NOT_OWNER
            if not isOwner and isAdmin(self._groups, group, number)
            else number
        )
