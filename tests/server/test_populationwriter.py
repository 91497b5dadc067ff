"""
Populations that are written to a file and read again.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.server.harness import ALICE, BOB, CAROL, DAVE, POPULATION
from txwebqq.model import ANYBODY, MAY_JOIN, MAY_NOT_JOIN, WHO_ANSWERS, Number
from txwebqq.server.population import parse
from txwebqq.server.populationwriter import writePopulation
from txwebqq.server.records import (
    AccountRecord,
    CategoryRecord,
    DiscussionEntry,
    FriendshipEntry,
    GroupEntry,
    GroupRecord,
    Population,
)
from txwebqq.server.storage.populationimport import importPopulation
from txwebqq.server.storage.store import Store

HASH = b"\x01" * 16
NUMBERS = (ALICE, BOB, CAROL, DAVE)
PAIRS = tuple((a, b) for a in NUMBERS for b in NUMBERS if a < b)

texts = st.text(max_size=8)
names = texts.filter(bool)
categories = st.lists(
    # Few names, so that some occur twice.
    st.builds(
        CategoryRecord,
        st.integers(1, 65535),
        st.sampled_from(("Family", '茶 "x"', "\x7f\n")),
        st.integers(0, 65535),
    ),
    max_size=4,
    unique_by=lambda category: category.index,
).map(lambda found: tuple(sorted(found, key=lambda category: category.index)))
profiles = st.fixed_dictionaries(
    {},
    optional={
        "city": texts,
        "signature": texts,
        "question": texts,
        "answer": texts,
        "gender": st.sampled_from(("male", "female", "unknown")),
        "blood": st.integers(0, 4),
        "vipLevel": st.integers(0, 7),
        "allow": st.integers(ANYBODY, 2),
        "birthday": st.tuples(
            st.sampled_from((0, 1, 1990, 9999)),
            st.integers(0, 12),
            st.integers(0, 28),
        ).map(list),
    },
)


@st.composite
def friendships(
    draw: st.DrawFn, own: dict[Number, tuple[CategoryRecord, ...]]
) -> FriendshipEntry:
    between = draw(st.sampled_from(PAIRS))
    onlyListOwner = draw(st.sampled_from((None, *between)))
    owners = between if onlyListOwner is None else (onlyListOwner,)
    categories: dict[Number, str | int] = {}
    for number in owners:
        known = own[number]
        if draw(st.booleans()):
            categories[number] = draw(
                st.sampled_from(["New", *(d.name for d in known)])
            )
        elif known:
            categories[number] = draw(st.sampled_from([d.index for d in known]))
    marknames = {n: draw(names) for n in owners if draw(st.booleans())}
    return FriendshipEntry(between, categories, marknames, onlyListOwner)


@st.composite
def groups(draw: st.DrawFn) -> GroupEntry:
    members = draw(st.sets(st.sampled_from(NUMBERS), min_size=1).map(sorted))
    group = GroupRecord(
        Number(draw(st.integers(200001, 200003))),
        draw(texts),
        draw(st.sampled_from(members)),
        draw(texts),
        draw(texts),
        draw(st.integers(0, 2**32)),
        draw(st.integers(MAY_JOIN, MAY_NOT_JOIN)),
    )
    admins = frozenset(draw(st.sets(st.sampled_from(members))))
    cards = {n: draw(names) for n in members if draw(st.booleans())}
    return GroupEntry(group, tuple(members), admins, cards)


@st.composite
def discussions(draw: st.DrawFn) -> DiscussionEntry:
    members = draw(st.permutations(NUMBERS))[: draw(st.integers(1, 4))]
    number = Number(draw(st.integers(300001, 300003)))
    return DiscussionEntry(number, draw(texts), members[0], tuple(members))


@st.composite
def populations(draw: st.DrawFn) -> Population:
    own = {number: draw(categories) for number in NUMBERS}
    kept = st.lists(friendships(own), unique_by=lambda f: f.between)
    return Population(
        tuple(
            AccountRecord(n, HASH, draw(texts), draw(st.integers(0, 9)), draw(profiles))
            for n in NUMBERS
        ),
        tuple(draw(kept)),
        tuple(draw(st.lists(groups(), unique_by=lambda r: r.group.number, max_size=2))),
        tuple(draw(st.lists(discussions(), unique_by=lambda d: d.number, max_size=2))),
        own,
    )


def exported(store: Store) -> Store:
    """
    A new database with the exported population of another one.
    """
    fresh = Store()
    importPopulation(fresh, parse(writePopulation(store.admin.population())))
    return fresh


@settings(max_examples=60, deadline=None)
@given(populations())
def test_roundTrip(population: Population) -> None:
    """
    The export of any population imports to the same population.
    """
    store = Store()
    importPopulation(store, population)
    fresh = exported(store)
    assert fresh.admin.population() == store.admin.population()
    for number in NUMBERS:
        assert sorted(map(repr, fresh.friends.all(number))) == sorted(
            map(repr, store.friends.all(number))
        )
        assert fresh.friends.categories(number) == store.friends.categories(number)
    store.close()
    fresh.close()


def test_emptyCategory() -> None:
    """
    Categories without friends are exported with their position, and so are two
    categories of one name with their friends.
    """
    store = Store()
    importPopulation(store, parse(POPULATION))
    for category in (
        CategoryRecord(7, "Tea", 9),
        CategoryRecord(8, "Tea", 2),
        CategoryRecord(9, "Empty", 1),
    ):
        store.friends.setCategory(ALICE, category)
    store.friends.update(ALICE, CAROL, 8, "")
    fresh = exported(store)
    assert CategoryRecord(9, "Empty", 1) in fresh.friends.categories(ALICE)
    kept = fresh.friends.entry(ALICE, CAROL)
    assert kept is not None
    assert kept.category == 8
    store.close()
    fresh.close()


def test_created() -> None:
    """
    The creation time of a group is exported.
    """
    store = Store()
    importPopulation(store, parse(POPULATION))
    group = GroupRecord(Number(0), "new", ALICE, created=1366004099)
    number = store.groups.create(group, [ALICE])
    assert "created = 2013-04-15T05:34:59Z" in writePopulation(store.admin.population())
    made = exported(store).groups.get(number)
    assert made is not None
    assert made.created == 1366004099


def test_noAnswer() -> None:
    """
    An account whose question has no answer is exported with an empty one, since a
    population file without an answer is refused.
    """
    store = Store()
    importPopulation(
        store, Population((AccountRecord(ALICE, HASH, "", 0, {"allow": WHO_ANSWERS}),))
    )
    (account,) = exported(store).accounts.all()
    assert account.profile == {"allow": WHO_ANSWERS, "answer": ""}


def test_existingAccount() -> None:
    """
    An import leaves the categories of an existing account as they are, and does
    not add removed ones again.
    """
    store = Store()
    account = f'[[account]]\nnumber = {ALICE}\npassword = "x"\n'
    text = account + 'categories = [{ name = "a" }, { name = "b", sort = 5 }]'
    importPopulation(store, parse(text))
    assert store.friends.categories(ALICE) == [
        CategoryRecord(1, "a", 1),
        CategoryRecord(2, "b", 5),
    ]
    store.friends.removeCategory(ALICE, 1)
    importPopulation(store, parse(text))
    assert store.friends.categories(ALICE) == [CategoryRecord(2, "b", 5)]
