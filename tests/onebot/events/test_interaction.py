"""
Recalls, mutes, pokes, reactions and files of groups, as NapCat, LLTwoBot and others
send them.
"""

from __future__ import annotations

from typing import Any

import pytest

from txwebqq.faces import faceNamed
from txwebqq.model import (
    FOREVER,
    Event,
    Face,
    GroupFile,
    GroupMessage,
    MemberMuted,
    MemberPoked,
    MessageRecalled,
    Number,
    Reaction,
    Text,
    UnknownEvent,
)
from txwebqq.onebot.events import reader as readerModule
from txwebqq.onebot.events.interaction import fileKey, readFileKey
from txwebqq.onebot.events.reader import EventReader
from txwebqq.onebot.faces import emojiId, emojiOf, nameOf
from txwebqq.onebot.reading import programIdOf
from txwebqq.onebot.segments import PictureStore

OWN, ALI, BOB, GROUP = 10001, 20001, 20002, 30001


def read(kind: str, subType: str = "", **fields: Any) -> list[Event]:
    """
    Read a notice.
    """
    event = {"post_type": "notice", "notice_type": kind, "time": 1795000000, **fields}
    if subType:
        event["sub_type"] = subType
    return EventReader(Number(OWN), PictureStore()).read(event)


def test_recalls() -> None:
    """
    Recalls in groups and by friends, of ids with a sign, and as texts.
    """
    fields: dict[str, Any] = {
        "group_id": str(GROUP),
        "user_id": ALI,
        "message_id": "-9",
    }
    (found,) = read("group_recall", operator_id=BOB, **fields)
    assert isinstance(found, MessageRecalled)
    assert (found.group, found.code, found.number) == (GROUP, GROUP, GROUP)
    assert (found.sender, found.operator, found.time) == (ALI, BOB, 1795000000)
    assert (programIdOf(found.id), found.recipient) == (-9, OWN)
    for operator in (None, 0, ALI):
        (found,) = read("group_recall", operator_id=operator, **fields)
        assert isinstance(found, MessageRecalled)
        assert found.operator == ALI
    # The id is enough to hide it.
    (found,) = read("group_recall", group_id=GROUP, user_id=None, message_id=9)
    assert isinstance(found, MessageRecalled)
    assert found.sender == 0
    (found,) = read("friend_recall", user_id=ALI, message_id=9)
    assert isinstance(found, MessageRecalled)
    assert (found.group, found.sender, found.operator, found.id) == (0, ALI, ALI, 9)
    (found,) = read("friend_recall", user_id=None, message_id=9)
    assert isinstance(found, UnknownEvent)


MUTES = [
    # NapCat, LLTwoBot, Lagrange.
    ("ban", ALI, 600, 600),
    ("lift_ban", ALI, 0, 0),
    ("ban", 0, -1, FOREVER),
    ("lift_ban", 0, 0, 0),
    # LLTwoBot of all members.
    ("lift_ban", 0, -1, FOREVER),
    # Numbers as texts, missing, senseless.
    ("ban", str(ALI), "600", 600),
    ("ban", "0", "-1", FOREVER),
    ("ban", ALI, None, FOREVER),
    ("ban", 0, None, FOREVER),
    ("lift_ban", 0, None, 0),
    ("lift_ban", ALI, 600, 0),
    ("lift_ban", ALI, None, 0),
    ("ban", ALI, 2**40, FOREVER),
    ("ban", ALI, "x", FOREVER),
]


@pytest.mark.parametrize(("sub", "member", "duration", "seconds"), MUTES)
def test_mutes(sub: str, member: Any, duration: Any, seconds: int) -> None:
    """
    Mutes of members and of all.
    """
    fields = {"group_id": GROUP, "user_id": member, "operator_id": BOB}
    (found,) = read("group_ban", sub, duration=duration, **fields)
    assert isinstance(found, MemberMuted)
    assert (found.group, found.member, found.operator) == (GROUP, int(member), BOB)
    assert found.seconds == seconds


@pytest.mark.parametrize("member", [None, "", "x", -1, [], {}])
def test_mutedNobody(member: object) -> None:
    """
    A missing member is not everybody.
    """
    (found,) = read("group_ban", "ban", group_id=GROUP, user_id=member, duration=-1)
    assert isinstance(found, UnknownEvent)


def test_pokes() -> None:
    """
    Pokes in groups, but not our own, which come back.
    """
    fields: dict[str, Any] = {"group_id": GROUP, "target_id": OWN, "raw_info": [None]}
    (found,) = read("notify", "poke", user_id=ALI, **fields)
    assert isinstance(found, MemberPoked)
    assert (found.group, found.sender, found.target) == (GROUP, ALI, OWN)
    (found,) = read("notify", "poke", group_id=GROUP, user_id=ALI, target_id=BOB)
    assert isinstance(found, MemberPoked)
    assert found.target == BOB
    assert read("notify", "poke", group_id=GROUP, user_id=OWN, target_id=ALI) == []
    # LLTwoBot's end of a poke is another thing.
    (unknown,) = read("notify", "poke_recall", user_id=ALI, **fields)
    assert isinstance(unknown, UnknownEvent)
    for missing in ({"user_id": ALI}, {"target_id": ALI}):
        (unknown,) = read("notify", "poke", group_id=GROUP, **missing)
        assert isinstance(unknown, UnknownEvent)


def test_reactions() -> None:
    """
    Reactions as NapCat and LLTwoBot send them, with several emoticons at once, and as
    Lagrange does.
    """
    fields: dict[str, Any] = {"group_id": GROUP, "message_id": -9}
    likes: list[Any] = [
        {"emoji_id": "63", "count": 1},
        {"emoji_id": 128077},
        {"emoji_id": "201", "count": None},
        {"emoji_id": None},
        None,
    ]
    found = read("group_msg_emoji_like", user_id=ALI, likes=likes, **fields)
    rose = faceNamed("玫瑰")
    faces = []
    for each in found:
        assert isinstance(each, Reaction)
        assert (each.group, each.sender, programIdOf(each.id)) == (GROUP, ALI, -9)
        assert each.isSet
        faces.append(each.face)
    assert faces == [rose, Text("👍"), Text("[点赞]")]
    likes = [{"emoji_id": "63"}]
    (end,) = read(
        "group_msg_emoji_like", user_id=ALI, likes=likes, is_add=False, **fields
    )
    assert isinstance(end, Reaction)
    assert not end.isSet
    for sub in ("add", "remove"):
        (end,) = read("reaction", sub, operator_id=ALI, code="63", count=1, **fields)
        assert isinstance(end, Reaction)
        assert (end.face, end.isSet) == (rose, sub == "add")


@pytest.mark.parametrize(
    "fields",
    [
        {"likes": None},
        {"likes": [{"emoji_id": "x"}]},
        {"likes": [{"emoji_id": -1}]},
        {"likes": [{"emoji_id": 0xD800}]},
        {"likes": [{"emoji_id": 2**40}]},
        {"user_id": None},
        {"message_id": None},
        {"group_id": None},
    ],
)
def test_noReactions(fields: dict[str, Any]) -> None:
    """
    A reaction that cannot be read is an unknown event.
    """
    usual = {
        "group_id": GROUP,
        "user_id": ALI,
        "message_id": 9,
        "likes": [{"emoji_id": "63"}],
    }
    (found,) = read("group_msg_emoji_like", **{**usual, **fields})
    assert isinstance(found, UnknownEvent)


@pytest.mark.parametrize("number", [*range(500), 9728, 10084, 128077])
def test_reactionNumbers(number: int) -> None:
    """
    A reaction goes to WebQQ and back by its name or character.
    """
    face = emojiOf(str(number))
    assert face is not None
    back = emojiId(face)
    if number > 500:
        assert back == str(number)
    elif isinstance(face, Face) or not face.text.startswith("[face"):
        assert nameOf(int(back)) == nameOf(number)


FILE = {"id": "/a-b", "name": "a.txt", "size": "12", "busid": 102}


def sharedMessage(name: str = "a.txt", **fields: Any) -> dict[str, Any]:
    """
    Make the message that NapCat sends beside the notice.
    """
    data = {"file": name, "file_id": "/other", "file_size": "12"}
    return {
        "post_type": "message",
        "message_type": "group",
        "group_id": GROUP,
        "user_id": ALI,
        "message_id": 5,
        "message": [{"type": "file", "data": data}],
        **fields,
    }


def uploadNotice(**fields: Any) -> dict[str, Any]:
    """
    Make the notice of the standard.
    """
    return {
        "post_type": "notice",
        "notice_type": "group_upload",
        "group_id": GROUP,
        "user_id": ALI,
        "file": FILE,
        **fields,
    }


def test_files() -> None:
    """
    A file is told once, by whichever of its two events comes first, also when it is
    shared again.
    """
    known = EventReader(Number(OWN), PictureStore())
    (found,) = known.read(uploadNotice())
    assert isinstance(found, GroupFile)
    assert (found.group, found.sender, found.name, found.size) == (
        GROUP,
        ALI,
        "a.txt",
        12,
    )
    assert readFileKey(found.key) == (102, "/a-b")
    assert known.read(sharedMessage()) == []
    (found,) = known.read(sharedMessage())
    assert isinstance(found, GroupFile)
    assert readFileKey(found.key) == (0, "/other")
    assert known.read(uploadNotice()) == []
    # Another group, another file.
    assert known.read(uploadNotice(group_id=5)) != []
    assert known.read(sharedMessage("b.txt")) != []
    # Twice by programs that send only one of the events.
    assert known.read(uploadNotice(user_id=BOB)) != []
    assert known.read(uploadNotice(user_id=BOB)) != []
    # As CQ codes.
    code = "[CQ:file,file=c.txt,file_id=/c]"
    (found,) = known.read(sharedMessage(message=code))
    assert isinstance(found, GroupFile)
    assert found.name == "c.txt"


def test_manyFiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The last files are remembered.
    """
    monkeypatch.setattr(readerModule, "MAX_FILES", 2)
    known = EventReader(Number(OWN), PictureStore())
    for name in "abc":
        known.read(uploadNotice(file={**FILE, "name": name}))
    assert [len(known.read(sharedMessage(name))) for name in "cba"] == [0, 0, 1]


def test_strangeFiles() -> None:
    """
    Without a name or an id it is not told as a file, and a message with other parts
    is a message.
    """
    files: list[Any] = [None, "x", {}, {**FILE, "name": None}, {**FILE, "id": None}]
    for file in files:
        (found,) = read("group_upload", group_id=GROUP, user_id=ALI, file=file)
        assert isinstance(found, UnknownEvent)
    known = EventReader(Number(OWN), PictureStore())
    file = {"type": "file", "data": None}
    messages: list[Any] = [
        [file],
        [file, {"type": "text", "data": {"text": "x"}}],
        "[CQ:file,file=c.txt,file_id=/c] x",
    ]
    for message in messages:
        (found,) = known.read(sharedMessage(message=message))
        assert isinstance(found, GroupMessage)


def test_keys() -> None:
    """
    The key of a file is its ids, or else its URL.
    """
    assert readFileKey(fileKey(102, "/a:b")) == (102, "/a:b")
    assert readFileKey(fileKey(0, "", "https://x/a")) is None
    assert fileKey(0, "", "https://x/a") == "https://x/a"
    assert readFileKey("9" * 5000 + ":x") is None
