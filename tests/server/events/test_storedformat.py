"""
Queued events in the database, as this version and all before it write them.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.harness import ALICE, BOB, CAROL, CATS, storeEvent
from txwebqq.model import (
    Content,
    Face,
    Font,
    GroupPicture,
    Mention,
    Number,
    OfflinePicture,
    Reply,
    Text,
    UnknownSegment,
)
from txwebqq.server.events.groupfiles import GROUP_FILE
from txwebqq.server.events.interactionkinds import (
    FRIEND_RECALL,
    GROUP_CARD,
    GROUP_EDIT,
    GROUP_MUTE,
    GROUP_POKE,
    GROUP_REACTION,
    GROUP_RECALL,
    JOIN_ANSWER,
    newNotice,
)
from txwebqq.server.events.kinds import (
    DISCUSSION_MESSAGE,
    FILE_NOTICE,
    FRIEND_EDIT,
    FRIEND_MESSAGE,
    FRIENDSHIP_NOTICE,
    GROUP_MESSAGE,
    GROUP_NOTICE,
    GROUP_SHARE,
    KINDS,
    OFFLINE_FILE,
    OFFLINE_FILE_NOTICE,
    ROSTER_CHANGE,
    SHAKE,
    SIGNATURE_CHANGE,
    TEMPORARY_MESSAGE,
    TRANSFER_PROGRESS,
    TYPING,
)
from txwebqq.server.events.queued import MessageIds, QueuedEvent
from txwebqq.server.events.storedformat import decodeQueued, encodeQueued
from txwebqq.server.storage.store import Store

IDS = MessageIds(ALICE, 1366004047, 10171, 158459)
CONTENT = (Text("茶\n"), Face(14), GroupPicture("a.jpg", 7, "key", "1.2.3.4:80"))
FONT = Font("宋体", 9, True, False, True, "00ff00")
MARK = '"mark":[10001,1366004047,10171,158459]'

MESSAGE = (
    rf'{MARK},"content":["\u8336\n",["face",14],'
    r'["cface",{"picture":["a.jpg",7,"key","1.2.3.4:80"]}]],'
    r'"font":["\u5b8b\u4f53",9,true,false,true,"00ff00"]'
)

NOTICE_IDS = '"time":1366004047,"messageId":10171,"messageId2":158459'

STORED = {
    f"{{{MESSAGE}}}": FRIEND_MESSAGE.new(IDS, CONTENT, FONT),
    f'{{{MESSAGE},"group":[200001,27]}}': GROUP_MESSAGE.new(
        IDS, CONTENT, FONT, group=CATS, sequence=27
    ),
    f'{{"kind":"discussion","members":{{{MESSAGE},'
    '"discussion":300001,"sequence":3,"version":4}}': DISCUSSION_MESSAGE.new(
        IDS, CONTENT, FONT, discussion=300001, sequence=3, version=4
    ),
    f'{{"kind":"stranger","members":{{{MESSAGE},'
    '"place":200001,"service":0}}': TEMPORARY_MESSAGE.new(
        IDS, CONTENT, FONT, place=CATS, service=0
    ),
    '{"kind":"group notice","members":{"step":"group_join","group":200001,'
    '"messageId":1,"messageId2":2,"member":10002,"admin":10001,'
    '"adminTitle":"\\u521b\\u5efa\\u8005","previous":0,"operation":3,'
    '"text":"x"}}': GROUP_NOTICE.new(
        step="group_join",
        group=CATS,
        messageId=1,
        messageId2=2,
        member=BOB,
        admin=ALICE,
        adminTitle="创建者",
        operation=3,
        text="x",
    ),
    '{"kind":"group share","members":{"group":200001,"sender":10001,'
    '"markup":"<d/>","messageId":1,"messageId2":2}}': GROUP_SHARE.new(
        group=CATS, sender=ALICE, markup="<d/>", messageId=1, messageId2=2
    ),
    '{"kind":"friendship","members":{"step":"verify_required","other":10001,'
    '"sequence":5,"text":"hi","category":0,"allow":1,"status":10,'
    '"signature":""}}': FRIENDSHIP_NOTICE.new(
        step="verify_required", other=ALICE, sequence=5, text="hi", status=10
    ),
    '{"kind":"roster","members":{"other":10001,"added":true,'
    '"category":2}}': ROSTER_CHANGE.new(other=ALICE, added=True, category=2),
    '{"kind":"signature","members":{"sender":10001,"nick":"Alice","text":"hm",'
    '"messageId":5}}': SIGNATURE_CHANGE.new(
        sender=ALICE, nick="Alice", text="hm", messageId=5
    ),
    '{"kind":"transfer","members":{"sender":10001,"time":1366004047,'
    '"messageId":1,"messageId2":2,"step":"recv","session":77,"name":"t.txt",'
    '"reason":0}}': FILE_NOTICE.new(
        sender=ALICE,
        time=1366004047,
        messageId=1,
        messageId2=2,
        step="recv",
        session=77,
        name="t.txt",
    ),
    '{"kind":"progress","members":{"sender":10001,"messageId":1,"name":"t.txt",'
    '"status":10,"localId":77,"operation":1,"now":512}}': TRANSFER_PROGRESS.new(
        sender=ALICE,
        messageId=1,
        name="t.txt",
        status=10,
        localId=77,
        operation=1,
        now=512,
    ),
    '{"kind":"handout","members":{"sender":10001,"time":1366004047,'
    '"messageId":1,"key":"key","name":"t.txt","size":5,"ip":"127.0.0.1",'
    '"port":80,"expires":1366608847}}': OFFLINE_FILE.new(
        sender=ALICE,
        time=1366004047,
        messageId=1,
        key="key",
        name="t.txt",
        size=5,
        ip="127.0.0.1",
        port=80,
        expires=1366608847,
    ),
    '{"kind":"group file","members":{"group":200001,"sender":10001,"key":"key",'
    '"name":"t.txt","size":5,"time":1366004047,"expires":1366608847,'
    '"messageId":1,"messageId2":2}}': GROUP_FILE.new(
        group=CATS,
        sender=ALICE,
        key="key",
        name="t.txt",
        size=5,
        time=1366004047,
        expires=1366608847,
        messageId=1,
        messageId2=2,
    ),
    '{"kind":"handout answer","members":{"sender":10001,"messageId":1,'
    '"messageId2":2,"action":1,"name":"t.txt","size":5}}': OFFLINE_FILE_NOTICE.new(
        sender=ALICE, messageId=1, messageId2=2, action=1, name="t.txt", size=5
    ),
    '{"kind":"recall","members":{"sender":10001,"message":5,'
    f"{NOTICE_IDS}}}}}": newNotice(FRIEND_RECALL, IDS, sender=ALICE, message=5),
    '{"kind":"group recall","members":{"group":200001,"sender":10001,'
    f'"operator":10002,"message":5,{NOTICE_IDS}}}}}': newNotice(
        GROUP_RECALL, IDS, group=CATS, sender=ALICE, operator=BOB, message=5
    ),
    '{"kind":"mute","members":{"group":200001,"member":10001,'
    f'"operator":10002,"seconds":60,{NOTICE_IDS}}}}}': newNotice(
        GROUP_MUTE, IDS, group=CATS, member=ALICE, operator=BOB, seconds=60
    ),
    f'{{"kind":"typing","members":{{{MARK}}}}}': TYPING.new(IDS),
    f'{{"kind":"shake","members":{{{MARK}}}}}': SHAKE.new(IDS),
    f'{{"kind":"poke","members":{{{MARK},"group":200001,'
    '"target":10002}}': GROUP_POKE.new(IDS, group=CATS, target=BOB),
    '{"kind":"reaction","members":{"group":200001,"sender":10001,"message":5,'
    f'"isSet":true,"face":14,"emoji":"",{NOTICE_IDS}}}}}': newNotice(
        GROUP_REACTION, IDS, group=CATS, sender=ALICE, message=5, isSet=True, face=14
    ),
    '{"kind":"edit","members":{"operator":0,"group":200001,"name":"Kittens",'
    f'"memo":"","description":null,"option":null,{NOTICE_IDS}}}}}': newNotice(
        GROUP_EDIT, IDS, group=CATS, operator=Number(0), name="Kittens", memo=""
    ),
    '{"kind":"card","members":{"group":200001,"member":10001,"operator":10002,'
    f'"card":"Al",{NOTICE_IDS}}}}}': newNotice(
        GROUP_CARD, IDS, group=CATS, member=ALICE, operator=BOB, card="Al"
    ),
    '{"kind":"friend edit","members":{"mark":[0,0,0,0],"other":10001,"nick":"Al"}}': (
        FRIEND_EDIT.new(other=ALICE, nick="Al")
    ),
    '{"kind":"join answer","members":{"applicant":10003,"operator":10002,'
    f'"isAccepted":false,"group":200001,{NOTICE_IDS}}}}}': newNotice(
        JOIN_ANSWER, IDS, group=CATS, applicant=CAROL, operator=BOB, isAccepted=False
    ),
}
"""Texts that the versions of November 2023 and later wrote, and their events."""


@pytest.mark.parametrize(
    ("text", "event"), STORED.items(), ids=[e.kind.name for e in STORED.values()]
)
def test_olderDatabases(text: str, event: QueuedEvent) -> None:
    """
    A text of an older version is read as its event, and written the same.
    """
    assert decodeQueued(text) == event
    assert json.loads(encodeQueued(event)) == json.loads(text)


def test_allKinds() -> None:
    """
    The tests have a stored text of each kind of event.
    """
    assert {event.kind.name for event in STORED.values()} == set(KINDS)


def test_missingDetails() -> None:
    """
    A detail that was added to a kind later has its default.
    """
    text = '{"kind":"roster","members":{"other":10001,"added":false}}'
    assert decodeQueued(text).details["category"] == 0


texts = st.text(st.characters(blacklist_categories=["Cs"]))
segments = st.one_of(
    texts.map(Text),
    st.integers(0, 200).map(Face),
    st.integers(1, 2**31).map(Reply),
    st.builds(Mention, st.integers(0, 2**32).map(Number), texts),
    st.lists(texts, min_size=1).map(lambda parts: UnknownSegment(["x", *parts])),
)


@given(st.lists(segments).map(tuple), st.booleans())
def test_messages(content: Content, isGroup: bool) -> None:
    """
    A message with any content is read as it was stored.
    """
    stored = FRIEND_MESSAGE.new(IDS, content, FONT)
    if isGroup:
        stored = GROUP_MESSAGE.new(IDS, content, FONT, group=CATS, sequence=27)
    assert decodeQueued(encodeQueued(stored)) == stored


EVENTS = (
    GROUP_NOTICE.new(
        step="group_join",
        group=CATS,
        messageId=1,
        messageId2=2,
        member=BOB,
        admin=ALICE,
        adminTitle="创建者",
        text="x",
    ),
    GROUP_SHARE.new(group=CATS, sender=ALICE, markup="<d/>", messageId=1, messageId2=2),
    DISCUSSION_MESSAGE.new(
        IDS,
        (Text("a\0\n😀"), OfflinePicture("/x")),
        Font("Arial", 12, True),
        discussion=Number(300001),
        sequence=3,
        version=4,
    ),
    TEMPORARY_MESSAGE.new(
        IDS, (Text("a\0\n😀"), OfflinePicture("/x")), place=CATS, service=0
    ),
)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.kind.name)
def test_restart(event: QueuedEvent, tmp_path: Path) -> None:
    """
    An event is after a restart of the server what it was before.
    """
    assert decodeQueued(encodeQueued(event)) == event
    path = tmp_path / "events.db"
    store = Store(path)
    storeEvent(store, event, [BOB])
    store.close()
    again = Store(path)
    assert [kept for _, kept in again.messages.waiting(BOB, 0, 5)] == [event]
    again.close()
