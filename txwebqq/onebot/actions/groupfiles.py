"""
Files of groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txwebqq.model import Code, Gid, GroupFile, Number, Uin
from txwebqq.net.bodies import Sink
from txwebqq.onebot.actions.calls import Calls, Handlers, refusal
from txwebqq.onebot.actions.media import DOWNLOADS as MEDIA_DOWNLOADS
from txwebqq.onebot.actions.media import Download, keptFile
from txwebqq.onebot.events.interaction import fileKey, readFileKey
from txwebqq.onebot.reading import idIn, objectOf, objectsIn, textIn, timeIn
from txwebqq.wire.commands.offlinefiles import (
    DeleteGroupFile2,
    GetGroupFileList2,
    GroupFileDownload,
    SendGroupFile2,
)


def _ids(gid: Gid, key: str) -> dict[str, Any]:
    """
    Make the parameters that name a file.
    """
    ids = readFileKey(key)
    if ids is None:
        raise refusal("the OneBot program has given no id of this file")
    busid, fileId = ids
    # go-cqhttp wants the busid; others do not look at it.
    return {"group_id": int(gid), "file_id": fileId, "busid": busid}


async def _share(calls: Calls, command: SendGroupFile2) -> GroupFile:
    address, size = keptFile(calls, command.file)
    group = int(command.group)
    params = {"group_id": group, "file": address, "name": command.name}
    answer = objectOf(await calls.send("upload_group_file", params))
    calls.memory.pictures.dropUploaded(command.file)
    return GroupFile(
        command.group,
        Code(group),
        Number(group),
        Uin(calls.number),
        command.name,
        size,
        fileKey(idIn(answer, "busid"), textIn(answer, "file_id")),
        time=int(calls.clock.seconds()),
        recipient=calls.number,
    )


async def _list(calls: Calls, command: GetGroupFileList2) -> tuple[GroupFile, ...]:
    group = int(command.group)
    found = objectOf(await calls.call("get_group_root_files", {"group_id": group}))
    files = (_readListed(calls, group, each) for each in objectsIn(found.get("files")))
    return tuple(sorted((each for each in files if each), key=lambda each: each.time))


def _readListed(calls: Calls, group: int, file: Mapping[str, Any]) -> GroupFile | None:
    name = textIn(file, "file_name")
    key = fileKey(idIn(file, "busid"), textIn(file, "file_id"))
    if not (name and key):
        return None
    return GroupFile(
        Gid(group),
        Code(group),
        Number(group),
        Uin(idIn(file, "uploader")),
        name,
        idIn(file, "file_size") or idIn(file, "size"),
        key,
        expires=timeIn(file, "dead_time"),
        time=timeIn(file, "upload_time"),
        recipient=calls.number,
    )


async def _delete(calls: Calls, command: DeleteGroupFile2) -> None:
    await calls.call("delete_group_file", _ids(command.group, command.key))


HANDLERS: Handlers = {
    SendGroupFile2: _share,
    GetGroupFileList2: _list,
    DeleteGroupFile2: _delete,
}
"""The functions that carry out the commands."""


async def _fetch(
    calls: Calls, command: GroupFileDownload, sink: Sink, limit: int
) -> int:
    url = command.key
    if not url.startswith(("http://", "https://", "base64://")):
        ids = _ids(command.group, command.key)
        url = textIn(objectOf(await calls.call("get_group_file_url", ids)), "url")
    return await calls.downloads.fetch(url, sink, limit, command.start)


DOWNLOADS: Mapping[type[Any], Download] = {**MEDIA_DOWNLOADS, GroupFileDownload: _fetch}
"""The functions that fetch pictures and files, also those of groups."""
