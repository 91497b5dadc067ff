"""
Requests about temporary chats: messages between accounts that are not friends
but share a group or a discussion.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail, succeed

from txwebqq.model import Did, Font, Gid, Sent, StrangerMessage, Uin
from txwebqq.requests.messages import (
    DEFAULT_FONT,
    MessageRequests,
    Sendable,
    contentOf,
)
from txwebqq.requests.splitting import TooLong
from txwebqq.wire.commands.temporary import (
    IN_DISCUSSION,
    IN_GROUP,
    GetC2cmsgSig2,
    SendSessMsg2,
)

SIGNATURE_LIFE = 300.0
"""Seconds for which the signature of a temporary chat is used again."""


class TemporaryChatRequests(MessageRequests):
    """
    Sends messages in temporary chats.
    """

    def sendStrangerMessage(
        self,
        uin: Uin,
        content: Sendable,
        *,
        group: Gid | None = None,
        discussion: Did | None = None,
        font: Font = DEFAULT_FONT,
        tooLong: TooLong = "split",
    ) -> Deferred[Sent]:
        """
        Send a message to a member of a shared group or discussion who is not a
        friend (protocol.md 2.2.5).

        @param group: the shared group; give either this or C{discussion}.
        @param discussion: the shared discussion.

        @return: fires with the message's id and time when the server has accepted
            it. Also fails with L{MessageTooLong} or L{PartlySent}, and with
            L{ValueError} unless exactly one of C{group} and C{discussion} is given.
        """
        shared: Gid | Did
        if group is not None and discussion is None:
            shared, service = group, IN_GROUP
        elif discussion is not None and group is None:
            shared, service = discussion, IN_DISCUSSION
        else:
            return fail(ValueError("give either the group or the discussion"))

        async def send() -> Sent:
            checked = contentOf(content)
            signature = await self.fetchTemporaryChatSignature(uin, shared, service)
            return await self.sendTo(
                ("stranger", uin),
                checked,
                lambda ticket, part, n: SendSessMsg2(
                    ticket, uin, signature, service, part, n, font
                ),
                tooLong,
            )

        return Deferred.fromCoroutine(send())

    def answerStranger(
        self,
        message: StrangerMessage,
        content: Sendable,
        font: Font = DEFAULT_FONT,
    ) -> Deferred[Sent]:
        """
        Reply to a message of a temporary chat, by way of the same group or
        discussion.
        """
        if message.service == IN_DISCUSSION:
            return self.sendStrangerMessage(
                message.sender, content, discussion=Did(message.place), font=font
            )
        return self.sendStrangerMessage(
            message.sender, content, group=Gid(message.place), font=font
        )

    def fetchTemporaryChatSignature(
        self, uin: Uin, shared: Gid | Did, service: int
    ) -> Deferred[str]:
        """
        Fetch the signature that messages of a temporary chat need, or use the one that
        was fetched in the last five minutes (protocol.md 2.2.5).

        @param service: 0 for a group, 1 for a discussion.
        """
        signatures = self.transport.temporaryChatSignatures
        key = uin, int(shared), service
        now = self.transport.seconds()
        for old, (fetched, _) in list(signatures.items()):
            if now - fetched >= SIGNATURE_LIFE:
                del signatures[old]
        if key in signatures:
            return succeed(signatures[key][1])

        def keep(signature: str) -> str:
            signatures[key] = now, signature
            return signature

        return self.transport.call(GetC2cmsgSig2, shared, uin, service).addCallback(
            keep
        )
