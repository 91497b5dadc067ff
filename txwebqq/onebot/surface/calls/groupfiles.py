"""
Calls about files of groups.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from msgspec.structs import replace

from txwebqq.model import GroupFile
from txwebqq.onebot.surface.calls.groups import groupGid
from txwebqq.onebot.surface.calls.table import Caller, CallTable, Params
from txwebqq.onebot.surface.events.interaction import BUSID
from txwebqq.onebot.surface.files import MAX_FILE
from txwebqq.onebot.surface.replies import CallFailed

TABLE = CallTable()

NO_FILE = "the file is not in the group, or no longer"


@TABLE.call("upload_group_file")
async def upload(caller: Caller, params: Params) -> Any:
    """
    Share a file in a group.
    """
    gid = await groupGid(caller, params.number("group_id"))
    file = await caller.account.fileLoader.load(params.text("file"))
    try:
        shared = caller.online.sendGroupFile(gid, file, params.textOr("name"))
        return {"file_id": caller.account.files.keep(await shared)}
    except OSError as e:
        raise CallFailed(f"the file cannot be read: {e.strerror}") from e


@TABLE.call("get_group_root_files")
async def getFiles(caller: Caller, params: Params) -> Any:
    """
    Return the files of a group, the oldest first; there are no folders.
    """
    online, number = caller.online, params.number("group_id")
    group = await online.directory.group(number)
    files = []
    for file in await online.fetchGroupFiles(await groupGid(caller, number)):
        uploader = await online.directory.numberOr(file.sender)
        member = group.members.get(uploader)
        files.append(
            {
                "group_id": number,
                "file_id": caller.account.files.keep(file),
                "file_name": file.name,
                "busid": BUSID,
                "file_size": file.size,
                "upload_time": file.time,
                "dead_time": file.expires,
                "modify_time": file.time,
                "download_times": 0,
                "uploader": uploader,
                "uploader_name": member.name if member else "",
            }
        )
    return {"files": files, "folders": []}


async def _file(caller: Caller, params: Params) -> GroupFile:
    """
    Return the file that a call names, as the present sign-on knows it.
    """
    files, name = caller.account.files, params.text("file_id")
    known = files.get(name)
    number = params.numberOr("group_id", known.number if known else 0)
    gid = await groupGid(caller, number)
    if known is None:
        for each in await caller.online.fetchGroupFiles(gid):
            files.keep(each)
        known = files.get(name)
    if known is None or known.number not in (0, number):
        raise CallFailed(NO_FILE)
    return replace(known, group=gid)


async def _fetched(caller: Caller, params: Params) -> tuple[GroupFile, str]:
    file = await _file(caller, params)
    if file.size <= MAX_FILE:
        data = bytes(await caller.online.fetchGroupFile(file))
        # Programs of today's QQ need not tell the size.
        if len(data) <= MAX_FILE:
            return file, b64encode(data).decode("ascii")
    raise CallFailed(f"the file has more than {MAX_FILE} bytes")


@TABLE.call("get_group_file_url")
async def getURL(caller: Caller, params: Params) -> Any:
    """
    Return a file of a group as base64: the server gives files to members alone.
    """
    _, encoded = await _fetched(caller, params)
    return {"url": f"base64://{encoded}"}


@TABLE.call("get_file")
async def getFile(caller: Caller, params: Params) -> Any:
    """
    Return a file of a group, of which a bot has heard, as base64.
    """
    file, encoded = await _fetched(caller, params)
    return {
        "file": file.name,
        "url": f"base64://{encoded}",
        "file_size": str(file.size),
        "file_name": file.name,
        "base64": encoded,
    }


@TABLE.call("delete_group_file")
async def delete(caller: Caller, params: Params) -> Any:
    """
    Delete a file of a group: one of ours, or any in a group that we administer.
    """
    file = await _file(caller, params)
    await caller.online.deleteGroupFile(file.group, file)
    caller.account.files.drop(params.text("file_id"))
