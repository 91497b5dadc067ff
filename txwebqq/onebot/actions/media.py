"""
Pictures, avatars and files.

OneBot 11 has no uploads: the bytes travel within the message. So an upload keeps
them, until the message is sent.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from hashlib import md5
from typing import Any

from txwebqq.errors import RequestRefused, Unreachable
from txwebqq.imagetypes import imageTypeOf
from txwebqq.net.bodies import FileUpload, Sink
from txwebqq.onebot.actions.calls import Calls, Handlers, refusal
from txwebqq.onebot.actions.downloads import IN_BASE64
from txwebqq.onebot.reading import objectOf, textIn
from txwebqq.wire.commands.offlinefiles import (
    GetOffpic2,
    OfflineFileDownload,
    SendOfffile2,
    StoredFile,
    UploadOfflineFile,
    UploadOfflinePic,
)
from txwebqq.wire.commands.pictures import (
    CfaceUpload,
    CustomFaceUploadResult,
    FaceSignature,
    GetCface2,
    GetGfaceSig2,
    GetGroupPic,
    ModifyMyHead,
)

MAX_UPLOAD = 30 * 1024 * 1024
"""Maximum size of a picture or a file to send, in bytes: programs take no frames
beyond 50 MiB."""

NO_PICTURE, TOO_LARGE = 1, 3
"""The results of an upload that is not kept."""


def _pictureName(data: bytes) -> str:
    imageType = imageTypeOf(data)
    digest = md5(data, usedforsecurity=False).hexdigest().upper()
    return "" if imageType is None else f"{digest}.{imageType.extension}"


def _read(source: FileUpload) -> bytes:
    if source.size > MAX_UPLOAD:
        raise RequestRefused(TOO_LARGE, f"more than {MAX_UPLOAD} bytes cannot be sent")
    return b"".join(source.chunks())


async def _keepPicture(
    calls: Calls, command: UploadOfflinePic, source: FileUpload
) -> StoredFile:
    data = _read(source)
    name = _pictureName(data)
    if not name:
        raise RequestRefused(NO_PICTURE, "the picture is not a jpg, gif, bmp or png")
    calls.memory.pictures.keepUploaded(name, data)
    return StoredFile(name, name, len(data))


async def _keepFace(
    calls: Calls, command: CfaceUpload, source: FileUpload
) -> CustomFaceUploadResult:
    data = _read(source)
    name = _pictureName(data)
    if not name:
        return CustomFaceUploadResult(NO_PICTURE)
    calls.memory.pictures.keepUploaded(name, data)
    return CustomFaceUploadResult(0, name)


async def _keepFile(
    calls: Calls, command: UploadOfflineFile, source: FileUpload
) -> StoredFile:
    data = _read(source)
    # Two files with one name may be on their way at once.
    path = f"/{command.fileId}"
    calls.memory.pictures.keepUploaded(path, data)
    return StoredFile(path, source.name, len(data), command.fileId)


UPLOADS: Mapping[type[Any], Callable[[Calls, Any, FileUpload], Awaitable[Any]]] = {
    UploadOfflinePic: _keepPicture,
    CfaceUpload: _keepFace,
    UploadOfflineFile: _keepFile,
}
"""The functions that keep the files of uploads."""


def keptFile(calls: Calls, name: str) -> tuple[str, int]:
    """
    Return an uploaded file as an address, and its size.

    @raise RequestRefused: when there is none.
    """
    data = calls.memory.pictures.uploaded(name)
    if data is None:
        raise refusal(f"the file {name} was not uploaded, or not recently")
    return IN_BASE64 + b64encode(data).decode("ascii"), len(data)


async def _signature(calls: Calls, command: GetGfaceSig2) -> FaceSignature:
    return FaceSignature("", "")


async def _sendFile(calls: Calls, command: SendOfffile2) -> None:
    params = {
        "user_id": int(command.to),
        "file": keptFile(calls, command.file)[0],
        "name": command.name,
    }
    await calls.send("upload_private_file", params)
    calls.memory.pictures.dropUploaded(command.file)


async def _setAvatar(calls: Calls, command: ModifyMyHead) -> None:
    if not command.name:
        raise refusal("OneBot 11 cannot remove an avatar")
    file = {"file": keptFile(calls, command.name)[0]}
    if command.group:
        params = {"group_id": int(command.group), **file}
        await calls.call("set_group_portrait", params)
    else:
        await calls.call("set_qq_avatar", file)


HANDLERS: Handlers = {
    GetGfaceSig2: _signature,
    SendOfffile2: _sendFile,
    ModifyMyHead: _setAvatar,
}
"""The functions that carry out the commands."""


async def _fetchPicture(
    calls: Calls, command: GetGroupPic | GetCface2, sink: Sink, limit: int
) -> int:
    return await _fetchNamed(calls, command.name, sink, limit)


async def _fetchPhoto(calls: Calls, command: GetOffpic2, sink: Sink, limit: int) -> int:
    return await _fetchNamed(calls, command.file, sink, limit)


async def _fetchNamed(calls: Calls, name: str, sink: Sink, limit: int) -> int:
    url = calls.memory.pictures.url(name)
    if url:
        try:
            return await calls.downloads.fetch(url, sink, limit)
        except Unreachable as e:
            # The key in an address expires; nothing was written then.
            if e.status is None:
                raise
    found = objectOf(await calls.call("get_image", {"file": name}))
    data = textIn(found, "base64")
    if data:
        url = IN_BASE64 + data.removeprefix(IN_BASE64)
    else:
        url = textIn(found, "url") or textIn(found, "file")
    return await calls.downloads.fetch(url, sink, limit)


async def _fetchFile(
    calls: Calls, command: OfflineFileDownload, sink: Sink, limit: int
) -> int:
    url = command.key
    if "://" not in url:
        params = {"file_id": command.key}
        url = textIn(objectOf(await calls.call("get_private_file_url", params)), "url")
    return await calls.downloads.fetch(url, sink, limit, command.start)


Download = Callable[[Calls, Any, Sink, int], Awaitable[int]]
"""Fetches a picture or a file: takes the sink and the maximum size in bytes."""

DOWNLOADS: Mapping[type[Any], Download] = {
    GetGroupPic: _fetchPicture,
    GetCface2: _fetchPicture,
    GetOffpic2: _fetchPhoto,
    OfflineFileDownload: _fetchFile,
}
"""The functions that fetch pictures and files."""
