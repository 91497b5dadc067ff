"""
The server's database: one SQLite file, memory when there is no file, or PostgreSQL.
"""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path

from txwebqq.databases.opening import openDatabase
from txwebqq.model import Number
from txwebqq.server.storage.accounts import ACCOUNT_SCHEMA, AccountStore
from txwebqq.server.storage.admin import AdminStore
from txwebqq.server.storage.conversations.history import HISTORY_SCHEMA, HistoryStore
from txwebqq.server.storage.conversations.readmarkers import (
    READ_MARKER_SCHEMA,
    ReadMarkerStore,
)
from txwebqq.server.storage.discussions import DISCUSSION_SCHEMA, DiscussionStore
from txwebqq.server.storage.fleet.store import FLEET_SCHEMA, FleetStore
from txwebqq.server.storage.friends import FRIEND_SCHEMA, FriendStore
from txwebqq.server.storage.groups import GROUP_SCHEMA, GroupStore
from txwebqq.server.storage.media import MEDIA_SCHEMA, MediaStore
from txwebqq.server.storage.messages.queue import MESSAGE_SCHEMA, MessageStore
from txwebqq.server.storage.messages.reactions import REACTION_SCHEMA, ReactionStore
from txwebqq.server.storage.messages.sentids import SENT_ID_SCHEMA
from txwebqq.server.storage.mutes import MUTE_SCHEMA, MuteStore
from txwebqq.server.storage.operatorevents import (
    OPERATOR_EVENT_SCHEMA,
    OperatorEventStore,
)
from txwebqq.server.storage.sessions import SESSION_SCHEMA, SessionStore
from txwebqq.server.storage.settings import SETTINGS_SCHEMA, SettingsStore
from txwebqq.sqlite.database import MEMORY, Schema
from txwebqq.wire.commands.settings import BLOCKED, PRIVACY, STRANGERS, blockedIn

VERSION = 19
"""Version of the schema, in C{PRAGMA user_version}."""

_SECRET_SCHEMA = """
CREATE TABLE secret (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
"""

SCHEMA = Schema(
    "".join(
        (
            ACCOUNT_SCHEMA,
            FRIEND_SCHEMA,
            GROUP_SCHEMA,
            MUTE_SCHEMA,
            DISCUSSION_SCHEMA,
            MESSAGE_SCHEMA,
            MEDIA_SCHEMA,
            HISTORY_SCHEMA,
            READ_MARKER_SCHEMA,
            SETTINGS_SCHEMA,
            SESSION_SCHEMA,
            SENT_ID_SCHEMA,
            REACTION_SCHEMA,
            OPERATOR_EVENT_SCHEMA,
            FLEET_SCHEMA,
            _SECRET_SCHEMA,
        )
    ),
    VERSION,
)


class Attitude(Enum):
    """
    The attitude of an account towards another one.
    """

    FRIEND = "in its friend list, or accepted without being added to it"
    STRANGER = "not in its friend list, or removed from it"
    REFUSED_STRANGER = "the same, and it refuses the messages of such accounts"
    BLOCKED = "blocked, in its friend list or not"


class Store:
    """
    An open database, with one object for each topic.

    @ivar copy: the copy that was made before an upgrade of the schema, L{None}
        if there was no upgrade.

    @raise InvalidConfiguration: when the file cannot be used; says why.
    """

    def __init__(
        self,
        path: str | Path = MEMORY,
        shared: bool = False,
        isChecked: bool = False,
        password: str | None = None,
        hasPeers: bool = False,
    ) -> None:
        """
        @param path: the file, or the URL of a PostgreSQL database.
        @param shared: whether a server may have the file open at the same
            time; then the file must exist, and no events may be queued.
        @param isChecked: whether this process has opened the file before.
        @param password: the password for PostgreSQL, L{None} for that of libpq.
        @param hasPeers: whether this process is one of several servers with a
            database of PostgreSQL.
        """
        self.database = openDatabase(
            path, SCHEMA, shared, isChecked, password, hasPeers
        )
        database = self.database
        self.copy = database.copy
        self.accounts = AccountStore(database)
        self.friends = FriendStore(database)
        self.groups = GroupStore(database)
        self.mutes = MuteStore(database)
        self.discussions = DiscussionStore(database)
        self.sessions = SessionStore(database)
        self.messages = MessageStore(database, self.sessions)
        self.operatorEvents = OperatorEventStore(database)
        self.history = HistoryStore(database)
        self.readMarkers = ReadMarkerStore(database)
        self.reactions = ReactionStore(database)
        self.media = MediaStore(database)
        self.settings = SettingsStore(database)
        self.fleet = FleetStore(database)
        self.admin = AdminStore(database, self.accounts)

    def close(self) -> None:
        """
        Close the database, which cannot be used any more then.
        """
        self.database.close()

    def areAcquainted(self, number: Number, other: Number) -> bool:
        """
        Check whether an account has a reason to see another's profile.

        True for the same account, friends, members of one group or one
        discussion, and when C{other} has sent C{number} a friend request or a
        request to join a group that C{number} administers.
        """
        return (
            number == other
            or self.friends.areFriends(number, other)
            or self.groups.shareGroup(number, other)
            or self.discussions.shareDiscussion(number, other)
            or self.groups.hasJoinRequestTo(other, number)
            or self.friends.request(number, other) is not None
        )

    def blockedBy(self, owner: Number) -> tuple[Number, ...]:
        """
        Return the numbers that an account has blocked, also such without an account.
        """
        value = self.settings.get(owner, PRIVACY).get(BLOCKED, "[]")
        return blockedIn(json.loads(value))

    def attitude(self, owner: Number, other: Number) -> Attitude:
        """
        Return the attitude of an account towards another one.
        """
        # One query, because each message to a friend asks.
        isFriend, blocked, strangers = self.database.connection.execute(
            "SELECT EXISTS (SELECT 1 FROM friendship WHERE owner = ?1 AND friend = ?2)"
            " OR EXISTS (SELECT 1 FROM friendship WHERE owner = ?2 AND friend = ?1)"
            " AND NOT EXISTS (SELECT 1 FROM former_friendship"
            "  WHERE owner = ?1 AND friend = ?2),"
            " (SELECT value FROM setting WHERE owner = ?1 AND app = ?3 AND name = ?4),"
            " (SELECT value FROM setting WHERE owner = ?1 AND app = ?3 AND name = ?5)",
            (owner, other, PRIVACY, BLOCKED, STRANGERS),
        ).fetchone()
        if blocked is not None and other in blockedIn(json.loads(blocked)):
            return Attitude.BLOCKED
        if isFriend:
            return Attitude.FRIEND
        isRefused = strangers == "false"
        return Attitude.REFUSED_STRANGER if isRefused else Attitude.STRANGER

    def secret(self, name: str, fresh: str) -> str:
        """
        Return a secret of the server.

        @param fresh: the value to store when there is no secret of this name
            yet.
        """
        db = self.database.connection
        db.execute(
            "INSERT INTO secret VALUES (?, ?) ON CONFLICT DO NOTHING", (name, fresh)
        )
        (value,) = db.execute(
            "SELECT value FROM secret WHERE name = ?", (name,)
        ).fetchone()
        return str(value)
