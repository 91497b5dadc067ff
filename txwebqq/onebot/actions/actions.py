"""
The commands of one account, and which of them OneBot 11 has nothing for.

Each command of L{txwebqq.wire.commands} says what is wanted, and is answered by
calls. Uins, gids and codes are the permanent numbers themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

from txwebqq.errors import MalformedReply, RequestRefused
from txwebqq.net.bodies import FileUpload, Sink
from txwebqq.onebot.actions import (
    groupfiles,
    groups,
    history,
    interaction,
    media,
    messages,
    people,
    settings,
)
from txwebqq.onebot.actions.calls import Calls, Handlers, refusal
from txwebqq.wire.command import Command
from txwebqq.wire.commands.filetransfers import GetFile2, RefuseFile2, SendFile
from txwebqq.wire.commands.friends import (
    AddNeedVerify2,
    AddNoVerify2,
    AnswerAndAdd2,
    SearchQQByUin2,
)
from txwebqq.wire.commands.groups import GetGroupMemberStat2, SearchGroups
from txwebqq.wire.commands.history import GetHistory2, UinTimeChatLog
from txwebqq.wire.commands.messages import GetOnlineBuddies2
from txwebqq.wire.commands.offlinefiles import NotifyOfffile2
from txwebqq.wire.commands.pictures import GetFace
from txwebqq.wire.commands.profiles import GetLongNick
from txwebqq.wire.multipart import UploadCommand

R = TypeVar("R")

_HANDLERS: Handlers = {
    **messages.HANDLERS,
    **interaction.HANDLERS,
    **people.HANDLERS,
    **groups.HANDLERS,
    **history.HANDLERS,
    **media.HANDLERS,
    **groupfiles.HANDLERS,
    **settings.HANDLERS,
}

_INSTEAD: Mapping[type[object], str] = {
    SearchQQByUin2: "fetchStranger fetches the profile of an account",
    AddNeedVerify2: "friends are added in a client of QQ",
    AddNoVerify2: "friends are added in a client of QQ",
    AnswerAndAdd2: "friends are added in a client of QQ",
    SearchGroups: "fetchGroupProfile fetches the profile of a group",
    GetGroupMemberStat2: "the presence of others is not told",
    GetOnlineBuddies2: "the presence of others is not told",
    UinTimeChatLog: "fetchGroupHistory fetches the messages of all members",
    GetHistory2: "fetchHistory and fetchGroupHistory fetch earlier messages",
    GetLongNick: "fetchSignature fetches one",
    GetFace: "avatars are at https://q1.qlogo.cn/g?b=qq&nk=NUMBER&s=640",
    SendFile: "sendOfflineFile sends a file",
    GetFile2: "fetchOfflineFile fetches a file",
    RefuseFile2: "a file that is not fetched is refused",
    NotifyOfffile2: "a file that is not fetched is refused",
}


class Actions:
    """
    Carries out the commands of one sign-on.

    A command fails with L{RequestRefused}, also when OneBot 11 has nothing for it,
    L{NotSent<txwebqq.errors.NotSent>}, L{Unreachable<txwebqq.errors.Unreachable>}
    or L{MalformedReply}.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def perform(self, command: Command[R]) -> Deferred[R]:
        """
        Carry out a command.

        @return: fires with what the command's reply would be.
        """
        handler = _HANDLERS.get(type(command))
        if handler is None:
            return self._run(command, _refuse(command))
        return self._run(command, handler(self._calls, command))

    def send(self, command: UploadCommand[R], source: FileUpload) -> Deferred[R]:
        """
        Keep a file for the message that it is for.

        @return: fires with what the command's reply would be.
        """
        handler = media.UPLOADS.get(type(command))
        if handler is None:
            kept = self._run(command, _refuse(command))
        else:
            kept = self._run(command, handler(self._calls, command, source))
        result: Deferred[R] = kept.addBoth(source.closeAfter)
        return result

    def fetch(self, command: Command[bytes], sink: Sink, limit: int) -> Deferred[int]:
        """
        Fetch a picture or a file.

        @return: fires with the number of bytes.
        """
        handler = groupfiles.DOWNLOADS.get(type(command))
        if handler is None:
            return self._run(command, _refuse(command))
        return self._run(command, handler(self._calls, command, sink, limit))

    def _run(self, command: Command[Any], work: Any) -> Deferred[Any]:
        async def run() -> Any:
            try:
                return await work
            except (TypeError, ValueError, KeyError) as e:
                raise MalformedReply(f"{command.endpointName}: {e}") from e

        return Deferred.fromCoroutine(run())


async def _refuse(command: Command[Any]) -> Any:
    raise notServed(command)


def notServed(command: Command[Any]) -> RequestRefused:
    """
    Make the failure of a command that OneBot 11 has nothing for.
    """
    instead = _INSTEAD.get(type(command))
    hint = f"; {instead}" if instead else ""
    return refusal(f"OneBot 11 has nothing for {command.endpointName}{hint}")
