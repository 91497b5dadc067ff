"""
Preferences of users, and channels that clients have parted from.
"""

from __future__ import annotations

from pathlib import Path

from txwebqq.irc.gateway.storage.partedchannels import PartedChannels
from txwebqq.irc.gateway.storage.preferences import Preferences
from txwebqq.irc.gateway.storage.schema import GATEWAY_SCHEMA
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.sqlite.database import MEMORY, Database

CATS = Target(TargetKind.GROUP, 200001)
DOGS = Target(TargetKind.GROUP, 200002)


def test_preferences(tmp_path: Path) -> None:
    """
    A preference has its default until it is set, is one user's only, and is
    kept in the database.
    """
    path = tmp_path / "gateway.db"
    database = Database(path, GATEWAY_SCHEMA)
    preferences = Preferences(database)
    assert preferences.get("alice", "formatting", "off") == "off"
    preferences.set("alice", "formatting", "on")
    assert preferences.get("alice", "formatting", "off") == "on"
    assert preferences.get("bob", "formatting", "off") == "off"
    database.close()
    database = Database(path, GATEWAY_SCHEMA)
    assert Preferences(database).get("alice", "formatting", "off") == "on"
    database.close()


def test_partedChannels() -> None:
    """
    A parted channel is one client's, until the client joins it again or the
    user is no longer a member.
    """
    database = Database(MEMORY, GATEWAY_SCHEMA)
    parted = PartedChannels(database)
    for client in ("phone", "laptop"):
        parted.add("alice", client, CATS, 7)
        parted.add("alice", client, DOGS, 8)
    parted.remove("alice", "phone", CATS)
    assert parted.of("alice", "phone") == {DOGS: 8}
    assert parted.of("alice", "laptop") == {CATS: 7, DOGS: 8}
    parted.forget("alice", DOGS)
    assert parted.of("alice", "phone") == {}
    assert parted.of("alice", "laptop") == {CATS: 7}
    assert parted.of("bob", "laptop") == {}
