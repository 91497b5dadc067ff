"""
Messages of the account itself, and names.
"""

from __future__ import annotations

from typing import Any

import pytest

from txwebqq.model import Number
from txwebqq.onebot.events import names, own
from txwebqq.onebot.events.names import NameStore
from txwebqq.onebot.events.own import OwnMessages, isOwn

OWN, ALI = 10001, 20001


def event(messageId: object, **fields: Any) -> dict[str, Any]:
    """
    Make the report of a message.
    """
    return {
        "post_type": "message_sent",
        "message_type": "private",
        "user_id": OWN,
        "target_id": ALI,
        "message_id": messageId,
        "message": "x",
        **fields,
    }


def test_isOwn() -> None:
    """
    A message of the account is one of either type.
    """
    number = Number(OWN)
    assert isOwn(event(1), number)
    assert isOwn(event(1, post_type="message", user_id=str(OWN)), number)
    assert not isOwn(event(1, post_type="message", user_id=ALI), number)
    assert not isOwn(event(1, post_type="notice"), number)


def test_elsewhere() -> None:
    """
    A message of another client is told, once; without an id as often as it comes.
    """
    messages = OwnMessages()
    assert [messages.arrived(event(5)) for _ in range(2)] == [True, False]
    assert [messages.arrived(event(None)) for _ in range(2)] == [True, True]


def test_afterAnswer() -> None:
    """
    A message that a call has sent is not told.
    """
    messages = OwnMessages()
    call = messages.sending("send_private_msg", {})
    assert messages.sent(call, 5) == []
    assert not messages.arrived(event("5"))


def test_beforeAnswer() -> None:
    """
    A report waits for the calls that are under way, and for no later ones.
    """
    messages = OwnMessages()
    first = messages.sending("send_private_msg", {})
    second = messages.sending("send_group_msg", {})
    ours, others = event(5), event(6)
    assert not messages.arrived(ours)
    assert not messages.arrived(others)
    third = messages.sending("send_private_msg", {})
    assert messages.sent(first, 5) == []
    assert messages.sent(second, 0) == [others]
    assert messages.sent(third, 7) == []
    assert not messages.arrived(others)
    # The link is gone: nothing waits.
    fourth = messages.sending("send_private_msg", {})
    assert not messages.arrived(event(8))
    messages.dropHeld()
    assert messages.sent(fourth, 0) == []
    assert messages.arrived(event(8))


def test_uploads() -> None:
    """
    A file that a call has uploaded is not told, when it comes for the first time.
    """
    messages = OwnMessages()
    params = {"group_id": 5, "name": "a", "file": ""}
    call = messages.sending("upload_group_file", params)
    messages.sent(call, 0)
    assert [messages.isUpload(True, 5, "a") for _ in range(2)] == [True, False]
    params = {"user_id": ALI, "name": "a", "file": ""}
    call = messages.sending("upload_private_file", params)
    report = [{"type": "file", "data": {"file": "a", "file_id": "x"}}]
    assert not messages.arrived(event(5, message=report))
    assert messages.sent(call, 0) == []
    assert messages.arrived(event(6, message=report))


@pytest.mark.parametrize("value", [None, "", "x", [], {}, [{}], -1, True, 1.5, 2**70])
@pytest.mark.parametrize("name", list(event(5)))
def test_wrongField(name: str, value: object) -> None:
    """
    A field of another type does not raise, also while a call is under way.
    """
    messages = OwnMessages()
    strange = event(5, **{name: value})
    isOwn(strange, Number(OWN))
    call = messages.sending("send_private_msg", {})
    messages.arrived(strange)
    messages.sent(call, 0)
    messages.arrived(strange)


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The memory is limited; reports that it has no room for are told.
    """
    monkeypatch.setattr(own, "MAX_KNOWN", 2)
    monkeypatch.setattr(own, "MAX_HELD", 1)
    messages = OwnMessages()
    assert [messages.arrived(event(n)) for n in (1, 2, 3, 1)] == [True] * 4
    call = messages.sending("send_private_msg", {})
    assert [messages.arrived(event(n)) for n in (5, 6)] == [False, True]
    assert messages.sent(call, 0) == [event(5)]


def test_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A name in a group comes before the nickname, and the last ones are remembered.
    """
    monkeypatch.setattr(names, "MAX_NAMES", 3)
    known = NameStore()
    known.keep(0, 1, "nick")
    known.keep(5, 1, "card")
    assert [known.find(group, 1) for group in (5, 6, 0)] == ["card", "nick", "nick"]
    known.keep(5, 1, "")
    assert known.find(5, 1) == "nick"
    for number in (2, 3, 4):
        known.keep(0, number, "x")
    assert [known.find(0, number) for number in (1, 2, 4)] == ["", "x", "x"]
