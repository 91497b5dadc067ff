"""
Notices about earlier messages, and signals in groups: recalls, mutes, pokes,
reactions and files.
"""

from __future__ import annotations

from txwebqq.model import (
    Gid,
    GroupFile,
    MemberMuted,
    MemberPoked,
    MessageRecalled,
    Number,
    Reaction,
    Uin,
)
from txwebqq.onebot.faces import emojiId
from txwebqq.onebot.surface.account import SurfaceAccount
from txwebqq.onebot.surface.directory import Directory

BUSID = 102
"""The C{busid} of all files, which calls need not give."""

FOREVER = -1
"""The duration of a mute of all members."""


class InteractionEvents:
    """
    Tells the bots of an account. A notice about a group that is not known is left
    out.
    """

    def __init__(self, account: SurfaceAccount, directory: Directory) -> None:
        self._account = account
        self._directory = directory

    def _groupNumber(self, gid: Gid, number: Number) -> int:
        return number or self._directory.groupNumber(gid)

    async def recalled(self, recall: MessageRecalled) -> None:
        """
        Tell of the recall of a message.
        """
        author = await self._directory.numberOr(recall.sender)
        store = self._account.messages
        if not recall.group:
            friend = author
            if author == self._account.number:
                # The recall does not say to whom the message was.
                friend = store.peerOf(recall.id)
            if friend:
                messageId = store.fromWireId(("private", friend), recall.id)
                self._account.notice(
                    "friend_recall", user_id=friend, message_id=messageId
                )
            return
        operator = await self._directory.numberOr(recall.operator)
        if group := self._groupNumber(recall.group, recall.number):
            self._account.notice(
                "group_recall",
                group_id=group,
                user_id=author,
                operator_id=operator,
                message_id=store.fromWireId(("group", group), recall.id),
            )

    async def muted(self, mute: MemberMuted) -> None:
        """
        Tell of the mute of a member or of all, or of its end.
        """
        member = await self._directory.numberOr(mute.member)
        operator = await self._directory.numberOr(mute.operator)
        duration = mute.seconds
        if not mute.member and duration:
            duration = FOREVER
        if group := self._groupNumber(mute.group, mute.number):
            self._account.notice(
                "group_ban",
                sub_type="ban" if duration else "lift_ban",
                group_id=group,
                user_id=member,
                operator_id=operator,
                duration=duration,
            )

    async def poked(self, poke: MemberPoked) -> None:
        """
        Tell of a poke in a group.
        """
        sender = await self._directory.numberOr(poke.sender)
        target = await self._directory.numberOr(poke.target)
        if group := self._groupNumber(poke.group, poke.number):
            self._account.notice(
                "notify",
                sub_type="poke",
                group_id=group,
                user_id=sender,
                target_id=target,
            )

    async def shaken(self, sender: Uin) -> None:
        """
        Tell of a window shake of a friend.
        """
        number = await self._directory.numberOr(sender)
        self._account.notice(
            "notify",
            sub_type="poke",
            user_id=number,
            sender_id=number,
            target_id=self._account.number,
        )

    async def fileShared(self, file: GroupFile) -> None:
        """
        Tell of a file of a group.
        """
        member = await self._directory.numberOr(file.sender)
        name = self._account.files.keep(file)
        if group := self._groupNumber(file.group, file.number):
            self._account.notice(
                "group_upload",
                group_id=group,
                user_id=member,
                file={"id": name, "name": file.name, "size": file.size, "busid": BUSID},
            )

    async def reacted(self, reaction: Reaction) -> None:
        """
        Tell of a reaction to a message, or of its end.
        """
        member = await self._directory.numberOr(reaction.sender)
        store = self._account.messages
        if group := self._groupNumber(reaction.group, reaction.number):
            self._account.notice(
                "group_msg_emoji_like",
                group_id=group,
                user_id=member,
                message_id=store.fromWireId(("group", group), reaction.id),
                likes=[{"emoji_id": emojiId(reaction.face), "count": 1}],
                is_add=reaction.isSet,
            )
