"""
Groups over HTTP, and the sessions that commands of groups, discussions and
temporary chats need.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.server.harness import (
    ALICE,
    BOB,
    CAROL,
    CATS,
    DAVE,
    HTTPClient,
    ServerHarness,
)
from txwebqq.server.domain.authenticator import SEARCHES, SEARCHES_WINDOW

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
    "/api/set_group_card2?gcode=5&muin=5&card=x",
    "/api/dissolve_group2?gcode=5",
    "/keycgi/qqweb/group/search.do?all=cats",
    "/keycgi/qqweb/uac/messagefilter.do?itemlist=%7B%7D",
)


@pytest.fixture
def harness() -> ServerHarness:
    return ServerHarness()


def code(client: HTTPClient) -> int:
    """
    Return the code of the cats in a session.
    """
    session = client.harness.state.sessions.online(client.number)
    assert session is not None
    return session.sessionIds.code(CATS)


def form(client: HTTPClient, path: str, **members: object) -> dict[str, object]:
    """
    Post C{r} to the API.
    """
    r = json.dumps({**members, "vfwebqq": client.vfwebqq})
    answer: dict[str, object] = client.harness.post(
        f"/api/{path}", f"r={quote(r)}"
    ).response.json
    return answer


@pytest.mark.parametrize("path", BY_TICKET)
def test_withoutTicket(harness: ServerHarness, path: str) -> None:
    """
    A request without a session gets 121.
    """
    for psessionid in ("", "abc"):
        mark = "&" if "?" in path else "?"
        target = f"/channel/{path}{mark}psessionid={psessionid}"
        assert harness.get(target).response.json == {"retcode": 121, "t": "0"}


@pytest.mark.parametrize("path", BY_VERIFIER)
def test_withoutVerifier(harness: ServerHarness, path: str) -> None:
    """
    A request without a valid vfwebqq gets 100000.
    """
    for vfwebqq in ("", "abc"):
        answer = harness.get(f"{path}&vfwebqq={vfwebqq}").response.json
        assert answer["retcode"] == 100000


def test_afterwards(harness: ServerHarness) -> None:
    """
    A request in an ended session gets the refusal of its command.
    """
    alice = harness.client(ALICE)
    alice.channel("logout2")
    assert (
        harness.get(
            f"/channel/get_discu_list_new2?psessionid={alice.psessionid}"
        ).response.json["retcode"]
        == 100
    )
    assert alice.lookUp("get_group_info", "gcode=[5]").json["retcode"] == 100000


def test_joining(harness: ServerHarness) -> None:
    """
    A request to join arrives as in protocol.md 5.10, and the answer is a C{GET}.
    """
    alice, bob = harness.client(ALICE), harness.client(BOB).catchUp()
    carol = harness.client(CAROL).catchUp()
    searched = harness.get(
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
    answer = harness.get(f"/channel/op_group_join_req?{query}&{ids}").response
    assert answer.json == {"retcode": 0, "result": "ok"}
    [event] = carol.poll().response.result
    assert event["value"]["type"] == "group_request_join_agree"
    assert harness.store.groups.isMember(CATS, CAROL)
    kinds = [e["value"]["type"] for e in alice.catchUp().poll().response.result]
    assert kinds == ["group_request_join"]
    [joined] = alice.poll().response.result
    assert joined["value"]["type"] == "group_join"
    assert joined["value"]["admin_nick"] == "管理员"
    again = form(carol, "apply_join_group2", gcode=found["GEX"])
    assert again == {"retcode": 100001, "tips": "you are in that group"}


@pytest.mark.parametrize("accepts", [False, True])
def test_answered(harness: ServerHarness, accepts: bool) -> None:
    """
    The other administrators hear who has answered a request to join, as in protocol.md
    5.25; clients without C{ack} do not, and members hear of no refusal.
    """
    alice, bob, dave = map(harness.client, (ALICE, BOB, DAVE))
    carol = harness.client(CAROL).catchUp()
    form(carol, "apply_join_group2", gcode=code(carol), msg="hello")
    operation = 2 if accepts else 3
    bob.channel(
        "op_group_join_req",
        group_uin=bob.gid,
        req_uin=bob.uin(CAROL),
        op_type=operation,
    )
    harness.settle()

    def received(client: HTTPClient, ack: int | None) -> list[Any]:
        found: list[Any] = []
        while True:
            poll = client.poll(ack=ack)
            harness.clock.advance(0)
            if not poll.isAnswered:
                poll.close()
                return [e for e in found if e["poll_type"] != "buddies_status_change"]
            found.extend(reversed(poll.response.result))
            ack = poll.response.json.get("ack")

    for client in (alice, bob):
        [answered] = [
            e["value"]
            for e in received(client, 0)
            if e["poll_type"] == "group_request_answered"
        ]
        assert (answered["msg_type"], answered["op_type"]) == (90, operation)
        assert (answered["from_uin"], answered["group_code"]) == (
            client.gid,
            code(client),
        )
        assert answered["request_uin"] == client.uin(CAROL)
        assert answered["op_uin"] == client.uin(BOB)
    told = ["sys_g_msg"] if accepts else []
    assert [e["poll_type"] for e in received(dave, 0)] == told
    assert "group_request_answered" not in str(received(carol, None))


def test_memos(harness: ServerHarness) -> None:
    """
    Announcements are a list, and bare for a single group; groups of other accounts
    are left out.
    """
    bob, carol = harness.client(BOB), harness.client(CAROL)
    listed = bob.lookUp("get_group_info", f"gcode=[{code(bob)},7]&retainKey=memo,gcode")
    assert listed.result == [{"memo": "meow", "gcode": code(bob)}]
    bare = bob.lookUp("get_group_info", f"gcode=%5B{code(bob)}%5D&retainKey=memo")
    assert bare.result["memo"] == "meow"
    answer = carol.lookUp("get_group_info", f"gcode=[{code(carol)}]").json
    assert answer["retcode"] == 100001


def test_noCard(harness: ServerHarness) -> None:
    """
    A member without a card gets 100003, and a change leaves other fields as they
    are.
    """
    dave = harness.client(DAVE)
    query = f"gcode={code(dave)}"
    assert dave.lookUp("get_self_business_card2", query).json["retcode"] == 100003
    form(dave, "update_group_business_card2", gcode=code(dave), name="Davy")
    form(dave, "update_group_business_card2", gcode=str(code(dave)), gender="0")
    card = dave.lookUp("get_self_business_card2", query).result
    assert (card["name"], card["gender"], card["gcode"]) == ("Davy", 0, code(dave))
    details = dave.lookUp("get_group_info_ext2", query).result
    assert {"muin": dave.uin(DAVE), "card": "Davy"} in details["cards"]


@pytest.mark.parametrize(
    "target",
    [
        f"/api/search_qq_by_uin2?tuin={DAVE}&verifysession=&code=&t=1",
        f"/keycgi/qqweb/group/search.do?all={CATS}",
    ],
)
def test_searches(target: str) -> None:
    """
    An account that has searched often has to wait, when there are no captchas.
    """
    harness = ServerHarness()
    carol = harness.client(CAROL)

    def search() -> Any:
        return harness.get(f"{target}&vfwebqq={carol.vfwebqq}").response.json

    for _ in range(SEARCHES):
        assert search().get("retcode", 0) == 0
    assert search()["retcode"] == 100000
    harness.clock.advance(SEARCHES_WINDOW)
    carol.logIn()
    carol.join()
    assert search().get("retcode", 0) == 0
