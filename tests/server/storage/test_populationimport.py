"""
Import of populations into the database.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.server.harness import ALICE, BOB, CAROL, CATS, DAVE, POPULATION
from txwebqq.errors import InvalidConfiguration
from txwebqq.model import Number
from txwebqq.server.population import parse
from txwebqq.server.records import Population
from txwebqq.server.storage.populationimport import importPopulation
from txwebqq.server.storage.store import Store


def dump(path: Path) -> list[str]:
    db = sqlite3.connect(path)
    lines = list(db.iterdump())
    db.close()
    return lines


def test_again(tmp_path: Path) -> None:
    """
    Importing the same population again changes nothing.
    """
    path = tmp_path / "q.db"
    store = Store(path)
    importPopulation(store, parse(POPULATION))
    store.close()
    before = dump(path)
    store = Store(path)
    importPopulation(store, parse(POPULATION))
    store.close()
    assert dump(path) == before


def test_more(store: Store) -> None:
    """
    A larger population adds what is new, and changes and removes nothing.
    """
    importPopulation(store, parse(POPULATION))
    importPopulation(
        store,
        parse(
            """
            [[account]]
            number = 10001
            password = "other"
            nick = "Other"

            [[account]]
            number = 10009
            password = "new"

            [[friendship]]
            between = [10009, 10001]

            [[friendship]]
            between = [10001, 10002]
            markname = "Other"

            [[group]]
            number = 200001
            name = "dogs"
            owner = 10009
            """
        ),
    )
    alice = store.accounts.get(ALICE)
    assert alice is not None
    assert alice.nick == "Alice"
    assert {f.number for f in store.friends.all(ALICE)} == {BOB, CAROL, 10009}
    assert [f.markname for f in store.friends.all(ALICE) if f.number == BOB] == [
        "Bobby"
    ]
    group = store.groups.get(CATS)
    assert group is not None
    assert (group.name, group.owner) == ("cats", ALICE)
    assert set(store.groups.memberNumbers(CATS)) == {ALICE, BOB, DAVE, 10009}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "[[friendship]]\nbetween = [10001, 10007]",
            "friendship between 10001 and 10007: there is no account 10007",
        ),
        (
            '[[group]]\nnumber = 200002\nname = "x"\nowner = 10001\nmembers = [10008]',
            "group 200002: there is no account 10008",
        ),
        (
            "[[discussion]]\nnumber = 300001\nowner = 10008",
            "discussion 300001: there is no account 10008",
        ),
    ],
)
def test_missingAccount(text: str, problem: str, store: Store) -> None:
    """
    A population that names an account which does not exist is refused as a whole.
    """
    account = '[[account]]\nnumber = 10001\npassword = "x"\n'
    with pytest.raises(InvalidConfiguration, match=f"^{problem}$"):
        importPopulation(store, parse(account + text))
    assert store.accounts.get(ALICE) is None


def test_empty(store: Store) -> None:
    """
    An empty population adds nothing.
    """
    importPopulation(store, Population())
    assert store.accounts.get(ALICE) is None


def test_removed(store: Store) -> None:
    """
    Friends and members who were removed are not added again.
    """
    text = POPULATION + (
        '[[discussion]]\nnumber = 300001\nname = "x"\n'
        "owner = 10001\nmembers = [10002, 10003]"
    )
    importPopulation(store, parse(text))
    discussion = Number(300001)
    store.friends.remove(ALICE, BOB)
    store.groups.removeMember(CATS, BOB)
    store.discussions.removeMember(discussion, BOB)
    importPopulation(store, parse(text))
    assert BOB not in store.friends.numbers(ALICE)
    assert BOB not in store.groups.memberNumbers(CATS)
    assert store.discussions.memberNumbers(discussion) == [ALICE, CAROL]
    assert ALICE in store.friends.numbers(BOB)
