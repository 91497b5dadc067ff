"""
The commands of profiles and friend lists, sent by accounts that may not use them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.server.harness import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    HTTPClient,
    Response,
    ServerHarness,
)
from tests.wire.rows import commands
from txwebqq.model import Number, Uin
from txwebqq.wire.command import Command
from txwebqq.wire.commands import friends, profiles, signon
from txwebqq.wire.commands.friends import (
    FROM_BOTH,
    AddNeedVerify2,
    AddNoVerify2,
    AllowAddedRequest2,
    AllowAndAdd2,
    AnswerAndAdd2,
    ChangeMarkName2,
    CreateFriendGroup,
    DeleteFriend,
    DeleteFriendGroup,
    DenyAddedRequest2,
    GetAllowInfo2,
    GetBlocked2,
    GetRequests2,
    ModifyFriendGroup,
    RenameFriendGroup,
    SearchQQByUin2,
    SortFriendGroup,
)
from txwebqq.wire.commands.messages import GetMsgTip
from txwebqq.wire.commands.profiles import (
    BatchGetVipinfo,
    GetLongNick,
    GetQQLevel2,
    GetRecentContact2,
    GetRecentList2,
    GetSelfInfo2,
    GetSingleInfo2,
    GetSingleLongNick2,
    GetStrangerInfo2,
    GetVfwebqq2,
    ModifyMyDetails2,
    SetLongNick2,
)
from txwebqq.wire.form import Ticket, encodeForm
from txwebqq.wire.multipart import UploadCommand

Make = Callable[[Ticket, Uin], Command[Any]]

# Commands about one account, by its uin in the session or by its number, which
# is easy to guess.
AIMED: dict[type[Command[Any]], Make] = {
    GetStrangerInfo2: GetStrangerInfo2,
    GetSingleInfo2: GetSingleInfo2,
    GetSingleLongNick2: GetSingleLongNick2,
    GetQQLevel2: GetQQLevel2,
    GetAllowInfo2: GetAllowInfo2,
    AddNeedVerify2: lambda t, _: AddNeedVerify2(t, DAVE, "let me in"),
    AddNoVerify2: lambda t, _: AddNoVerify2(t, DAVE),
    AnswerAndAdd2: lambda t, _: AnswerAndAdd2(t, DAVE, "42"),
    AllowAndAdd2: lambda t, _: AllowAndAdd2(t, DAVE),
    AllowAddedRequest2: lambda t, _: AllowAddedRequest2(t, DAVE),
    DenyAddedRequest2: lambda t, _: DenyAddedRequest2(t, DAVE),
    ChangeMarkName2: lambda t, uin: ChangeMarkName2(t, uin, "mine"),
    ModifyFriendGroup: lambda t, uin: ModifyFriendGroup(t, uin, 0),
    DeleteFriend: lambda t, uin: DeleteFriend(t, uin, FROM_BOTH),
}
# What asks about many tells nothing of those whom the asker does not know.
SILENT: dict[type[Command[Any]], Make] = {
    GetLongNick: lambda t, uin: GetLongNick(t, (uin,)),
    BatchGetVipinfo: lambda t, uin: BatchGetVipinfo(t, (uin,)),
}
# About oneself, or for everybody.
OWN: dict[type[Command[Any]], Make] = {
    GetSelfInfo2: lambda t, _: GetSelfInfo2(),
    GetVfwebqq2: lambda t, _: GetVfwebqq2(),
    ModifyMyDetails2: lambda t, _: ModifyMyDetails2(t, {"nick": "Mallory"}),
    SetLongNick2: lambda t, _: SetLongNick2(t, "I was here"),
    GetRecentList2: lambda t, _: GetRecentList2(t),
    GetRecentContact2: lambda t, _: GetRecentContact2(t),
    SearchQQByUin2: lambda t, _: SearchQQByUin2(t, str(DAVE)),
    GetRequests2: lambda t, _: GetRequests2(t),
    GetBlocked2: lambda t, _: GetBlocked2(t),
    CreateFriendGroup: lambda t, _: CreateFriendGroup(t, "new"),
    RenameFriendGroup: lambda t, _: RenameFriendGroup(t, 1, "other"),
    SortFriendGroup: lambda t, _: SortFriendGroup(t, 1, 5),
    DeleteFriendGroup: lambda t, _: DeleteFriendGroup(t, 1),
}
EVERY = {**AIMED, **SILENT, **OWN}


def ask(harness: ServerHarness, command: Command[Any], cookie: str = "") -> Response:
    """
    Send a request as the client does.
    """
    text = encodeForm(command.encodeFields()).decode()
    headers = {"Cookie": cookie} if cookie else {}
    if command.method == "GET":
        return harness.get(f"{command.path}?{text}", headers).response
    return harness.post(command.path, text, headers).response


def ticketOf(client: HTTPClient) -> Ticket:
    """
    Return the ticket of a client.
    """
    return Ticket(client.clientid, client.psessionid, client.vfwebqq, client.ptwebqq)


def everything(harness: ServerHarness) -> object:
    """
    Return all stored accounts and friend lists.
    """
    store = harness.store
    numbers = (ALICE, BOB, CAROL, DAVE)
    return (
        [store.accounts.get(number) for number in numbers],
        [sorted(store.friends.numbers(number)) for number in numbers],
        [sorted(store.friends.listedBy(number)) for number in numbers],
        [store.friends.all(number) for number in numbers],
    )


def test_complete() -> None:
    """
    Every command of profiles and friend lists is in a table above.
    """
    modules = (profiles.__name__, friends.__name__)
    assert {c for c in commands() if c.__module__ in modules} == set(EVERY)


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_withoutSession(kind: type[Command[Any]]) -> None:
    """
    Without a session every command is refused and changes nothing.
    """
    harness = ServerHarness()
    alice = harness.client(ALICE)
    before = everything(harness)
    for stale in (Ticket(), Ticket("1", "x" * 192, "y" * 80, "z" * 64)):
        answer = ask(harness, EVERY[kind](stale, Uin(alice.uin(BOB)))).json
        assert answer["retcode"] != 0
        assert "result" not in answer
    assert everything(harness) == before


@pytest.mark.parametrize("kind", AIMED, ids=lambda kind: kind.__name__)
def test_atStrangers(kind: type[Command[Any]]) -> None:
    """
    An account that is neither a friend, a member of a common group nor a search
    result cannot be looked up, changed, answered or removed.
    """
    harness = ServerHarness()
    carol, dave = harness.client(CAROL), harness.client(DAVE).catchUp()
    before = everything(harness)
    uin = Uin(carol.uin(DAVE))
    answer = ask(harness, AIMED[kind](ticketOf(carol), uin)).json
    assert answer["retcode"] != 0
    assert "result" not in answer
    assert everything(harness) == before
    waiting = dave.poll()
    harness.clock.advance(0)
    assert not waiting.isAnswered


@pytest.mark.parametrize("kind", SILENT, ids=lambda kind: kind.__name__)
def test_amongMany(kind: type[Command[Any]]) -> None:
    """
    Strangers are left out of lists.
    """
    harness = ServerHarness()
    ask(harness, SetLongNick2(ticketOf(harness.client(DAVE)), "secret"))
    carol = harness.client(CAROL)
    body = ask(harness, SILENT[kind](ticketOf(carol), Uin(carol.uin(DAVE)))).body
    assert b"secret" not in body
    assert str(carol.uin(DAVE)).encode() not in body


def test_othersCookies() -> None:
    """
    The cookie of one account does not open the profile of another.
    """
    harness = ServerHarness()
    alice = harness.client(ALICE)
    login = alice.tryLogin("correct horse", alice.check()[1])
    skey = login.cookies["skey"]
    mine = ask(harness, GetSelfInfo2(), f"uin=o{ALICE:010}; skey={skey}")
    assert mine.result["nick"] == "Alice"
    for cookie in (
        f"uin=o{BOB:010}; skey={skey}",
        f"uin=o{ALICE:010}; skey=@wrong",
        f"uin=o{ALICE:010}; skey=",
        f"uin=o{ALICE:010}",
    ):
        assert ask(harness, GetSelfInfo2(), cookie).json["retcode"] != 0
        assert ask(harness, GetVfwebqq2(), cookie).json["retcode"] != 0


@pytest.mark.parametrize("ack", [0, None])
def test_anotherNick(ack: int | None) -> None:
    """
    A friend whose client sends C{ack} is told of another nick; for others there is no
    event, and nothing is kept.
    """
    harness = ServerHarness()
    alice, bob = harness.client(ALICE), harness.client(BOB).catchUp()
    poll = bob.poll(ack=ack)
    ask(harness, ModifyMyDetails2(ticketOf(alice), {"nick": "Alicia"}))
    harness.clock.advance(0)
    assert poll.isAnswered == (ack is not None)
    if poll.isAnswered:
        [event] = poll.response.result
        assert event["poll_type"] == "friend_edit"
        assert event["value"] == {"uin": bob.uin(ALICE), "nick": "Alicia"}


def test_tokensAreOnesOwn() -> None:
    """
    The token of a search is invalid for other accounts and after a change.
    """
    harness = ServerHarness()
    carol, bob = harness.client(CAROL), harness.client(BOB)
    found = ask(harness, SearchQQByUin2(ticketOf(carol), str(DAVE))).result
    token = found["token"]
    for asker, number, proof in (
        (bob, DAVE, token),
        (carol, BOB, token),
        (carol, DAVE, token[:-1] + ("0" if token[-1] != "0" else "1")),
        (carol, DAVE, ""),
    ):
        command = AddNeedVerify2(ticketOf(asker), number, "hi", token=proof)
        assert ask(harness, command).json["retcode"] == 100001
    command = AddNeedVerify2(ticketOf(carol), DAVE, "hi", token=token)
    assert ask(harness, command).json["retcode"] == 0


def test_answeredOnce() -> None:
    """
    Only the recipient of a friend request can answer it, and only once.
    """
    harness = ServerHarness()
    carol, bob, dave = (harness.client(n) for n in (CAROL, BOB, DAVE))
    token = ask(harness, SearchQQByUin2(ticketOf(carol), str(DAVE))).result["token"]
    ask(harness, AddNeedVerify2(ticketOf(carol), DAVE, "hi", token=token))
    before = everything(harness)
    for outsider in (bob, carol):
        for number in (CAROL, DAVE):
            answer = ask(harness, AllowAndAdd2(ticketOf(outsider), Number(number)))
            assert answer.json["retcode"] != 0
    assert everything(harness) == before
    assert ask(harness, DenyAddedRequest2(ticketOf(dave), CAROL)).json["retcode"] == 0
    assert ask(harness, AllowAndAdd2(ticketOf(dave), CAROL)).json["retcode"] != 0
    assert everything(harness) == before


# What is there for everybody, before there is a session; uploads have a body of
# their own to be refused for.
PUBLIC = {c.__name__ for c in commands() if c.__module__ == signon.__name__}
PUBLIC |= {GetMsgTip.__name__}
PUBLIC |= {c.__name__ for c in commands() if issubclass(c, UploadCommand)}
GUARDED = {c.__name__: c for c in commands() if c.__name__ not in PUBLIC}


@pytest.mark.parametrize("name", sorted(GUARDED))
def test_everyEndpoint(name: str) -> None:
    """
    Every command beyond the sign-on is refused without a session.
    """
    harness = ServerHarness()
    before = everything(harness)
    path = GUARDED[name].path
    for wire in (harness.get(path), harness.post(path, "r={}")):
        # Bad news to a poll is held a while.
        harness.clock.advance(2)
        response = wire.response
        if response.body.startswith(b"{"):
            answer = response.json
            assert answer.get("retcode", answer.get("ret", 1)) != 0
        else:
            assert response.status >= 400
    assert everything(harness) == before
