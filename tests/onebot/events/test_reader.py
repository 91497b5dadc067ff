"""
Events of OneBot 11: each kind of the standard and of the programs.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txwebqq.model import (
    SYSTEM,
    CardChanged,
    Event,
    FriendshipNotice,
    FriendshipStep,
    GroupFile,
    GroupMessage,
    GroupNotice,
    GroupStep,
    KickNotice,
    MemberMuted,
    MemberPoked,
    Mention,
    Message,
    MessageRecalled,
    MessageSent,
    Number,
    OfflineFile,
    Reaction,
    Reply,
    RosterChange,
    Shake,
    StrangerMessage,
    Text,
    Typing,
    UnknownEvent,
)
from txwebqq.model.notices import DISSOLVED, LEFT_ALONE, REMOVED
from txwebqq.onebot.events import reader as readerModule
from txwebqq.onebot.events.names import NameStore
from txwebqq.onebot.events.reader import EventReader
from txwebqq.onebot.reading import programIdOf
from txwebqq.onebot.segments import PictureStore

OWN, ALI, BOB, GROUP = 10001, 20001, 20002, 30001


def reader() -> EventReader:
    """
    Make a reader.
    """
    return EventReader(Number(OWN), PictureStore())


def read(post: str, kind: str, subType: str = "", **fields: Any) -> list[Event]:
    """
    Read an event.
    """
    event = {"post_type": post, f"{post}_type": kind, "time": 1795000000, **fields}
    if subType:
        event["sub_type"] = subType
    return reader().read({**event, "self_id": OWN})


def notice(kind: str, subType: str = "", **fields: Any) -> Event | None:
    """
    Read a notice.
    """
    found = read("notice", kind, subType, **fields)
    return found[0] if found else None


def message(**fields: Any) -> Event:
    """
    Read a message.
    """
    event = {
        "user_id": ALI,
        "message_id": 7,
        "message": [{"type": "text", "data": {"text": "hi"}}],
        "raw_message": "raw",
        **fields,
    }
    (found,) = read("message", event.pop("message_type", "private"), **event)
    return found


def test_private() -> None:
    """
    A friend's message.
    """
    found = message(sub_type="friend")
    assert found == Message(ALI, OWN, (Text("hi"),), 1795000000, 7, 7)  # type: ignore[arg-type]
    # Others are messages of friends too.
    assert message(sub_type="other") == found
    assert message() == found


def test_group() -> None:
    """
    A group's message, also an anonymous one.
    """
    found = message(message_type="group", group_id=GROUP, real_seq="341")
    assert isinstance(found, GroupMessage)
    assert (found.group, found.code, found.number) == (GROUP, GROUP, GROUP)
    assert (found.sender, found.sequence, found.time) == (ALI, 341, 1795000000)
    anonymous = message(
        message_type="group",
        sub_type="anonymous",
        group_id=GROUP,
        user_id=80000000,
        anonymous={"id": 1, "name": "x", "flag": "f"},
    )
    assert isinstance(anonymous, GroupMessage)
    assert anonymous.sender == 80000000


def test_temporary() -> None:
    """
    A message by way of a common group, which is in either place.
    """
    for fields in ({"group_id": GROUP}, {"sender": {"group_id": GROUP}}):
        found = message(sub_type="group", **fields)
        assert isinstance(found, StrangerMessage)
        assert (found.sender, found.place) == (ALI, GROUP)


def test_messageForms() -> None:
    """
    A message may be CQ codes, and where it is missing there is C{raw_message}.
    """
    forms: list[Any] = ["h&#91;i[CQ:reply,id=5]", None, [], 5]
    for said in forms:
        found = message(message=said, raw_message="h&#91;i")
        assert isinstance(found, Message)
        assert found.text == "h[i"


@pytest.mark.parametrize("number", [1, 2**31 - 1, 2**31, 2**32, -1, -5, -(2**31)])
def test_ids(number: int) -> None:
    """
    Ids are positive, no two the same, and come back as the program's.
    """
    for value in (number, str(number)):
        found = message(message_id=value)
        assert isinstance(found, Message)
        assert found.messageId == found.messageId2 == found.id > 0
        assert programIdOf(found.id) == number


def test_noId() -> None:
    """
    Without an id there is none.
    """
    values: list[Any] = [None, "", "x", [], 0, -(2**60)]
    for value in values:
        found = message(message_id=value)
        assert isinstance(found, Message)
        assert (found.messageId, found.messageId2) == (0, 0)


def test_system() -> None:
    """
    The sender 0 is the system.
    """
    found = message(user_id=0)
    assert isinstance(found, Message)
    assert found.sender == SYSTEM


@pytest.mark.parametrize("post", ["message_sent", "message"])
def test_ownMessages(post: str) -> None:
    """
    Messages of our own, as programs report them, have their place and id.
    """
    event = {
        "post_type": post,
        "user_id": OWN,
        "message_id": -5,
        "message": "hi",
        "time": 1795000000,
    }
    private = {**event, "message_type": "private", "target_id": ALI}
    (found,) = reader().read(private)
    assert isinstance(found, MessageSent)
    assert (found.group, found.to, found.text) == (0, ALI, "hi")
    assert (programIdOf(found.id), found.time) == (-5, 1795000000)
    group = {**event, "message_type": "group", "group_id": GROUP, "target_id": GROUP}
    (found,) = reader().read(group)
    assert isinstance(found, MessageSent)
    assert (found.group, found.code, found.number, found.to) == (GROUP,) * 3 + (0,)
    # Without its place it can be told to nobody.
    (unknown,) = reader().read({**private, "target_id": None})
    assert isinstance(unknown, UnknownEvent)


def test_names() -> None:
    """
    A mention without a name has the one that messages have told, in that group or
    else anywhere.
    """
    names = NameStore()
    known = EventReader(Number(OWN), PictureStore(), names)
    names.keep(0, BOB, "Bob")
    event = {
        "post_type": "message",
        "message_type": "group",
        "group_id": GROUP,
        "user_id": ALI,
        "message_id": 1,
        "sender": {"nickname": "Alice", "card": "Ali"},
        "message": [
            {"type": "reply", "data": {"id": "-7"}},
            *({"type": "at", "data": {"qq": str(who)}} for who in (ALI, BOB, 5)),
        ],
    }
    (found,) = known.read(event)
    assert isinstance(found, GroupMessage)
    reply, *mentions = found.content
    assert isinstance(reply, Reply)
    assert programIdOf(reply.id) == -7
    expected = [Mention(ALI, "Ali"), Mention(BOB, "Bob"), Mention(5, "5")]  # type: ignore[arg-type]
    assert mentions == expected
    assert found.text == "@Ali@Bob@5"
    card = {"post_type": "notice", "notice_type": "group_card", "user_id": BOB}
    (changed,) = known.read(
        {**card, "group_id": GROUP, "card_new": "Card", "card_old": ""}
    )
    assert isinstance(changed, CardChanged)
    assert (changed.member, changed.card, changed.number) == (BOB, "Card", GROUP)
    (found,) = known.read(event)
    assert isinstance(found, GroupMessage)
    assert found.content[2] == Mention(BOB, "Card")  # type: ignore[arg-type]
    # The card is of that group only.
    (found,) = known.read({**event, "group_id": 6, "sender": None})
    assert isinstance(found, GroupMessage)
    assert found.content[1] == Mention(ALI, str(ALI))  # type: ignore[arg-type]


def test_times() -> None:
    """
    A time that is none is 0.
    """
    for time in (None, "x", -5, 10**20, 1795000000000):
        found = message(time=time)
        assert isinstance(found, Message)
        assert found.time == 0


GROUP_NOTICES = [
    ("group_increase", "approve", GroupStep.JOINED, 0),
    ("group_increase", "invite", GroupStep.JOINED, 0),
    ("group_decrease", "leave", GroupStep.LEFT, LEFT_ALONE),
    ("group_decrease", "kick", GroupStep.LEFT, REMOVED),
    ("group_decrease", "kick_me", GroupStep.LEFT, REMOVED),
    ("group_decrease", "disband", GroupStep.LEFT, DISSOLVED),
    ("group_dismiss", "", GroupStep.LEFT, DISSOLVED),
    ("group_admin", "set", GroupStep.ADMIN, 1),
    ("group_admin", "unset", GroupStep.ADMIN, 0),
]


@pytest.mark.parametrize(("kind", "sub", "step", "operation"), GROUP_NOTICES)
def test_groupNotices(kind: str, sub: str, step: GroupStep, operation: int) -> None:
    """
    The notices about members.
    """
    found = notice(kind, sub, group_id=GROUP, user_id=ALI, operator_id=BOB)
    assert isinstance(found, GroupNotice)
    assert (found.step, found.operation, found.group) == (step, operation, GROUP)
    assert (found.member, found.admin) == (ALI, BOB)
    # The operator is 0 when alone, and when unknown.
    for operator in (ALI, 0, None):
        found = notice(kind, sub, group_id=GROUP, user_id=ALI, operator_id=operator)
        assert isinstance(found, GroupNotice)
        assert found.admin == 0
    # About ourselves it has our number, as on WebQQ.
    found = notice(kind, sub, group_id=GROUP, user_id=OWN, operator_id=BOB)
    assert isinstance(found, GroupNotice)
    assert (found.member, found.recipient, found.admin) == (OWN, OWN, BOB)


def test_notices() -> None:
    """
    The other notices that WebQQ has events for.
    """
    assert notice("friend_add", user_id=ALI) == RosterChange(added=((ALI, 0),))  # type: ignore[arg-type]
    assert notice("notify", "input_status", user_id=ALI, event_type=1) == Typing(
        ALI,  # type: ignore[arg-type]
        OWN,  # type: ignore[arg-type]
    )
    assert notice("notify", "input_status", user_id=ALI, event_type=2) is None
    shake = Shake(ALI, OWN)  # type: ignore[arg-type]
    assert notice("notify", "poke", user_id=ALI, target_id=OWN) == shake
    poke = {"user_id": ALI, "sender_id": ALI, "target_id": OWN}
    assert notice("notify", "poke", **poke) == shake
    # Our own.
    assert notice("notify", "poke", user_id=ALI, sender_id=OWN, target_id=ALI) is None
    assert notice("notify", "poke", user_id=OWN, target_id=OWN) is None
    file = {"name": "a.txt", "size": "12", "url": "http://x/a"}
    found = notice("offline_file", user_id=ALI, file=file)
    assert isinstance(found, OfflineFile)
    assert (found.sender, found.name, found.size, found.key) == (
        ALI,
        "a.txt",
        12,
        "http://x/a",
    )
    assert notice("bot_offline", message="下线\x00", tag="T") == KickNotice("下线")
    assert isinstance(notice("bot_offline"), KickNotice)


UNKNOWN = [
    # Without what the model needs.
    ("group_upload", ""),
    ("group_recall", ""),
    ("friend_recall", ""),
    ("notify", "lucky_king"),
    ("notify", "honor"),
    ("notify", "title"),
    ("notify", "group_name"),
    ("notify", "profile_like"),
    ("notify", "gray_tip"),
    ("group_card", ""),
    ("essence", "add"),
    ("client_status", ""),
    ("group_msg_emoji_like", ""),
    ("reaction", "add"),
    ("group_name_change", ""),
    ("bot_online", ""),
    ("online_file_send", ""),
    ("something_new", "x"),
]


@pytest.mark.parametrize(("kind", "sub"), UNKNOWN)
def test_unknown(kind: str, sub: str) -> None:
    """
    The others, and those without a needed field, are unknown events with all fields.
    """
    found = notice(kind, sub, group_id=GROUP, user_id=ALI, extra=[1])
    assert isinstance(found, UnknownEvent)
    assert found.pollType == "/".join(["onebot/notice", kind, *([sub] if sub else [])])
    assert found.value["extra"] == [1]


def test_requests() -> None:
    """
    Requests, and the ids for their answers.
    """
    known = reader()
    event = {"post_type": "request", "user_id": ALI, "comment": "c"}
    (found,) = known.read({**event, "request_type": "friend", "flag": 1795})
    assert found == FriendshipNotice(FriendshipStep.REQUESTED, ALI, ALI, "c")  # type: ignore[arg-type]
    asked = {**event, "request_type": "group", "group_id": GROUP, "flag": "F"}
    (found,) = known.read({**asked, "sub_type": "add"})
    assert isinstance(found, GroupNotice)
    assert (found.step, found.member, found.text) == (GroupStep.REQUESTED, ALI, "c")
    assert known.flags == {(ALI, 0): "1795", (ALI, GROUP): "F"}
    invited = {**asked, "sub_type": "invite", "user_id": BOB, "flag": "I"}
    (found,) = known.read(invited)
    assert isinstance(found, GroupNotice)
    assert (found.step, found.group, found.text) == (GroupStep.INVITED, GROUP, "c")
    assert (found.member, found.admin) == (0, BOB)
    assert known.flags[BOB, GROUP] == "I"
    (found,) = known.read({**invited, "group_id": None})
    assert isinstance(found, UnknownEvent)


def test_manyRequests(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The last requests can be answered.
    """
    monkeypatch.setattr(readerModule, "MAX_REQUESTS", 2)
    known = reader()
    for number in (1, 2, 1, 3):
        event = {"post_type": "request", "request_type": "friend", "user_id": number}
        known.read({**event, "flag": str(number)})
    assert known.flags == {(1, 0): "1", (3, 0): "3"}


def test_meta() -> None:
    """
    Meta events are not for the application.
    """
    assert read("meta_event", "heartbeat") == []


FIELDS = [
    "user_id",
    "group_id",
    "message_id",
    "message",
    "raw_message",
    "sender",
    "operator_id",
    "target_id",
    "sender_id",
    "file",
    "flag",
    "comment",
    "time",
    "real_seq",
    "event_type",
    "tag",
    "duration",
    "likes",
    "is_add",
    "code",
    "emoji_id",
    "qq",
]
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
TYPES = ["message", "notice", "request", "meta_event", "message_sent"]
ROWS = [(kind, sub) for kind, sub, *_ in GROUP_NOTICES] + UNKNOWN
SUBTYPES = [
    *sorted({sub for _, sub in ROWS}),
    "ban",
    "lift_ban",
    "poke",
    "input_status",
    "invite",
    "group",
]
NOTICES = [
    *sorted({kind for kind, _ in ROWS}),
    "friend_add",
    "group_ban",
    "offline_file",
]


@given(
    st.fixed_dictionaries(
        {"post_type": st.sampled_from(TYPES) | ANY},
        optional={
            "message_type": st.sampled_from(["private", "group"]) | ANY,
            "notice_type": st.sampled_from([*NOTICES, "bot_offline"]) | ANY,
            "request_type": st.sampled_from(["friend", "group"]) | ANY,
            "sub_type": st.sampled_from(SUBTYPES) | ANY,
            **dict.fromkeys(FIELDS, ANY | st.sampled_from([ALI, OWN, GROUP, "5"])),
        },
    )
)
def test_anyEvent(event: dict[str, Any]) -> None:
    """
    No event raises, with fields missing, null or of another type.
    """
    for found in reader().read(event):
        assert isinstance(found, Event)
        if isinstance(found, (Message, GroupMessage, StrangerMessage)):
            assert found.sender > 0
            assert 0 <= found.time <= 2**33
        if isinstance(found, (GroupMessage, GroupNotice, MemberMuted, MemberPoked)):
            assert found.group > 0
        if isinstance(found, (Reaction, GroupFile)):
            assert found.group > 0 < found.sender
        if isinstance(found, (MessageRecalled, Reaction)):
            assert found.id > 0
        if isinstance(found, MessageSent):
            assert bool(found.group) is not bool(found.to)


@pytest.mark.parametrize("value", [None, "", "x", [], {}, -1, True, 1.5, 2**70])
@pytest.mark.parametrize("name", FIELDS)
def test_wrongField(name: str, value: object) -> None:
    """
    A field of another type costs nothing but itself.
    """
    event = {
        "post_type": "message",
        "message_type": "group",
        "group_id": GROUP,
        "user_id": ALI,
        "message_id": 1,
        "message": "hi",
        "raw_message": "hi",
    }
    (found,) = reader().read({**event, name: value})
    if name in ("user_id", "group_id"):
        assert isinstance(found, UnknownEvent)
    else:
        assert isinstance(found, GroupMessage)
        assert (found.sender, found.group) == (ALI, GROUP)
