"""
File transfers and offline files (protocol.md 5.12-5.14).
"""

from __future__ import annotations

from typing import Any

from txwebqq.model import (
    FileNotice,
    FileStep,
    OfflineFile,
    OfflineFileNotice,
    TransferProgress,
    TransferredFile,
)
from txwebqq.wire.events.codec import EventCodec, commonMembers
from txwebqq.wire.record import Record, words

_DETAILS = {
    FileStep.OFFERED: "name inet_ip:address",
    FileStep.ENDED: "cancel_type:reason",
    FileStep.ACCEPTED: "",
}


def _notice(details: str) -> Record[FileNotice]:
    return Record(
        FileNotice,
        commonMembers("sender", 9)
        + f"mode:step type:kind session_id:session time {details}",
        step=words(FileStep),
    )


_WRITTEN = {step: _notice(details) for step, details in _DETAILS.items()}


def _encodeFileNotice(notice: FileNotice) -> dict[str, Any]:
    return _WRITTEN[notice.step].write(notice)


_FILE = Record(TransferredFile, "file_name:name file_status:status pro_id:id")
_TRANSFER = Record(
    TransferProgress,
    "msg_id:messageId from_uin:sender to_uin:recipient file_count=0 lc_id:localId now"
    " operation type:kind file_infos:files",
    files=(
        lambda files: tuple(_FILE.read(file) for file in files),
        lambda files: [_FILE.write(file) for file in files],
    ),
)


def _encodeTransfer(progress: TransferProgress) -> dict[str, Any]:
    return _TRANSFER.write(progress) | {"file_count": len(progress.files)}


CODECS: tuple[EventCodec[Any], ...] = (
    EventCodec(
        "file_message",
        FileNotice,
        _notice("name inet_ip:address cancel_type:reason").read,
        _encodeFileNotice,
    ),
    EventCodec("filesrv_transfer", TransferProgress, _TRANSFER.read, _encodeTransfer),
    EventCodec.ofRecord(
        "push_offfile",
        Record(
            OfflineFile,
            "msg_id:messageId rkey:key ip port from_uin:sender size name"
            " expire_time:expires time",
        ),
    ),
    EventCodec.ofRecord(
        "notify_offfile",
        Record(
            OfflineFileNotice,
            commonMembers("sender", 9) + "action filename:name filesize:size?",
        ),
    ),
)
