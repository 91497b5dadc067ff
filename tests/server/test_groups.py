"""
Groups, discussions and temporary conversations over HTTP.
"""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from urllib.parse import quote

import pytest

from tests.server.harness import ALICE, BOB, CAROL, CATS, DAVE, House, Visitor
from txwebqq.model import Did, Font, GroupStep, Number, OfflinePicture, Text
from txwebqq.server.mail import Letter, Postmark, decodeLetter, encodeLetter
from txwebqq.server.notices import (
    DiscussionLetter,
    GroupNoticeLetter,
    GroupShareLetter,
    StrangerLetter,
)
from txwebqq.server.store import Store
from txwebqq.server.talks import Talks
from txwebqq.wire.strangers import IN_DISCUSSION

WEEKEND = 300001

BY_TICKET = (
    "op_group_join_req?group_uin=5&req_uin=5&op_type=2",
    "get_discu_list_new2",
    "get_discu_list",
    "get_discu_info?did=5",
    "get_discu_status_info?did=5",
    "create_discu",
    "change_discu_mem?did=5",
    "modify_discu_info?did=5&discu_name=x&dtype=1",
    "quit_discu?did=5",
    "send_discu_msg2?did=5&content=%5B%5D",
    "get_c2cmsg_sig2?id=5&to_uin=5&service_type=0",
    "get_session_sig3?did=5&to_uin=5",
    "send_sess_msg2?to=5&group_sig=x&content=%5B%5D",
    "send_group_web_msg2?group_uin=5&xml=x",
)
BY_VERIFIER = (
    "/api/get_group_member_stat2?gcode=5",
    "/api/get_group_info?gcode=%5B5%5D",
    "/api/get_group_public_info2?gcode=5",
    "/api/get_self_business_card2?gcode=5",
    "/api/update_group_business_card2?gcode=5",
    "/api/update_group_info2?gcode=5&markname=x",
    "/api/apply_join_group2?gcode=5",
    "/api/quit_group2?gcode=5",
    "/api/create_group2?name=x",
    "/api/modify_group_info2?gcode=5",
    "/api/remove_group_member2?gcode=5&muin=5",
    "/api/transfer_group2?gcode=5&muin=5",
    "/api/set_group_admin2?gcode=5&muin=5&op_type=1",
    "/api/dissolve_group2?gcode=5",
    "/keycgi/qqweb/group/search.do?all=cats",
    "/keycgi/qqweb/uac/messagefilter.do?itemlist=%7B%7D",
)


@pytest.fixture
def house() -> House:
    house = House()
    alice, bob, carol = ALICE, BOB, CAROL
    house.store.createChat("周末", alice, [alice, bob, carol])
    return house


def did(house: House) -> int:
    [seat] = house.store.chatSeats(ALICE)
    return seat.number


def code(visitor: Visitor) -> int:
    """
    What a session asks for the cats by.
    """
    session = visitor.house.world.sessions.of(visitor.number)
    assert session is not None
    return session.aliases.code(CATS)


def form(visitor: Visitor, path: str, **members: object) -> dict[str, object]:
    """
    Post an C{r} to the API.
    """
    r = json.dumps({**members, "vfwebqq": visitor.vfwebqq})
    answer: dict[str, object] = visitor.house.post(
        f"/api/{path}", f"r={quote(r)}"
    ).response.json
    return answer


# ---- who may ask


@pytest.mark.parametrize("path", BY_TICKET)
def test_withoutTicket(house: House, path: str) -> None:
    """
    A question of no session is answered 121, whatever it asks.
    """
    for psessionid in ("", "abc"):
        mark = "&" if "?" in path else "?"
        target = f"/channel/{path}{mark}psessionid={psessionid}"
        assert house.get(target).response.json == {"retcode": 121, "t": "0"}


@pytest.mark.parametrize("path", BY_VERIFIER)
def test_withoutVerifier(house: House, path: str) -> None:
    """
    A look-up of no session is answered 100000, whatever it asks.
    """
    for vfwebqq in ("", "abc"):
        answer = house.get(f"{path}&vfwebqq={vfwebqq}").response.json
        assert answer["retcode"] == 100000


def test_afterwards(house: House) -> None:
    """
    So is one of a session that has ended.
    """
    alice = house.visitor(ALICE)
    alice.channel("logout2")
    assert (
        house.get(
            f"/channel/get_discu_list_new2?psessionid={alice.psessionid}"
        ).response.json["retcode"]
        == 100
    )
    assert alice.lookUp("get_group_info", "gcode=[5]").json["retcode"] == 100000


# ---- what clients of the time send and read


def test_discussionLists(house: House) -> None:
    """
    The three lists of three times are one; the last goes by vfwebqq alone.
    """
    alice = house.visitor(ALICE)
    expected = {
        "dnamelist": [{"did": did(house), "name": "周末"}],
        "dmasklist": [{"did": 1000, "mask": 0}, {"did": did(house), "mask": 0}],
    }
    ticket = f"psessionid={alice.psessionid}"
    for path in (
        f"/channel/get_discu_list_new2?{ticket}",
        f"/channel/get_discu_list?{ticket}",
        f"/api/get_discus_list?vfwebqq={alice.vfwebqq}",
    ):
        assert house.get(path).response.result == expected


@pytest.mark.parametrize("quoted", [False, True])
def test_invitationsAsText(house: House, quoted: bool) -> None:
    """
    Some clients write the lists as JSON in a string, and numbers as text.
    """
    alice = house.visitor(ALICE)
    uins = [str(alice.uin(BOB)), alice.uin(CAROL)]
    answer = alice.channel(
        "create_discu",
        discu_name="x",
        mem_list=json.dumps(uins) if quoted else uins,
        mem_list_u="[]" if quoted else [],
        mem_list_g="" if quoted else [],
    ).result
    assert answer["result"] == 0
    numbers = house.store.chatNumbers(Number(answer["did"]))
    assert set(numbers) == {ALICE, BOB, CAROL}


@pytest.mark.parametrize("value", ["5", {"a": 1}, [[1]], ["x"], [None], [1] * 201])
def test_brokenInvitations(house: House, value: object) -> None:
    """
    What is no list of numbers is named in the refusal.
    """
    answer = house.visitor(ALICE).channel("create_discu", mem_list=value).json
    assert answer["retcode"] == 100003
    assert "mem_list" in answer["errmsg"]


def test_discussionNumbers(house: House) -> None:
    """
    A did is sent as text or as a number; the event has it as a number, and
    C{from_uin} is that of the system.
    """
    alice, bob = house.visitor(ALICE), house.visitor(BOB).catchUp()
    for n, written in enumerate((did(house), str(did(house)))):
        content = json.dumps([f"{n}", ["font", {}]])
        answer = alice.channel("send_discu_msg2", did=written, content=content)
        assert answer.json == {"retcode": 0, "result": "ok"}
    [event] = bob.poll().response.result
    assert event["poll_type"] == "discu_message"
    value = event["value"]
    assert (value["did"], value["from_uin"]) == (did(house), 10000)
    assert (value["send_uin"], value["msg_type"]) == (bob.uin(ALICE), 42)


def test_goneDiscussion(house: House) -> None:
    """
    A discussion that is gone is a success with an error in it.
    """
    dave = house.visitor(DAVE)
    gone = {"retcode": 0, "result": {"error": 3}}
    assert dave.channel("send_discu_msg2", did=did(house), content="[]").json == gone
    assert dave.channel("get_discu_info", did=did(house)).json == gone
    renamed = dave.channel("modify_discu_info", did=did(house), discu_name="x").json
    assert renamed == {"retcode": 0, "result": {"error": 1}}


def test_sessMessage(house: House) -> None:
    """
    Words to a fellow member come as protocol.md 5.4 has them.
    """
    bob, dave = house.visitor(BOB), house.visitor(DAVE).catchUp()
    signed = bob.channel(
        "get_c2cmsg_sig2", id=bob.gid, to_uin=bob.uin(DAVE), service_type=0
    ).result
    assert (signed["type"], len(signed["value"])) == (0, 48)
    bob.channel(
        "send_sess_msg2",
        to=bob.uin(DAVE),
        group_sig=signed["value"],
        face=549,
        content='["hi",["font",{}]]',
        msg_id=1,
        service_type=0,
    )
    [event] = dave.poll().response.result
    value = event["value"]
    assert event["poll_type"] == "sess_message"
    assert (value["id"], value["ruin"]) == (dave.gid, BOB)
    assert (value["service_type"], value["msg_type"]) == (0, 140)


def test_borrowedSignature(house: House) -> None:
    """
    A signature that was given to another member is of no use, not even with
    one's own id of the place.
    """
    alice, bob, dave = (house.visitor(n) for n in (ALICE, BOB, DAVE))
    value = bob.channel(
        "get_c2cmsg_sig2", id=bob.gid, to_uin=bob.uin(DAVE), service_type=0
    ).result["value"]
    answer = alice.channel(
        "send_sess_msg2",
        to=alice.uin(DAVE),
        group_sig=f"{alice.gid:08x}{value[8:]}",
        content='["hi"]',
        service_type=0,
    )
    assert answer.json["retcode"] == 100001
    assert not dave.catchUp().poll().isAnswered


def test_joining(house: House) -> None:
    """
    A request to join comes as protocol.md 5.10 has it, and the answer is a
    C{GET}.
    """
    alice, bob = house.visitor(ALICE), house.visitor(BOB).catchUp()
    carol = house.visitor(CAROL).catchUp()
    searched = house.get(
        f"/keycgi/qqweb/group/search.do?all={CATS}&vfwebqq={carol.vfwebqq}"
    ).response.json
    assert searched["responseHeader"]["TotalNum"] == 1
    [found] = searched["result"]
    assert (found["GE"], found["GEX"], found["QQ"]) == (CATS, code(carol), str(ALICE))
    applied = form(carol, "apply_join_group2", gcode=found["GEX"], msg="hello")
    assert applied == {"retcode": 0, "result": {"statu": "pending"}}
    [event] = bob.poll().response.result
    value = event["value"]
    assert event["poll_type"] == "sys_g_msg"
    assert (value["type"], value["msg_type"]) == ("group_request_join", 35)
    assert (value["from_uin"], value["gcode"]) == (bob.gid, code(bob))
    assert (value["request_uin"], value["msg"]) == (bob.uin(CAROL), "hello")
    assert value["t_gcode"] == CATS
    query = f"group_uin={bob.gid}&req_uin={value['request_uin']}&msg=ok&op_type=2"
    ids = f"clientid={bob.clientid}&psessionid={bob.psessionid}&t=1"
    answer = house.get(f"/channel/op_group_join_req?{query}&{ids}").response
    assert answer.json == {"retcode": 0, "result": "ok"}
    [event] = carol.poll().response.result
    assert event["value"]["type"] == "group_request_join_agree"
    assert house.store.isMember(CATS, CAROL)
    kinds = [e["value"]["type"] for e in alice.catchUp().poll().response.result]
    assert kinds == ["group_request_join"]
    [joined] = alice.poll().response.result
    assert joined["value"]["type"] == "group_join"
    assert joined["value"]["admin_nick"] == "管理员"
    again = form(carol, "apply_join_group2", gcode=found["GEX"])
    assert again == {"retcode": 100001, "tips": "you are in that group"}


def test_memos(house: House) -> None:
    """
    Announcements come as a list, and bare when one alone was asked for; other
    people's groups are left out.
    """
    bob, carol = house.visitor(BOB), house.visitor(CAROL)
    listed = bob.lookUp("get_group_info", f"gcode=[{code(bob)},7]&retainKey=memo,gcode")
    assert listed.result == [{"memo": "meow", "gcode": code(bob)}]
    bare = bob.lookUp("get_group_info", f"gcode=%5B{code(bob)}%5D&retainKey=memo")
    assert bare.result["memo"] == "meow"
    answer = carol.lookUp("get_group_info", f"gcode=[{code(carol)}]").json
    assert answer["retcode"] == 100001


def test_noCard(house: House) -> None:
    """
    Who has no card is told 100003, and a change names what it changes only.
    """
    dave = house.visitor(DAVE)
    query = f"gcode={code(dave)}"
    assert dave.lookUp("get_self_business_card2", query).json["retcode"] == 100003
    form(dave, "update_group_business_card2", gcode=code(dave), name="Davy")
    form(dave, "update_group_business_card2", gcode=str(code(dave)), gender="0")
    card = dave.lookUp("get_self_business_card2", query).result
    assert (card["name"], card["gender"], card["gcode"]) == ("Davy", 0, code(dave))
    details = dave.lookUp("get_group_info_ext2", query).result
    assert {"muin": dave.uin(DAVE), "card": "Davy"} in details["cards"]


# ---- letters


MARK = Postmark(ALICE, 1366004047, 10171, 158459)
CONTENT = (Text("a\0\n😀"), OfflinePicture("/x"))
LETTERS: tuple[Letter, ...] = (
    GroupNoticeLetter(
        GroupStep.JOINED.value, CATS, 1, 2, BOB, ALICE, "创建者", text="x"
    ),
    GroupShareLetter(CATS, ALICE, "<d/>", 1, 2),
    DiscussionLetter(MARK, CONTENT, Font("Arial", 12, True), Number(WEEKEND), 3, 4),
    StrangerLetter(MARK, CONTENT, Font(), CATS, 0),
)


@pytest.mark.parametrize("letter", LETTERS, ids=lambda letter: type(letter).__name__)
def test_stored(letter: Letter, tmp_path: Path) -> None:
    """
    A letter outlives the server as it was.
    """
    assert decodeLetter(encodeLetter(letter)) == letter
    path = tmp_path / "letters.db"
    store = Store(path)
    store.keep(letter, [BOB])
    store.close()
    again = Store(path)
    assert [kept for _, kept in again.waiting(BOB, 0, 5)] == [letter]
    again.close()


def test_signatureAfterRestart(tmp_path: Path) -> None:
    """
    A signature is made with a secret of the database, not of one run.
    """
    signatures = set()
    path = tmp_path / "secret.db"
    for seed in (1, 2):
        store = Store(path)
        house = House(store=store)
        if seed == 1:
            chat = store.createChat("x", ALICE, [ALICE, BOB])
        session = house.visitor(ALICE).house.world.sessions.of(ALICE)
        assert session is not None
        # Uins differ from run to run, numbers do not.
        talks = Talks(house.world, Random(seed))
        signature = talks.signature(
            session, Did(chat), session.aliases.uin(BOB), IN_DISCUSSION
        )
        signatures.add(signature)
        house.hangUpAll()
        store.close()
    assert len(signatures) == 1
