"""
Discussions over HTTP.
"""

from __future__ import annotations

import json

import pytest

from tests.server.harness import ALICE, BOB, CAROL, DAVE, ServerHarness
from txwebqq.model import Number


@pytest.fixture
def harness() -> ServerHarness:
    harness = ServerHarness()
    alice, bob, carol = ALICE, BOB, CAROL
    harness.store.discussions.create("周末", alice, [alice, bob, carol])
    return harness


def did(harness: ServerHarness) -> int:
    [membership] = harness.store.discussions.memberships(ALICE)
    return membership.number


def test_discussionLists(harness: ServerHarness) -> None:
    """
    The three paths of the list return the same; the last needs a vfwebqq only.
    """
    alice = harness.client(ALICE)
    expected = {
        "dnamelist": [{"did": did(harness), "name": "周末"}],
        "dmasklist": [{"did": 1000, "mask": 0}, {"did": did(harness), "mask": 0}],
    }
    ticket = f"psessionid={alice.psessionid}"
    for path in (
        f"/channel/get_discu_list_new2?{ticket}",
        f"/channel/get_discu_list?{ticket}",
        f"/api/get_discus_list?vfwebqq={alice.vfwebqq}",
    ):
        assert harness.get(path).response.result == expected


@pytest.mark.parametrize("quoted", [False, True])
def test_invitationsAsText(harness: ServerHarness, quoted: bool) -> None:
    """
    Some clients write the lists as JSON in a string, and numbers as text.
    """
    alice = harness.client(ALICE)
    uins = [str(alice.uin(BOB)), alice.uin(CAROL)]
    answer = alice.channel(
        "create_discu",
        discu_name="x",
        mem_list=json.dumps(uins) if quoted else uins,
        mem_list_u="[]" if quoted else [],
        mem_list_g="" if quoted else [],
    ).result
    assert answer["result"] == 0
    numbers = harness.store.discussions.memberNumbers(Number(answer["did"]))
    assert set(numbers) == {ALICE, BOB, CAROL}


@pytest.mark.parametrize("value", ["5", {"a": 1}, [[1]], ["x"], [None], [1] * 201])
def test_brokenInvitations(harness: ServerHarness, value: object) -> None:
    """
    The refusal names the list that has no numbers.
    """
    answer = harness.client(ALICE).channel("create_discu", mem_list=value).json
    assert answer["retcode"] == 100003
    assert "mem_list" in answer["errmsg"]


def test_discussionNumbers(harness: ServerHarness) -> None:
    """
    A did is sent as text or as a number; the event has it as a number, and
    C{from_uin} is that of the system.
    """
    alice, bob = harness.client(ALICE), harness.client(BOB).catchUp()
    for n, written in enumerate((did(harness), str(did(harness)))):
        content = json.dumps([f"{n}", ["font", {}]])
        answer = alice.channel("send_discu_msg2", did=written, content=content)
        assert (answer.json["retcode"], answer.json["result"]) == (0, "ok")
    [event] = bob.poll().response.result
    assert event["poll_type"] == "discu_message"
    value = event["value"]
    assert (value["did"], value["from_uin"]) == (did(harness), 10000)
    assert (value["send_uin"], value["msg_type"]) == (bob.uin(ALICE), 42)


def test_goneDiscussion(harness: ServerHarness) -> None:
    """
    The reply for a discussion that does not exist is a success with an error in it.
    """
    dave = harness.client(DAVE)
    gone = {"retcode": 0, "result": {"error": 3}}
    assert dave.channel("send_discu_msg2", did=did(harness), content="[]").json == gone
    assert dave.channel("get_discu_info", did=did(harness)).json == gone
    renamed = dave.channel("modify_discu_info", did=did(harness), discu_name="x").json
    assert renamed == {"retcode": 0, "result": {"error": 1}}
