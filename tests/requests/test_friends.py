"""
Friendships and details, from one application through the server to another.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from txwebqq.errors import CaptchaNeeded, MessageTooLong, RequestRefused
from txwebqq.model import (
    RECENT_BUDDY,
    RECENT_GROUP,
    Birthday,
    Category,
    FriendEdited,
    FriendshipNotice,
    FriendshipStep,
    RosterChange,
    Status,
    Tip,
)
from txwebqq.protocol import WebQQFactory
from txwebqq.server.sessions.captchas import CaptchaMode
from txwebqq.server.storage.store import Store
from txwebqq.testing import MemoryPerson, MemoryWebQQ, RecordingProtocol

ANYTHING = '"quotes" \\ \' <script> \u200fעברית \U0001f600 a\0b\r\n'


class Namer(RecordingProtocol):
    """
    Writes down what friends are called when it is told of them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def rosterChanged(self, change: RosterChange) -> None:
        self.names += [self.buddies[uin].name for uin, _ in change.added]
        self.names += [f"-{uin in self.buddies}" for uin in change.removed]


class Namers(WebQQFactory):
    protocol = Namer


def namer(person: MemoryPerson) -> Namer:
    """
    Get the protocol of an account that is run by L{Namers}.
    """
    protocol = person.protocol
    assert isinstance(protocol, Namer)
    return protocol


def notices(person: MemoryPerson) -> list[FriendshipNotice]:
    """
    List the friendship notices that an account has received.
    """
    return [e for e in person.events if isinstance(e, FriendshipNotice)]


def steps(person: MemoryPerson) -> list[str]:
    """
    The kinds of these.
    """
    return [notice.step.name for notice in notices(person)]


def names(person: MemoryPerson) -> list[str]:
    """
    List the names of an account's friends, as its client has them.
    """
    return sorted(buddy.name for buddy in person.protocol.buddies.values())


def kept(web: MemoryWebQQ, person: MemoryPerson) -> list[tuple[str, str, int]]:
    """
    List an account's friends as the server has them: nick, markname and
    category.
    """
    friends = web.state.store.friends.all(person.number)
    return sorted((f.nick, f.markname, f.category) for f in friends)


def returning(web: MemoryWebQQ, person: MemoryPerson) -> MemoryPerson:
    """
    Make the person for an account of a server that was restarted.
    """
    return MemoryPerson(web, person.number, person.nick)


def ask(web: MemoryWebQQ, who: MemoryPerson, whom: MemoryPerson, text: str) -> None:
    """
    Send a friend request, and let it be delivered.
    """
    web.result(who.protocol.requestFriendship(whom.number, text))
    web.settle(1)


# ---- becoming friends


def test_befriend() -> None:
    """
    Two accounts become friends: each client knows the friend's name when it is
    told of them, the lists of server and clients agree, and both can send
    messages.
    """
    web = MemoryWebQQ()
    alice, bob = web.person("Alice"), web.person("Bob")
    for person in (alice, bob):
        person.run(Namers())
    ask(web, alice, bob, ANYTHING)
    (request,) = notices(bob)
    assert request.step is FriendshipStep.REQUESTED
    assert (request.text, request.number) == (ANYTHING, alice.number)
    assert names(bob) == names(alice) == []
    web.result(bob.protocol.acceptFriendship(request, markname="Ali"))
    assert names(bob) == ["Ali"]
    web.settle(1)
    assert namer(alice).names == ["Bob"]
    assert namer(bob).names == ["Ali"]
    assert steps(alice) == ["PASSED_AND_ADDED"]
    assert kept(web, alice) == [("Bob", "", 0)]
    assert kept(web, bob) == [("Alice", "Ali", 0)]
    bobs = alice.protocol.buddies[alice.uinOf(bob)]
    assert bobs.status is Status.ONLINE
    alice.tell(bob, "hi")
    bob.tell(alice, "hello")
    web.settle(1)
    assert (bob.heard, alice.heard) == (["hi"], ["hello"])
    web.stop()


def test_acceptOnly() -> None:
    """
    An account that accepts without adding the requester has no new friend in
    its list, and can answer.
    """
    web = MemoryWebQQ()
    alice, bob = web.person("Alice"), web.person("Bob")
    bob.run()
    ask(web, alice, bob, "please")
    web.result(bob.protocol.acceptFriendship(notices(bob)[0], addBack=False))
    web.settle(1)
    assert steps(alice) == ["PASSED"]
    assert (names(alice), names(bob)) == (["Bob"], [])
    alice.tell(bob, "hi")
    web.settle(1)
    sender = next(e.sender for e in bob.events if hasattr(e, "sender"))
    web.result(bob.protocol.sendMessage(sender, "hello"))
    web.settle(1)
    assert alice.heard == ["hello"]


def test_refuse() -> None:
    """
    A refusal comes with its words, and ends it.
    """
    web = MemoryWebQQ()
    alice, bob = web.person("Alice"), web.person("Bob")
    bob.run()
    ask(web, alice, bob, "please")
    web.result(bob.protocol.refuseFriendship(notices(bob)[0], ANYTHING))
    web.settle(1)
    assert [(n.step.name, n.text) for n in notices(alice)] == [("REJECTED", ANYTHING)]
    assert names(alice) == names(bob) == []
    with pytest.raises(RequestRefused, match="has not asked"):
        web.result(bob.protocol.acceptFriendship(notices(bob)[0]))


def test_anybody() -> None:
    """
    An account that lets everybody add it becomes a friend at once, is told so,
    and can add the requester without a request.
    """
    web = MemoryWebQQ()
    alice, bob = web.person("Alice"), web.person("Bob", allow=0)
    bob.run()
    web.result(alice.protocol.requestFriendship(bob.number, markname="Bobby"))
    web.settle(1)
    assert names(alice) == ["Bobby"]
    assert kept(web, alice) == [("Bob", "Bobby", 0)]
    assert steps(alice) == ["PASSED"]
    (added,) = notices(bob)
    assert added.step is FriendshipStep.ADDED
    assert len(added.signature) == 48
    assert names(bob) == []
    web.result(bob.protocol.acceptFriendship(added))
    web.settle(1)
    assert names(bob) == ["Alice"]
    assert steps(alice) == ["PASSED", "PASSED_AND_ADDED"]


def test_nobody() -> None:
    """
    A friend request to an account that accepts none is refused.
    """
    web = MemoryWebQQ()
    alice, bob = web.person("Alice"), web.person("Bob", allow=2)
    with pytest.raises(RequestRefused, match="accepts no friend requests"):
        web.result(alice.protocol.requestFriendship(bob.number, "please"))
    assert bob.run() is not None
    assert bob.events == []


def test_question() -> None:
    """
    An account that asks a question becomes a friend of each account that knows
    the answer; the answer is shown to nobody.
    """
    web = MemoryWebQQ()
    alice = web.person("Alice")
    bob = web.person("Bob", allow=3, question="6 × 7?", answer="Forty-two")
    found = web.result(alice.protocol.searchNumber(bob.number))
    policy = web.result(alice.protocol.fetchPolicy(found.uin))
    assert (policy.allow, policy.question) == (3, "6 × 7?")
    with pytest.raises(RequestRefused, match="not the answer"):
        web.result(alice.protocol.requestFriendship(bob.number, "41", found=found))
    assert names(alice) == []
    web.result(alice.protocol.requestFriendship(bob.number, " forty-TWO "))
    web.settle(1)
    assert names(alice) == ["Bob"]


def test_questionAndRequest() -> None:
    """
    An account may judge the answers to its question itself.
    """
    web = MemoryWebQQ()
    alice, bob = web.person("Alice"), web.person("Bob", allow=4, question="Who?")
    bob.run()
    ask(web, alice, bob, "me")
    assert [(n.step.name, n.text, n.allow) for n in notices(bob)] == [
        ("REQUESTED", "me", 4)
    ]


def test_offline(tmp_path: Path) -> None:
    """
    Requests and answers wait for accounts that are offline, through a restart.
    """
    path = tmp_path / "world.db"
    store = Store(path)
    web = MemoryWebQQ(store=store)
    alice, bob = web.person("Alice"), web.person("Bob")
    web.result(alice.protocol.requestFriendship(bob.number, "please"))
    alice.stop()
    web.stop()
    store.close()

    store = Store(path)
    web = MemoryWebQQ(store=store)
    alice, bob = returning(web, alice), returning(web, bob)
    bob.run()
    web.settle(1)
    assert steps(bob) == ["REQUESTED"]
    web.result(bob.protocol.acceptFriendship(notices(bob)[0]))
    bob.stop()
    web.stop()
    store.close()

    store = Store(path)
    web = MemoryWebQQ(store=store)
    alice = returning(web, alice)
    alice.run(Namers())
    web.settle(1)
    assert namer(alice).names == ["Bob"]
    assert steps(alice) == ["PASSED_AND_ADDED"]
    web.stop()
    store.close()


def test_again() -> None:
    """
    Asking again and again is told once an hour.
    """
    web = MemoryWebQQ()
    alice, bob = web.person("Alice"), web.person("Bob")
    bob.run()
    for _ in range(3):
        ask(web, alice, bob, "please")
    assert len(notices(bob)) == 1
    web.settle(3600)
    ask(web, alice, bob, "please!")
    assert [n.text for n in notices(bob)] == ["please", "please!"]


def test_tooFast() -> None:
    """
    An account that sends too many friend requests is refused more.
    """
    web = MemoryWebQQ()
    alice, bob = web.person("Alice"), web.person("Bob")
    found = web.result(alice.protocol.searchNumber(bob.number))

    def request() -> None:
        web.result(alice.protocol.requestFriendship(bob.number, "!", found=found))

    for _ in range(60):
        request()
    with pytest.raises(RequestRefused) as caught:
        request()
    assert caught.value.retcode == 6


def test_oneself() -> None:
    """
    An account cannot be its own friend, nor the same account's friend twice.
    """
    web = MemoryWebQQ()
    alice, bob = web.friends("Alice", "Bob")
    with pytest.raises(RequestRefused, match="your own"):
        web.result(alice.protocol.requestFriendship(alice.number, "me"))
    with pytest.raises(RequestRefused, match="is your friend"):
        web.result(alice.protocol.requestFriendship(bob.number, "you"))


# ---- keeping the list


def test_remove() -> None:
    """
    A friend who was removed keeps the account in the own list, where the
    friendship can be renewed.
    """
    web = MemoryWebQQ()
    alice, bob = web.friends("Alice", "Bob")
    bob.run(Namers())
    alice.run(Namers())
    web.result(alice.protocol.removeFriend(alice.uinOf(bob)))
    assert names(alice) == []
    web.settle(1)
    assert namer(alice).names == ["-False"]
    assert names(bob) == ["Alice"]
    assert [kept(web, alice), kept(web, bob)] == [[], [("Alice", "", 0)]]


def test_removeBoth() -> None:
    """
    A friendship can be ended in both lists; then neither can send messages to
    the other.
    """
    web = MemoryWebQQ()
    alice, bob = web.friends("Alice", "Bob")
    bob.run(Namers())
    uin, back = alice.uinOf(bob), bob.uinOf(alice)
    web.result(alice.protocol.removeFriend(uin, both=True))
    web.settle(1)
    assert names(alice) == names(bob) == []
    assert namer(bob).names == ["-False"]
    for protocol, other in ((alice.protocol, uin), (bob.protocol, back)):
        with pytest.raises(RequestRefused):
            web.result(protocol.sendMessage(other, "still there?"))


def test_presence() -> None:
    """
    An account sees the status changes of the friends in its list, and of no
    others.
    """
    web = MemoryWebQQ()
    alice, bob = web.friends("Alice", "Bob")
    bob.run()
    alice.run()
    uin = bob.uinOf(alice)
    web.result(alice.protocol.removeFriend(alice.uinOf(bob)))
    alice.appear(Status.BUSY)
    web.settle(1)
    assert bob.protocol.buddies[uin].status is Status.BUSY
    before = len(alice.events)
    bob.appear(Status.AWAY)
    web.settle(1)
    assert alice.events[before:] == []


def test_markname() -> None:
    """
    A name for a friend is ours alone, is there at once and at the next
    sign-on, and can be taken back.
    """
    web = MemoryWebQQ()
    alice, bob = web.friends("Alice", "Bob")
    web.result(alice.protocol.setMarkname(alice.uinOf(bob), ANYTHING))
    assert names(alice) == [ANYTHING]
    alice.stop()
    alice.run()
    assert names(alice) == [ANYTHING]
    assert names(bob) == ["Alice"]
    web.result(alice.protocol.setMarkname(alice.uinOf(bob), ""))
    assert names(alice) == ["Bob"]
    with pytest.raises(MessageTooLong):
        web.result(alice.protocol.setMarkname(alice.uinOf(bob), "x" * 20_000))


def test_categories() -> None:
    """
    Categories are made, renamed, moved and removed, and friends moved between
    them; the client and the server have the same lists afterwards.
    """
    web = MemoryWebQQ()
    alice, _ = web.friends("Alice", "Bob")
    (uin,) = alice.protocol.buddies
    web.result(alice.protocol.createCategory("one"))
    two = web.result(alice.protocol.createCategory("two"))
    assert two == Category(2, "two", 2)
    web.result(alice.protocol.renameCategory(1, ANYTHING[:20]))
    web.result(alice.protocol.moveCategory(1, 9))
    web.result(alice.protocol.moveBuddy(uin, 2))

    def look() -> object:
        buddies = alice.protocol.buddies.values()
        return set(alice.protocol.categories), [b.category for b in buddies]

    ours = look()
    assert ours == ({two, Category(1, ANYTHING[:20], 9)}, [2])
    assert [c.index for c in alice.protocol.categories] == [2, 1]
    alice.stop()
    alice.run()
    assert look() == ours
    web.result(alice.protocol.removeCategory(2))
    ours = look()
    assert ours == ({Category(1, ANYTHING[:20], 9)}, [0])
    alice.stop()
    alice.run()
    assert look() == ours
    (uin,) = alice.protocol.buddies
    with pytest.raises(RequestRefused, match="no such category"):
        web.result(alice.protocol.moveBuddy(uin, 2))


# ---- finding people


def test_search() -> None:
    """
    People are found by number and by mail; strangers are not told everything.
    """
    web = MemoryWebQQ()
    alice = web.person("Alice")
    bob = web.person("Bob", city="舟山", email="Bob@Example.com", phone="5")
    for name in (bob.number, "bob@example.COM"):
        found = web.result(alice.protocol.searchNumber(name))
        assert (found.nick, found.number, found.city) == ("Bob", bob.number, "舟山")
        assert (found.email, found.phone) == ("", "")
        assert len(found.token) == 48
    assert web.result(alice.protocol.fetchStranger(found.uin)).nick == "Bob"
    for nobody in ("19999", "0", "", "x", "bob", "nobody@example.com", "9" * 400):
        with pytest.raises(RequestRefused):
            web.result(alice.protocol.searchNumber(nobody))


def test_captcha() -> None:
    """
    A search wants a captcha read, and says whether that was done well.
    """
    web = MemoryWebQQ(captcha=CaptchaMode.ALWAYS)
    alice, bob = web.person("Alice"), web.person("Bob")
    alice.run(Readers())
    search = alice.protocol.searchNumber
    with pytest.raises(CaptchaNeeded) as caught:
        web.result(search(bob.number))
    assert caught.value.retcode == 1000
    captcha = web.result(alice.protocol.fetchCaptcha())
    assert captcha.image.endswith(web.captchaText.encode())
    with pytest.raises(CaptchaNeeded) as caught:
        web.result(search(bob.number, replace(captcha, text="EFGH")))
    assert caught.value.retcode == 1001
    captcha = web.result(alice.protocol.fetchCaptcha())
    read = replace(captcha, text=web.captchaText.lower())
    assert web.result(search(bob.number, read)).nick == "Bob"
    with pytest.raises(CaptchaNeeded):
        web.result(search(bob.number, read))


class Reader(RecordingProtocol):
    """
    Can read.
    """

    async def captchaRequired(self, image: bytes) -> str:
        return image[-4:].decode()


class Readers(WebQQFactory):
    protocol = Reader


# ---- details


def test_self() -> None:
    """
    An account can change its own details, which friends read, and who may add
    it; the right answer to its question is shown to nobody.
    """
    web = MemoryWebQQ()
    alice, bob = web.friends("Alice", "Bob")
    born = Birthday(1992, 2, 29)
    nick = "'; -- \"\\ <b> 😀 عربى"
    change = alice.protocol.setDetails
    web.result(change(nick=nick, birthday=born, gender="female", mobile="5"))
    web.result(change(allow=3, question="?", answer="a secret"))
    me = web.result(alice.protocol.fetchSelf())
    assert (me.nick, me.birthday, me.number) == (nick, born, alice.number)
    seen = web.result(bob.protocol.fetchBuddy(bob.uinOf(alice)))
    told = (seen.nick, seen.birthday, seen.gender, seen.mobile, seen.allow)
    assert told == (nick, born, "female", "5", 3)
    assert "a secret" not in repr((me, seen))


@pytest.mark.parametrize(
    "details",
    [
        {"nick": " "},
        {"nick": "x" * 65},
        {"gender": "robot"},
        {"birthday": Birthday(1990, 2, 29)},
        {"birthday": Birthday(10**9, 1, 1)},
        {"blood": 5},
        {"allow": -1},
        {"personal": "x" * 20_000},
    ],
)
def test_wrongDetails(details: dict[str, object]) -> None:
    """
    Impossible details are refused, and nothing is changed.
    """
    web = MemoryWebQQ()
    alice = web.person("Alice")
    before = web.state.store.accounts.get(alice.number)
    with pytest.raises(RequestRefused):
        web.result(alice.protocol.setDetails(city="x", **details))
    assert web.state.store.accounts.get(alice.number) == before


def test_signature() -> None:
    """
    A signature is kept, and friends are told of it, also later.
    """
    web = MemoryWebQQ()
    alice, bob, carol = web.friends("Alice", "Bob", "Carol")
    bob.run()
    alice.run()
    uin = bob.uinOf(alice)
    assert web.result(bob.protocol.fetchSignature(uin)) == ""
    web.result(alice.protocol.setSignature(ANYTHING))
    web.settle(1)
    assert web.result(bob.protocol.fetchSignature(uin)) == ANYTHING
    assert web.result(bob.protocol.fetchSignatures([uin])) == {uin: ANYTHING}
    carol.run()
    web.settle(1)
    for friend in (bob, carol):
        (tip,) = [e for e in friend.events if isinstance(e, Tip)]
        assert tip.sender == friend.uinOf(alice)
        assert "run=mySignature" in tip.url
        assert tip.text == f"Alice\r\n{ANYTHING}"
    assert web.result(alice.protocol.fetchSelf()).signature == ANYTHING


def test_level() -> None:
    """
    Days on which one was signed on make levels; being signed on for days
    counts, too.
    """
    web = MemoryWebQQ()
    alice, _ = web.friends("Alice", "Bob")
    alice.run()
    me = alice.protocol.account.number

    def level() -> tuple[int, int, int]:
        told = web.result(alice.protocol.fetchLevel(me))  # type: ignore[arg-type]
        return told.level, told.days, told.remaining

    assert level() == (0, 1, 4)
    for _ in range(4):
        alice.stop()
        web.clock.advance(86400)
        alice.run()
    assert level() == (1, 5, 7)
    alice.stop()
    alice.run()
    assert level() == (1, 5, 7)


def test_vip() -> None:
    """
    VIP levels are asked of several friends at once.
    """
    web = MemoryWebQQ()
    alice, bob = web.person("Alice"), web.person("Bob", vipLevel=6)
    web.befriend(alice, bob)
    uin = alice.uinOf(bob)
    assert web.result(alice.protocol.fetchVipLevels([uin])) == {uin: 6}


def test_recent() -> None:
    """
    Conversations of late are told, the last first.
    """
    web = MemoryWebQQ()
    alice, bob, carol = web.friends("Alice", "Bob", "Carol")
    number = web.group("cats", alice, bob)
    assert number
    assert web.result(alice.protocol.fetchRecent()) == ()
    bob.tell(alice, "hi")
    web.settle(2)
    alice.tellGroup("cats", "meow")
    web.settle(2)
    alice.tell(carol, "psst")
    group = alice.groupCalled("cats").code
    found = web.result(alice.protocol.fetchRecent())
    assert [(each.kind, each.id) for each in found] == [
        (RECENT_BUDDY, alice.uinOf(carol)),
        (RECENT_GROUP, group),
        (RECENT_BUDDY, alice.uinOf(bob)),
    ]


def test_edited() -> None:
    """
    Friends who are signed on are told of another nick or avatar, and nobody of another
    city; their lists have the nick.
    """
    web = MemoryWebQQ()
    alice, bob = web.friends("Alice", "Bob")
    carol = web.person("Carol")
    for person in (alice, bob, carol):
        person.run()
    for details in ({"city": "Jinan"}, {"nick": "Alicia"}):
        web.result(alice.protocol.setDetails(**details))
    web.settle()
    told = FriendEdited(bob.uinOf(alice), "Alicia")
    assert [e for e in bob.events if isinstance(e, FriendEdited)] == [told]
    assert bob.protocol.buddies[told.uin].nick == "Alicia"
    web.result(alice.protocol.setAvatar(None))
    web.settle()
    assert [e for e in bob.events if isinstance(e, FriendEdited)] == [told, told]
    assert not [e for e in carol.events if isinstance(e, FriendEdited)]
