"""
File transfers and offline files (protocol.md 5.12-5.14).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txwebqq.model import (
    FileNotice,
    FileStep,
    OfflineFile,
    OfflineFileNotice,
    TransferProgress,
    TransferredFile,
)
from txwebqq.wire.coerce import textOf, unsigned
from txwebqq.wire.events.codec import EventCodec, commonMembers, numberOrZero


def _decodeFileNotice(value: Mapping[str, Any]) -> FileNotice:
    return FileNotice(
        step=FileStep(value["mode"]),
        sender=unsigned(value["from_uin"]),
        session=unsigned(value["session_id"]),
        recipient=numberOrZero(value, "to_uin"),
        name=textOf(value.get("name", "")),
        reason=numberOrZero(value, "cancel_type"),
        time=numberOrZero(value, "time"),
        kind=unsigned(value.get("type", 101)),
        address=numberOrZero(value, "inet_ip"),
        messageId=numberOrZero(value, "msg_id"),
        messageId2=numberOrZero(value, "msg_id2"),
    )


def _encodeFileNotice(notice: FileNotice) -> dict[str, Any]:
    value = commonMembers(notice, notice.sender, 9) | {
        "mode": notice.step.value,
        "type": notice.kind,
        "session_id": notice.session,
        "time": notice.time,
    }
    match notice.step:
        case FileStep.OFFERED:
            value |= {"name": notice.name, "inet_ip": notice.address}
        case FileStep.ENDED:
            value["cancel_type"] = notice.reason
    return value


def _decodeTransfer(value: Mapping[str, Any]) -> TransferProgress:
    return TransferProgress(
        sender=unsigned(value["from_uin"]),
        files=tuple(
            TransferredFile(
                textOf(file["file_name"]),
                unsigned(file["file_status"]),
                numberOrZero(file, "pro_id"),
            )
            for file in value["file_infos"]
        ),
        localId=unsigned(value["lc_id"]),
        operation=unsigned(value["operation"]),
        now=numberOrZero(value, "now"),
        recipient=numberOrZero(value, "to_uin"),
        kind=unsigned(value.get("type", 101)),
        messageId=numberOrZero(value, "msg_id"),
    )


def _encodeTransfer(progress: TransferProgress) -> dict[str, Any]:
    return {
        "msg_id": progress.messageId,
        "from_uin": progress.sender,
        "to_uin": progress.recipient,
        "file_count": len(progress.files),
        "lc_id": progress.localId,
        "now": progress.now,
        "operation": progress.operation,
        "type": progress.kind,
        "file_infos": [
            {"file_name": f.name, "file_status": f.status, "pro_id": f.id}
            for f in progress.files
        ],
    }


def _decodeOfflineFile(value: Mapping[str, Any]) -> OfflineFile:
    return OfflineFile(
        sender=unsigned(value["from_uin"]),
        name=textOf(value["name"]),
        size=unsigned(value["size"]),
        key=textOf(value["rkey"]),
        ip=textOf(value["ip"]),
        port=unsigned(value["port"]),
        expires=numberOrZero(value, "expire_time"),
        time=numberOrZero(value, "time"),
        messageId=numberOrZero(value, "msg_id"),
    )


def _encodeOfflineFile(file: OfflineFile) -> dict[str, Any]:
    return {
        "msg_id": file.messageId,
        "rkey": file.key,
        "ip": file.ip,
        "port": file.port,
        "from_uin": file.sender,
        "size": file.size,
        "name": file.name,
        "expire_time": file.expires,
        "time": file.time,
    }


def _decodeOfflineFileNotice(value: Mapping[str, Any]) -> OfflineFileNotice:
    return OfflineFileNotice(
        sender=unsigned(value["from_uin"]),
        action=unsigned(value["action"]),
        name=textOf(value["filename"]),
        size=numberOrZero(value, "filesize"),
        recipient=numberOrZero(value, "to_uin"),
        messageId=numberOrZero(value, "msg_id"),
        messageId2=numberOrZero(value, "msg_id2"),
    )


def _encodeOfflineFileNotice(notice: OfflineFileNotice) -> dict[str, Any]:
    return commonMembers(notice, notice.sender, 9) | {
        "action": notice.action,
        "filename": notice.name,
        "filesize": notice.size,
    }


CODECS = (
    EventCodec("file_message", FileNotice, _decodeFileNotice, _encodeFileNotice),
    EventCodec("filesrv_transfer", TransferProgress, _decodeTransfer, _encodeTransfer),
    EventCodec("push_offfile", OfflineFile, _decodeOfflineFile, _encodeOfflineFile),
    EventCodec(
        "notify_offfile",
        OfflineFileNotice,
        _decodeOfflineFileNotice,
        _encodeOfflineFileNotice,
    ),
)
