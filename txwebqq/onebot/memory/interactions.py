"""
Recalls, mutes, pokes, reactions and files of groups: the calls about them, and the
notices.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

from txwebqq.onebot.memory.account import CallRefused, MemoryAccount
from txwebqq.onebot.reading import boolIn, numberIn, textIn

Handler = Callable[[MemoryAccount, Mapping[str, Any]], Any]
"""Serves an action: takes its parameters, and returns the data of the answer."""

BUSID = 102
"""The C{busid} of all files."""


def noticeOf(kind: str, subType: str = "", **fields: Any) -> dict[str, Any]:
    """
    Make a notice.
    """
    notice = {"post_type": "notice", "notice_type": kind, **fields}
    return {**notice, "sub_type": subType} if subType else notice


def recalled(account: MemoryAccount, messageId: int, operator: int) -> dict[str, Any]:
    """
    Remove a message from the history.

    @return: the notice about it.
    """
    place, message = account.find(messageId)
    account.history[place].remove(message)
    isGroup, number = place
    fields = {"user_id": message["user_id"], "message_id": messageId}
    if isGroup:
        fields |= {"group_id": number, "operator_id": operator}
    return noticeOf("group_recall" if isGroup else "friend_recall", **fields)


def muted(
    account: MemoryAccount, group: int, member: int, seconds: int, operator: int
) -> dict[str, Any]:
    """
    Mute a member, all with the number 0, or end that with no seconds.

    @return: the notice about it.
    """
    if member:
        account.roleOf(group, member)
    if seconds:
        account.muted[group, member] = int(account.clock.seconds()) + seconds
    else:
        account.muted.pop((group, member), None)
    return noticeOf(
        "group_ban",
        "ban" if seconds else "lift_ban",
        group_id=group,
        user_id=member,
        operator_id=operator,
        duration=seconds if member else -1 if seconds else 0,
    )


def poked(group: int, sender: int, target: int) -> dict[str, Any]:
    """
    Make the notice about a poke.

    @param group: 0 for a poke among friends.
    """
    where = {"group_id": group} if group else {"sender_id": sender}
    return noticeOf("notify", "poke", user_id=sender, target_id=target, **where)


def reacted(
    account: MemoryAccount, messageId: int, member: int, emoji: str, isSet: bool
) -> dict[str, Any]:
    """
    Set a reaction of a member, or take it back.

    @return: the notice about it.
    """
    (isGroup, group), _ = account.find(messageId)
    if not isGroup:
        raise CallRefused(1200, "不是群消息")
    members = account.reactions.setdefault((messageId, emoji), set())
    if isSet:
        members.add(member)
    else:
        members.discard(member)
    return noticeOf(
        "group_msg_emoji_like",
        group_id=group,
        user_id=member,
        message_id=messageId,
        likes=[{"emoji_id": emoji, "count": len(members)}],
        is_add=isSet,
    )


def shared(
    account: MemoryAccount, group: int, sender: int, name: str, file: str
) -> dict[str, Any]:
    """
    Add a file to those of a group.

    @param file: the address of its bytes.

    @return: the notice about it.
    """
    files = account.files.setdefault(group, {})
    fileId = f"/{group}-{len(files) + 1}"
    size = len(file.removeprefix("base64://").rstrip("=")) * 3 // 4
    files[fileId] = {
        "group_id": group,
        "file_id": fileId,
        "file_name": name,
        "busid": BUSID,
        "file_size": size,
        "upload_time": int(account.clock.seconds()),
        "dead_time": 0,
        "uploader": sender,
        "uploader_name": account.nickOf(sender),
        "url": file,
    }
    described = {"id": fileId, "name": name, "size": size, "busid": BUSID}
    return noticeOf("group_upload", group_id=group, user_id=sender, file=described)


def addressOf(data: bytes) -> str:
    """
    Return bytes as an address of them.
    """
    return "base64://" + b64encode(data).decode("ascii")


# Calls.


def _needAdmin(account: MemoryAccount, group: int) -> None:
    if account.roleOf(group, int(account.number)) == "member":
        raise CallRefused(1200, "ERR_NOT_GROUP_ADMIN")


def _delete(account: MemoryAccount, params: Mapping[str, Any]) -> Any:
    (isGroup, number), message = account.find(numberIn(params, "message_id"))
    if message["user_id"] != account.number:
        if not isGroup:
            raise CallRefused(1200, "不是自己的消息")
        _needAdmin(account, number)
    account.emit(recalled(account, message["message_id"], int(account.number)))


def _ban(account: MemoryAccount, params: Mapping[str, Any]) -> Any:
    group, member = numberIn(params, "group_id"), numberIn(params, "user_id")
    _needAdmin(account, group)
    seconds = numberIn(params, "duration", 1800)
    account.emit(muted(account, group, member, seconds, int(account.number)))


def _banAll(account: MemoryAccount, params: Mapping[str, Any]) -> Any:
    group = numberIn(params, "group_id")
    _needAdmin(account, group)
    seconds = 2**31 - 1 if boolIn(params, "enable", True) else 0
    account.emit(muted(account, group, 0, seconds, int(account.number)))


def _poke(account: MemoryAccount, params: Mapping[str, Any]) -> Any:
    group, member = numberIn(params, "group_id"), numberIn(params, "user_id")
    if group:
        account.roleOf(group, member)
    account.emit(poked(group, int(account.number), member))


def _like(account: MemoryAccount, params: Mapping[str, Any]) -> Any:
    messageId, emoji = numberIn(params, "message_id"), textIn(params, "emoji_id")
    isSet = boolIn(params, "set", True)
    account.emit(reacted(account, messageId, int(account.number), emoji, isSet))


def _upload(account: MemoryAccount, params: Mapping[str, Any]) -> Any:
    group = numberIn(params, "group_id")
    own = int(account.number)
    account.roleOf(group, own)
    name, file = textIn(params, "name"), textIn(params, "file")
    notice = shared(account, group, own, name, file)
    account.emit(notice)
    return {"file_id": notice["file"]["id"]}


def _file(account: MemoryAccount, params: Mapping[str, Any]) -> dict[str, Any]:
    files = account.files.get(numberIn(params, "group_id"), {})
    file = files.get(textIn(params, "file_id"))
    if file is None:
        raise CallRefused(1200, "文件不存在")
    return file


def _fileURL(account: MemoryAccount, params: Mapping[str, Any]) -> Any:
    return {"url": _file(account, params)["url"]}


def _files(account: MemoryAccount, params: Mapping[str, Any]) -> Any:
    files = account.files.get(numberIn(params, "group_id"), {})
    shown = [
        {name: value for name, value in file.items() if name != "url"}
        for file in files.values()
    ]
    return {"files": shown, "folders": []}


def _deleteFile(account: MemoryAccount, params: Mapping[str, Any]) -> Any:
    file = _file(account, params)
    if file["uploader"] != account.number:
        _needAdmin(account, file["group_id"])
    del account.files[file["group_id"]][file["file_id"]]


INTERACTIONS: Mapping[str, Handler] = {
    "delete_msg": _delete,
    "set_group_ban": _ban,
    "set_group_whole_ban": _banAll,
    "group_poke": _poke,
    "send_poke": _poke,
    "set_msg_emoji_like": _like,
    "upload_group_file": _upload,
    "get_group_file_url": _fileURL,
    "get_group_root_files": _files,
    "delete_group_file": _deleteFile,
}
"""The functions that serve the actions."""
