"""
Messages of the account itself: programs report those that were sent through them
beside those that another client has sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txwebqq.model import Number
from txwebqq.onebot.events.interaction import fileIn
from txwebqq.onebot.reading import idIn, messageIdIn, textIn

MAX_KNOWN = 1000
"""Own messages, and files, that are remembered."""

MAX_HELD = 1000
"""Events that wait at most."""

_UPLOADS = {"upload_group_file": "group_id", "upload_private_file": "user_id"}


def isOwn(event: Mapping[str, Any], number: Number) -> bool:
    """
    Return whether an event is a message that the account has sent.
    """
    post = event.get("post_type")
    return post == "message_sent" or (
        post == "message" and idIn(event, "user_id") == number
    )


class OwnMessages:
    """
    Recognises the messages that were sent by this account's own calls, and those that
    have come before.

    The report of a message may come before the answer to its call, which has the id:
    so it waits for the answers to all calls that are under way.
    """

    def __init__(self) -> None:
        self._known: dict[int, None] = {}
        self._files: dict[tuple[str, int, str], None] = {}
        self._calls = 0
        self._pending: set[int] = set()
        self._held: list[tuple[set[int], Mapping[str, Any]]] = []

    def sending(self, action: str, params: Mapping[str, Any]) -> int:
        """
        Remember that a call which may send a message is under way.

        @return: the number of the call, for L{sent}.
        """
        place = _UPLOADS.get(action)
        if place is not None:
            _remember(self._files, (place, params[place], params["name"]))
        self._calls += 1
        self._pending.add(self._calls)
        return self._calls

    def sent(self, call: int, messageId: int) -> list[Mapping[str, Any]]:
        """
        Remember the end of a call.

        @param messageId: the id of the message, 0 where it is not known.

        @return: the events that have waited, and are messages of another client.
        """
        if messageId:
            _remember(self._known, messageId)
        self._pending.discard(call)
        ready = []
        for waiting in list(self._held):
            calls, event = waiting
            calls.discard(call)
            if not calls:
                self._held.remove(waiting)
                if self._isNew(event):
                    ready.append(event)
        return ready

    def arrived(self, event: Mapping[str, Any]) -> bool:
        """
        Return whether a message of the account is one of another client. One that may
        yet turn out to be ours is kept, for L{sent}.
        """
        if messageIdIn(event) in self._known:
            return False
        if self._pending and len(self._held) < MAX_HELD:
            self._held.append((set(self._pending), event))
            return False
        return self._isNew(event)

    def dropHeld(self) -> None:
        """
        Forget the events that wait, and the calls: the link is gone.
        """
        self._held.clear()
        self._pending.clear()

    def isUpload(self, isGroup: bool, number: int, name: str) -> bool:
        """
        Return whether a file of the account was uploaded by a call, and forget that.
        """
        key = "group_id" if isGroup else "user_id", number, name
        if key in self._files:
            del self._files[key]
            return True
        return False

    def _isNew(self, event: Mapping[str, Any]) -> bool:
        messageId = messageIdIn(event)
        if messageId in self._known:
            return False
        if messageId:
            _remember(self._known, messageId)
        file = fileIn(event)
        # A file of a group is told by a notice too.
        isPrivate = event.get("message_type") != "group"
        return not (
            isPrivate
            and file is not None
            and self.isUpload(False, idIn(event, "target_id"), textIn(file, "name"))
        )


def _remember(known: dict[Any, None], key: Any) -> None:
    known.pop(key, None)
    known[key] = None
    if len(known) > MAX_KNOWN:
        del known[next(iter(known))]
