"""
The muted members of groups.
"""

from __future__ import annotations

from txwebqq.irc.gateway.interaction.mutes import ALL, GroupMutes
from txwebqq.irc.gateway.storage.mutes import StoredMutes
from txwebqq.irc.gateway.storage.preferences import Preferences
from txwebqq.irc.gateway.storage.schema import GATEWAY_SCHEMA
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.sqlite.database import MEMORY, Database

CATS = Target(TargetKind.GROUP, 200001)
DOGS = Target(TargetKind.GROUP, 200002)


def test_changes() -> None:
    """
    A mute and its end are new once each, also the end of one that was not known.
    """
    mutes = GroupMutes()
    for seconds in (0, 60, 0, 60):
        assert mutes.change(CATS, 10002, seconds, 1000)
        assert not mutes.change(CATS, 10002, seconds, 1000)


def test_ends() -> None:
    """
    A mute that has ended by itself is told once, and a longer one later.
    """
    mutes = GroupMutes()
    mutes.change(CATS, 10002, 60, 1000)
    mutes.change(CATS, 10003, 60, 1000)
    mutes.change(CATS, 10003, 90, 1030)
    assert mutes.ended(1059) == []
    assert mutes.ended(1060) == [(CATS, 10002)]
    assert mutes.ended(1061) == []
    assert mutes.members(CATS, 1061) == [10003]
    assert mutes.ended(1120) == [(CATS, 10003)]
    assert mutes.members(CATS, 1120) == []


def test_all() -> None:
    """
    All members are muted beside single ones, in each group for itself.
    """
    mutes = GroupMutes()
    mutes.change(CATS, ALL, 60, 1000)
    mutes.change(DOGS, 10002, 60, 1000)
    assert mutes.isMuted(CATS, 1001)
    assert not mutes.isMuted(DOGS, 1001)
    assert mutes.members(CATS, 1001) == []
    assert mutes.members(DOGS, 1001) == [10002]
    mutes.forget(DOGS)
    assert mutes.members(DOGS, 1001) == []
    assert mutes.isMuted(CATS, 1001)


def test_stored() -> None:
    """
    The mutes that have not ended are known after a restart, those of each user.
    """
    database = Database(MEMORY, GATEWAY_SCHEMA)
    stored = StoredMutes(Preferences(database), "alice")
    assert stored.load() == {}
    mutes = GroupMutes(stored.load(), stored.save)
    mutes.change(CATS, 10002, 60, 1000)
    mutes.change(CATS, 10003, 600, 1000)
    mutes.change(CATS, 10004, 600, 1000)
    mutes.change(CATS, 10004, 0, 1010)
    mutes.change(CATS, ALL, 600, 1000)
    later = StoredMutes(Preferences(database), "alice")
    again = GroupMutes(later.load(), later.save)
    assert again.ended(1060) == [(CATS, 10002)]
    assert again.members(CATS, 1060) == [10003]
    assert again.isMuted(CATS, 1060)
    assert sorted(later.load().values()) == [1600, 1600]
    assert StoredMutes(Preferences(database), "bob").load() == {}
    again.forget(CATS)
    assert StoredMutes(Preferences(database), "alice").load() == {}
    database.close()
