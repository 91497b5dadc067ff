"""
Names of contacts and channels.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txwebqq.irc.gateway.storage.names import NameStore, NameTable, NameTaken
from txwebqq.irc.gateway.storage.schema import GATEWAY_SCHEMA
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.sqlite.database import MEMORY, Database

ALICE = Target(TargetKind.CONTACT, 10001)
BOB = Target(TargetKind.CONTACT, 10002)
CATS = Target(TargetKind.GROUP, 10001)


def nameTable(user: str = "alice", style: str = "utf-8") -> NameTable:
    return NameStore(Database(MEMORY, GATEWAY_SCHEMA), str.lower).tableFor(user, style)


def numbered(name: str) -> Callable[[Container[str]], str]:
    def make(taken: Container[str]) -> str:
        attempt, number = name, 1
        while attempt in taken:
            number += 1
            attempt = f"{name}_{number}"
        return attempt

    return make


def test_stable(tmp_path: Path) -> None:
    """
    A name is kept, also in the next run, when another one would be made now.
    """
    path = tmp_path / "gateway.db"
    for name in ("Al", "Alice"):
        database = Database(path, GATEWAY_SCHEMA)
        alices = NameStore(database, str.lower).tableFor("alice", "utf-8")
        assert alices.claim(ALICE, numbered(name)) == "Al"
        assert alices.claim(CATS, numbered("#cats")) == "#cats"
        assert alices.target("aL") == ALICE
        assert (alices.name(ALICE), alices.name(CATS)) == ("Al", "#cats")
        database.close()


def test_collision() -> None:
    """
    Two targets do not get names that are equal on IRC.
    """
    names = nameTable()
    assert names.claim(ALICE, numbered("al")) == "al"
    assert names.claim(BOB, numbered("AL")) == "AL_2"
    with pytest.raises(NameTaken, match="Al is the name of 10001") as caught:
        names.rename(BOB, "Al")
    assert caught.value.target == ALICE
    assert names.name(BOB) == "AL_2"
    with pytest.raises(NameTaken):
        names.claim(CATS, lambda taken: "al")
    assert names.name(CATS) is None


def test_rename() -> None:
    """
    A renamed target is found by its new name only, and the old one is free;
    the case of a name can be changed.
    """
    names = nameTable()
    names.rename(ALICE, "al")
    names.rename(ALICE, "lisa")
    assert "al" not in names
    assert "LISA" in names
    names.rename(BOB, "AL")
    names.rename(ALICE, "Lisa")
    assert names.name(ALICE) == "Lisa"
    assert (names.target("al"), names.target("lisa")) == (BOB, ALICE)


def test_separate() -> None:
    """
    Users and styles have separate tables, and a table is made once.
    """
    names = NameStore(Database(MEMORY, GATEWAY_SCHEMA), str.lower)
    names.tableFor("alice", "utf-8").rename(ALICE, "x")
    names.tableFor("alice", "pinyin").rename(BOB, "x")
    names.tableFor("bob", "utf-8").rename(CATS, "x")
    assert names.tableFor("alice", "utf-8").target("x") == ALICE
    assert names.tableFor("alice", "pinyin").target("x") == BOB
    assert names.tableFor("bob", "utf-8").target("x") == CATS


@given(
    st.lists(
        st.tuples(
            st.integers(1, 4).map(lambda n: Target(TargetKind.CONTACT, n)),
            st.sampled_from(["a", "A", "b", "B", "c"]),
        )
    )
)
def test_bijection(renames: list[tuple[Target, str]]) -> None:
    """
    After any renames, the table and the database agree, and each name leads to
    its target only.
    """
    database = Database(MEMORY, GATEWAY_SCHEMA)
    names = NameStore(database, str.lower).tableFor("alice", "utf-8")
    for target, name in renames:
        holder = names.target(name)
        if holder in (None, target):
            names.rename(target, name)
        else:
            with pytest.raises(NameTaken):
                names.rename(target, name)
            assert names.target(name) == holder
    targets = [Target(TargetKind.CONTACT, number) for number in range(1, 5)]
    known = {each: named for each in targets if (named := names.name(each)) is not None}
    assert len({each.lower() for each in known.values()}) == len(known)
    for table in (names, NameStore(database, str.lower).tableFor("alice", "utf-8")):
        assert [table.name(each) for each in targets] == [*map(known.get, targets)]
        for each, named in known.items():
            assert table.target(named.upper()) == each
        for name in "abc":
            assert (name in table) == (name in map(str.lower, known.values()))
