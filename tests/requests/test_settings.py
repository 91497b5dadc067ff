"""
Settings, from the callback interface to the database.
"""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.server.harness import ALICE, BOB, HTTPClient, ServerHarness
from txwebqq.errors import RequestRefused
from txwebqq.model import Number
from txwebqq.server.api.settings import MAX_COUNT, MAX_SIZE
from txwebqq.server.storage.store import Store
from txwebqq.testing import MemoryPerson, MemoryWebQQ


@pytest.fixture
def web() -> MemoryWebQQ:
    return MemoryWebQQ()


@pytest.fixture
def alice(web: MemoryWebQQ) -> MemoryPerson:
    return web.person("Alice")


def test_settings(web: MemoryWebQQ, alice: MemoryPerson) -> None:
    """
    Settings are what they were set to, by application, and outlive a session.
    """
    protocol = alice.protocol
    web.result(protocol.changeSettings(width=240, title='"窗"\\ <b> \0'))
    web.result(protocol.changeSettings(51, deep=[1, {"a": None}]))
    web.result(protocol.changeSettings(width=300))
    alice.stop()
    alice.run()
    protocol = alice.protocol
    assert web.result(protocol.fetchSettings()) == {
        "width": 300,
        "title": '"窗"\\ <b> \0',
    }
    assert web.result(protocol.fetchSettings(["width", "none"])) == {"width": 300}
    assert web.result(protocol.fetchSettings(app=51)) == {"deep": [1, {"a": None}]}
    assert web.result(protocol.fetchSettings(app=52)) == {}


def test_many(web: MemoryWebQQ, alice: MemoryPerson) -> None:
    """
    Several applications are set at once, or none of them.
    """
    protocol = alice.protocol
    web.result(protocol.changeManySettings({50: {"a": 1}, 51: {"b": 2}}))
    assert web.result(protocol.fetchSettings()) == {"a": 1}
    assert web.result(protocol.fetchSettings(app=51)) == {"b": 2}
    with pytest.raises(RequestRefused, match="more than 200 settings"):
        web.result(
            protocol.changeManySettings({50: {"a": 3}, 51: {"c": "x" * MAX_SIZE}})
        )
    assert web.result(protocol.fetchSettings()) == {"a": 1}


def test_own(web: MemoryWebQQ, alice: MemoryPerson) -> None:
    """
    Each account has its own settings.
    """
    bob = web.person("Bob")
    web.result(alice.protocol.changeSettings(a=1))
    assert web.result(bob.protocol.fetchSettings()) == {}
    web.result(bob.protocol.changeSettings(a=2))
    assert web.result(alice.protocol.fetchSettings()) == {"a": 1}


def test_bounds(web: MemoryWebQQ, alice: MemoryPerson) -> None:
    """
    The number and size of stored settings are limited, and a replaced value
    does not count twice.
    """
    protocol = alice.protocol
    web.result(protocol.changeSettings(**{f"n{n}": n for n in range(MAX_COUNT)}))
    web.result(protocol.changeSettings(**{f"n{n}": n for n in range(MAX_COUNT)}))
    with pytest.raises(RequestRefused) as caught:
        web.result(protocol.changeSettings(onemore=1))
    assert caught.value.retcode == 100004
    web.result(protocol.changeSettings(n0="x" * 60_000))
    web.result(protocol.changeSettings(n0="y" * 60_000))
    with pytest.raises(RequestRefused):
        web.result(protocol.changeSettings(n1="x" * 10_000))
    with pytest.raises(RequestRefused, match="more than 64 characters"):
        web.result(protocol.changeSettings(**{"x" * 65: 1}))


def post(who: HTTPClient, name: str, r: object, vfwebqq: str | None = None) -> object:
    """
    Post a form to a settings path, and return the answer.
    """
    ticket = who.vfwebqq if vfwebqq is None else vfwebqq
    form = f"r={quote(json.dumps(r))}&uin={who.number}&vfwebqq={ticket}"
    return who.harness.post(f"/keycgi/qqweb/newuac/{name}.do", form).response.json


def test_refusals() -> None:
    """
    Without a session all settings are refused, the uin of another account
    changes nothing, and an unknown setting is refused.
    """
    harness = ServerHarness()
    alice, bob = harness.client(ALICE), harness.client(BOB)
    for name in ("get", "getall", "set", "mset"):
        items: object = {"a": 1} if name == "set" else ["a"]
        answer = post(alice, name, {"itemlist": items, "applist": []}, "stale")
        assert answer == {"retcode": 100000, "errmsg": "vfwebqq is not valid"}
    assert post(alice, "set", {"itemlist": {"a": 1}}) == {"retcode": 0, "result": {}}
    bob.number = ALICE
    assert post(bob, "getall", {}) == {"retcode": 0, "result": {}}
    cases: list[tuple[str, object, str]] = [
        ("get", {"itemlist": {"a": 1}}, "itemlist is not a list of names"),
        ("set", {"itemlist": ["a"]}, "itemlist is not an object"),
        (
            "set",
            {"itemlist": {"a": 2**70}},
            "itemlist has a number out of range",
        ),
        ("mset", {"applist": [{}]}, "applist has an item without an appid"),
        (
            "mset",
            {"applist": [{"appid": 2**63, "itemlist": {}}]},
            "applist has an appid out of range",
        ),
        ("set", {"appid": "x", "itemlist": {}}, "appid is not a number"),
    ]
    for name, r, reason in cases:
        assert post(alice, name, r) == {"retcode": 100003, "errmsg": reason}


def test_cookie() -> None:
    """
    A page that sends its cookie alone is served too.
    """
    harness = ServerHarness()
    alice = harness.client(ALICE)
    post(alice, "set", {"appid": 50, "itemlist": {"width": 240}})
    r = quote('{"appid":50,"itemlist":["width","height","defaultMode"]}')
    for cookie, result in ((alice.ptwebqq, {"width": 240}), ("x", None)):
        answer = harness.post(
            "/keycgi/qqweb/newuac/get.do",
            f"r={r}&uin={ALICE}",
            {"Cookie": f"ptwebqq={cookie}"},
        ).response.json
        assert answer.get("result") == result


def test_restart(tmp_path: Path) -> None:
    """
    Settings outlive the server.
    """
    store = Store(tmp_path / "world.db")
    post(ServerHarness(store=store).client(ALICE), "set", {"itemlist": {"a": 1}})
    store.close()
    store = Store(tmp_path / "world.db")
    answer = post(ServerHarness(store=store).client(ALICE), "getall", {})
    assert answer == {"retcode": 0, "result": {"a": 1}}
    store.close()


def test_blocking(web: MemoryWebQQ) -> None:
    """
    An account that is blocked cannot write until it is unblocked; requests that
    are made at once do not undo each other.
    """
    alice, bob, carol = web.friends("Alice", "Bob", "Carol")
    for person in (alice, bob, carol):
        person.run()
    protocol = bob.protocol
    first = protocol.block(alice.number)
    web.result(protocol.block(carol.number))
    web.result(first)
    assert web.result(protocol.fetchBlocked()) == (alice.number, carol.number)
    with pytest.raises(RequestRefused, match="has blocked you"):
        web.result(alice.protocol.sendMessage(alice.uinOf(bob), "hello"))
    web.result(protocol.unblock(alice.number))
    assert web.result(protocol.fetchBlocked()) == (carol.number,)
    web.result(alice.protocol.sendMessage(alice.uinOf(bob), "hello"))
    web.settle()
    assert bob.heard == ["hello"]


def test_blockedProfiles(web: MemoryWebQQ) -> None:
    """
    Blocked accounts are told with their numbers, uins and nicks, also those that are
    friends no longer; one that was never known has no nick, and no account no entry.
    """
    alice, bob, carol = web.friends("Alice", "Bob", "Carol")
    dave = web.person("Dave")
    alice.run()
    protocol = alice.protocol
    uin = alice.uinOf(bob)
    for number in (bob.number, carol.number, dave.number, Number(999999999)):
        web.result(protocol.block(number))
    web.result(protocol.removeFriend(uin, True))
    told = web.result(protocol.fetchBlockedProfiles())
    assert [(each.number, each.nick) for each in told] == [
        (bob.number, "Bob"),
        (carol.number, "Carol"),
        (dave.number, ""),
    ]
    assert [each.uin for each in told[:2]] == [uin, alice.uinOf(carol)]


def test_strangers(web: MemoryWebQQ) -> None:
    """
    Members of a group who are no friends can write only if the account accepts
    strangers.
    """
    alice, bob = web.person("Alice"), web.person("Bob")
    web.group("cats", alice, bob)
    for person in (alice, bob):
        person.run()
    group = alice.groupCalled("cats")
    web.result(bob.protocol.acceptStrangers(False))
    uin = alice.memberOf("cats", bob)
    with pytest.raises(RequestRefused, match="111"):
        web.result(alice.protocol.sendStrangerMessage(uin, "hello", group=group.gid))
    web.result(bob.protocol.acceptStrangers(True))
    web.result(alice.protocol.sendStrangerMessage(uin, "hello", group=group.gid))
    web.settle()
    assert bob.heard == ["hello"]
