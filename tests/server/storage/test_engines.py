"""
Queries whose SQL the engines could read differently.
"""

from __future__ import annotations

from dataclasses import replace

from tests.server.harness import ALICE, BOB, CATS, DAVE, POPULATION
from txwebqq.model import RECENT_BUDDY, RECENT_GROUP, Number
from txwebqq.server.population import parse
from txwebqq.server.records import (
    AccountRecord,
    CategoryRecord,
    GroupRecord,
    OnlineTime,
)
from txwebqq.server.storage.accounts import DAY
from txwebqq.server.storage.blobs import Blob
from txwebqq.server.storage.conversations.history import (
    FRIENDS,
    GROUP,
    HistoryWindow,
    StoredMessage,
)
from txwebqq.server.storage.populationimport import importPopulation
from txwebqq.server.storage.sessions import ReplacedSession, StoredSession
from txwebqq.server.storage.store import Store

WINDOW = HistoryWindow(keep=100, since=0)
PAIR = (FRIENDS, ALICE, BOB)


def test_accounts(store: Store) -> None:
    """
    Accounts are found by an e-mail address in any case of ASCII, and numbered.
    """
    first = store.accounts.register("One", b"\0\xff")
    assert first is not None
    assert store.accounts.register("Two", b"") == first + 1
    assert store.accounts.firstHash(first) == b"\0\xff"
    profile = {"email": "Ä.One@Example.org"}
    store.accounts.update(AccountRecord(first, b"", "One", 5, profile))
    found = store.accounts.byEmail("Ä.oNE@example.ORG")
    assert found == AccountRecord(first, b"\0\xff", "One", 5, profile)
    assert store.accounts.byEmail("ä.one@example.org") is None
    odd = {"personal": "\0 \ud800", "email": "two@example.org"}
    store.accounts.update(AccountRecord(Number(first + 1), b"", "Two", 0, odd))
    assert store.accounts.byEmail("Ä.one@example.org") == found
    assert not store.accounts.add(found)
    assert store.accounts.disable(first)
    assert not store.accounts.disable(first)
    store.accounts.requestSignOff(Number(first + 1))
    assert store.accounts.takeSignOffs() == [first, first + 1]
    assert store.accounts.takeSignOffs() == []
    store.accounts.setPassword(first, b"\1")
    changed = [first] if store.database.isServer else []
    assert store.accounts.takeChangedPasswords() == changed
    assert store.accounts.takeChangedPasswords() == []


def test_online(store: Store) -> None:
    """
    A day counts once, and the oldest addresses of sign-ons are forgotten.
    """
    for day, days in ((10, 1), (10, 1), (12, 5), (11, 1)):
        store.accounts.addOnlineDays(ALICE, day, days)
    store.accounts.addOnlineSeconds(ALICE, 7)
    assert store.accounts.onlineTime(ALICE) == OnlineTime(3, 7)
    for number in range(25):
        store.accounts.signedOnFrom(ALICE, f"10.0.0.{number}", number * DAY)
    store.accounts.signedOnFrom(ALICE, "10.0.0.24", 3 * DAY)
    seen = [store.accounts.hasSignedOnFrom(ALICE, f"10.0.0.{n}") for n in range(25)]
    assert seen == [False] * 5 + [True] * 20


def test_friends(store: Store) -> None:
    """
    Categories, in the order of their indexes, and friends can be replaced.
    """
    importPopulation(store, parse(POPULATION))
    for index, name in ((9, "b"), (4, "a"), (9, "c")):
        store.friends.setCategory(DAVE, CategoryRecord(index, name, 1))
    found = [(each.index, each.name) for each in store.friends.categories(DAVE)]
    assert found == [(4, "a"), (9, "c")]
    store.friends.add(DAVE, ALICE, 4, "x")
    store.friends.add(DAVE, ALICE, 9, "y")
    entry = store.friends.entry(DAVE, ALICE)
    assert entry is not None
    assert (entry.category, entry.markname) == (9, "y")
    assert store.friends.removeBoth(ALICE, DAVE)
    assert not store.friends.removeBoth(ALICE, DAVE)


def test_groups(store: Store) -> None:
    """
    Groups are found by their number and by a part of the name, in any case of ASCII;
    C{%} and C{_} are characters like others.
    """
    importPopulation(store, parse(POPULATION))
    made = [
        store.groups.create(GroupRecord(Number(0), name, ALICE), [ALICE, BOB])
        for name in ("100% Äpfel", "a_b", "aXb")
    ]

    def found(words: str) -> list[Number]:
        groups, count = store.groups.find(words, 10, 0)
        assert count == len(groups)
        return [group.number for group in groups]

    assert [found(w) for w in ("100% Ä", "A_B", "100% ä")] == [made[:1], made[1:2], []]
    assert found(str(CATS)) == [CATS]
    assert store.groups.adminNumbers(CATS)[0] == ALICE
    store.groups.setMask(CATS, BOB, 2)
    store.groups.setGlobalMask(DAVE, 3)
    assert store.groups.recipients(CATS) == [ALICE]
    store.groups.dissolve(made[0])
    assert store.groups.get(made[0]) is None
    assert store.groups.ownedBy(ALICE) == [CATS, *made[1:]]


def test_history(store: Store) -> None:
    """
    Messages are found by page, bounds, sender, day and id.
    """
    importPopulation(store, parse(POPULATION))
    store.history.record(
        [
            StoredMessage(PAIR, n, n * 86400, (ALICE, BOB)[n % 2], f'[[{n},7],"]{n}"]')
            for n in range(1, 6)
        ]
    )
    store.history.record([StoredMessage((GROUP, CATS, 0), 1, 99 * 86400, DAVE, "[]")])

    def numbers(messages: list[StoredMessage]) -> list[int]:
        return [each.sequence for each in messages]

    history = store.history
    assert numbers(history.page(PAIR, WINDOW, 1, 2)) == [2, 3]
    assert numbers(history.between(PAIR, WINDOW, (2, 4), 2, True)) == [3, 4]
    assert numbers(history.bySender(PAIR, WINDOW, BOB, 9)) == [1, 3, 5]
    assert history.days(PAIR, HistoryWindow(2, 0), 0) == [(4, 4, 4), (5, 5, 5)]
    newest = history.newestWithIds(PAIR, WINDOW, ",7", 5)
    assert newest is not None
    assert newest.sequence == 4
    assert history.newestWithIds(PAIR, WINDOW, '"', 5) is None
    recent = history.recent(ALICE, 0, 5)
    assert recent == [(RECENT_GROUP, CATS), (RECENT_BUDDY, BOB)]
    history.prune(PAIR, 3)
    assert history.count(PAIR, WINDOW) == 3


def test_media(store: Store) -> None:
    """
    Pictures are for their readers, and sums of sizes are integers.
    """
    blob = Blob("d", "M", 2**33)
    store.media.addUpload("/p", ALICE, blob, "x", True, 5)
    assert store.media.addCustomFace(ALICE, "f", blob, 5)
    assert not store.media.addCustomFace(ALICE, "f", blob, 5)
    usage = store.media.uploadedSince(ALICE, 5)
    assert (usage, type(usage[1])) == ((2, 2**34), int)
    one = store.media.addPicture("n", ALICE, "d", 1, [BOB])
    assert store.media.addPicture("n", DAVE, "e", 1, [BOB]) > one
    assert store.media.pictureFor("n", BOB) == "e"
    assert store.media.pictureFor("n", BOB, ALICE) == "d"
    assert store.media.pictureFor("n", ALICE) == "d"
    assert store.media.pictureFor("n", Number(99)) is None


def test_sessions(store: Store) -> None:
    """
    Sessions are stored, replaced and ended.
    """
    a, b, c = (bytes([n]) * 32 for n in range(3))
    session = StoredSession(ALICE, "1", a, b, c, a, b, c, a, 10)
    store.sessions.write({ALICE: session})
    later = replace(session, clientid="2", psessionid=c, status=20, lapsed=1)
    store.sessions.write({ALICE: later, BOB: None})
    store.sessions.setTime(50)
    store.sessions.setTime(60)
    assert store.sessions.load(60) == [later]
    assert store.sessions.load(61) == []
    replaced = [ReplacedSession(bytes([n]), a, b, c, ALICE, n) for n in range(7)]
    store.sessions.writeReplaced(replaced)
    store.sessions.forgetReplaced(3)
    assert store.sessions.loadReplaced(2) == replaced[5:]


def test_settings(store: Store) -> None:
    """
    Settings are replaced and counted in characters.
    """
    store.settings.update(ALICE, 1, {"a": "茶", "b": "1"})
    store.settings.update(ALICE, 1, {"a": "茶茶"})
    assert store.settings.get(ALICE, 1) == {"a": "茶茶", "b": "1"}
    assert store.settings.usage(ALICE) == (2, 5)


def test_removeAccount(store: Store) -> None:
    """
    An account is deleted from all tables, and the population is the others.
    """
    importPopulation(store, parse(POPULATION))
    discussion = store.discussions.create("x", BOB, [BOB, DAVE])
    store.mutes.add(CATS, BOB, 50, 1)
    store.admin.removeAccount(BOB)
    record = store.discussions.get(discussion)
    assert record is not None
    assert record.owner == DAVE
    assert store.mutes.active(CATS, 1) == []
    population = store.admin.population()
    assert BOB not in [each.number for each in population.accounts]
    assert store.admin.statistics()["accounts"] == len(population.accounts)
