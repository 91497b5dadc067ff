"""
Offline files as texts in the history.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from txwebqq.model import Number
from txwebqq.server.events.queued import MessageIds
from txwebqq.wire.jsontext import encodeJSON


@dataclass(frozen=True, slots=True)
class FileEntry:
    """
    An offline file of the history.

    @ivar key: the key of its record, which is deleted before the entry.
    @ivar size: in bytes.
    @ivar expires: Unix seconds.
    """

    ids: MessageIds
    key: str = field(repr=False)
    name: str
    size: int
    expires: int


def encodeFileEntry(file: FileEntry) -> str:
    """
    Return an offline file as a text, without its sender and time, which the history
    has in columns.
    """
    ids = file.ids
    return encodeJSON(
        [
            [ids.messageId, ids.messageId2],
            file.key,
            file.name,
            file.size,
            file.expires,
        ]
    )


def decodeFileEntry(text: str, sender: Number, time: int) -> FileEntry:
    """
    Return the offline file that is stored as a text.
    """
    (messageId, messageId2), key, name, size, expires = json.loads(text)
    ids = MessageIds(sender, time, messageId, messageId2)
    return FileEntry(ids, key, name, size, expires)
