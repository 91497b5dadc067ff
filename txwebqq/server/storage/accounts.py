"""
Tables of accounts: their passwords, profiles and time online.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from txwebqq.databases.interface import Database
from txwebqq.databases.statements import asciiLower
from txwebqq.model import Number
from txwebqq.server.records import (
    HIGHEST_NUMBER,
    LOWEST_NUMBER,
    AccountRecord,
    OnlineTime,
)

ACCOUNT_SCHEMA = """
CREATE TABLE account (
    number INTEGER PRIMARY KEY,
    first_hash BLOB NOT NULL,
    nick TEXT NOT NULL,
    face INTEGER NOT NULL DEFAULT 0,
    profile TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX account_by_email ON account (lower(json_extract(profile, '$.email')));
CREATE TABLE attendance (
    number INTEGER PRIMARY KEY,
    days INTEGER NOT NULL,
    last_day INTEGER NOT NULL,
    seconds INTEGER NOT NULL
);
CREATE TABLE disabled (
    number INTEGER PRIMARY KEY
);
CREATE TABLE signing_off (
    number INTEGER PRIMARY KEY
);
CREATE TABLE changed_password (
    number INTEGER PRIMARY KEY
);
CREATE TABLE online (
    number INTEGER PRIMARY KEY,
    since INTEGER NOT NULL
);
CREATE TABLE signon_address (
    number INTEGER NOT NULL,
    address TEXT NOT NULL,
    time INTEGER NOT NULL,
    PRIMARY KEY (number, address)
) WITHOUT ROWID;
"""

MAX_ADDRESSES = 20
"""Maximum number of addresses that are remembered of an account, the latest ones."""

DAY = 24 * 3600

_COLUMNS = "number, first_hash, nick, face, profile"


class AccountStore:
    """
    The accounts in the database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.connection

    def get(self, number: Number) -> AccountRecord | None:
        """
        Return an account, or L{None} if there is none with this number.
        """
        row = self._db.execute(
            f"SELECT {_COLUMNS} FROM account WHERE number = ?", (number,)
        ).fetchone()
        return None if row is None else _account(row)

    def exists(self, number: Number) -> bool:
        """
        Check whether there is an account with this number.
        """
        return self._database.exists("SELECT 1 FROM account WHERE number = ?", number)

    def all(self) -> list[AccountRecord]:
        """
        Return all accounts, in the order of their numbers.
        """
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM account ORDER BY number")
        return [_account(row) for row in rows]

    def byEmail(self, email: str) -> AccountRecord | None:
        """
        Return the account with the lowest number that has this e-mail address
        in its profile.
        """
        row = self._db.execute(
            f"SELECT {_COLUMNS} FROM account"
            " WHERE lower(json_extract(profile, '$.email')) = ?"
            " ORDER BY number LIMIT 1",
            (asciiLower(email),),
        ).fetchone()
        return None if row is None else _account(row)

    def add(self, account: AccountRecord) -> bool:
        """
        Add an account, unless there is one with its number.

        @return: whether it was added.
        """
        added = self._db.execute(
            "INSERT INTO account VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (
                account.number,
                account.firstHash,
                account.nick,
                account.face,
                json.dumps(dict(account.profile)),
            ),
        )
        return added.rowcount == 1

    def register(self, nick: str, firstHash: bytes) -> Number | None:
        """
        Add an account with the next free number.

        @return: its number, the next after the highest; L{None} when the
            highest possible number is taken.
        """
        with self._database.transaction():
            self._database.lockTable("account")
            number = self._database.count(
                "SELECT coalesce(max(number), ? - 1) + 1 FROM account", LOWEST_NUMBER
            )
            if number > HIGHEST_NUMBER:
                return None
            self._db.execute(
                "INSERT INTO account (number, first_hash, nick) VALUES (?, ?, ?)",
                (number, firstHash, nick),
            )
        return Number(number)

    def update(self, account: AccountRecord) -> None:
        """
        Set the nick, face and profile of an account.
        """
        self._db.execute(
            "UPDATE account SET nick = ?, face = ?, profile = ? WHERE number = ?",
            (
                account.nick,
                account.face,
                json.dumps(dict(account.profile)),
                account.number,
            ),
        )

    def firstHash(self, number: Number) -> bytes | None:
        """
        Return the MD5 of the password of an account, or L{None} if there is no
        account with this number.
        """
        row = self._db.execute(
            "SELECT first_hash FROM account WHERE number = ?", (number,)
        ).fetchone()
        return None if row is None else bytes(row[0])

    def setPassword(self, number: Number, firstHash: bytes) -> None:
        """
        Set the password of an account.

        @param firstHash: the MD5 of the password.
        """
        with self._database.together():
            self._db.execute(
                "UPDATE account SET first_hash = ? WHERE number = ?",
                (firstHash, number),
            )
            if self._database.isServer:
                # The others look at the passwords of all sessions.
                self._db.execute(
                    "INSERT INTO changed_password VALUES (?) ON CONFLICT DO NOTHING",
                    (number,),
                )

    def setNicksAndPasswords(self, accounts: Iterable[AccountRecord]) -> None:
        """
        Set the nicks and passwords of existing accounts.

        A nick that is only the number, as when a population file gives none,
        leaves the nick as it is.
        """
        with self._database.transaction():
            for account in accounts:
                self.setPassword(account.number, account.firstHash)
                if account.nick != str(account.number):
                    self._db.execute(
                        "UPDATE account SET nick = ? WHERE number = ?",
                        (account.nick, account.number),
                    )

    def hasSignedOnFrom(self, number: Number, address: str) -> bool:
        """
        Check whether an account has signed on from an address before.
        """
        return self._database.exists(
            "SELECT 1 FROM signon_address WHERE number = ? AND address = ?",
            number,
            address,
        )

    def signedOnFrom(self, number: Number, address: str, time: int) -> None:
        """
        Remember the address from which an account has signed on; forget the oldest
        beyond L{MAX_ADDRESSES}.

        @param time: Unix seconds, stored to the day.
        """
        with self._database.transaction():
            stored = self._db.execute(
                "INSERT INTO signon_address VALUES (?1, ?2, ?3)"
                " ON CONFLICT (number, address) DO UPDATE SET time = ?3"
                " WHERE signon_address.time < ?3",
                (number, address, time - time % DAY),
            )
            if stored.rowcount == 0:
                return
            self._db.execute(
                "DELETE FROM signon_address WHERE number = ?1 AND address NOT IN ("
                "SELECT address FROM signon_address WHERE number = ?1"
                " ORDER BY time DESC, address = ?2 DESC LIMIT ?3)",
                (number, address, MAX_ADDRESSES),
            )

    def isDisabled(self, number: Number) -> bool:
        """
        Check whether an account may not sign on.
        """
        return self._database.exists("SELECT 1 FROM disabled WHERE number = ?", number)

    def disabled(self) -> list[Number]:
        """
        Return the accounts that may not sign on.
        """
        rows = self._db.execute("SELECT number FROM disabled ORDER BY number")
        return [number for (number,) in rows]

    def disable(self, number: Number) -> bool:
        """
        Let an account sign on no longer, and have the server end its session.

        @return: whether the account was not disabled before.
        """
        with self._database.together():
            added = self._db.execute(
                "INSERT INTO disabled VALUES (?) ON CONFLICT DO NOTHING", (number,)
            )
            self.requestSignOff(number)
        return added.rowcount == 1

    def enable(self, number: Number) -> bool:
        """
        Let an account sign on again.

        @return: whether the account was disabled.
        """
        gone = self._db.execute("DELETE FROM disabled WHERE number = ?", (number,))
        return gone.rowcount == 1

    def requestSignOff(self, number: Number) -> None:
        """
        Have the server end the session of an account.
        """
        self._db.execute(
            "INSERT INTO signing_off VALUES (?) ON CONFLICT DO NOTHING", (number,)
        )

    def takeSignOffs(self) -> list[Number]:
        """
        Return the accounts whose sessions are to be ended; a request of
        L{requestSignOff} is returned once.
        """
        return self._taken("signing_off")

    def takeChangedPasswords(self) -> list[Number]:
        """
        Return the accounts whose passwords were changed; each change is returned once,
        and by SQLite never.
        """
        return self._taken("changed_password")

    def _taken(self, table: str) -> list[Number]:
        # Without a change most of the time, which other processes would look for.
        if not self._database.exists(f"SELECT 1 FROM {table} LIMIT 1"):
            return []
        rows = self._db.execute(f"DELETE FROM {table} RETURNING number").fetchall()
        return sorted(number for (number,) in rows)

    def online(self) -> list[tuple[Number, int]]:
        """
        Return the accounts that were online when the server last wrote them,
        and since when, in Unix seconds.
        """
        rows = self._db.execute("SELECT number, since FROM online ORDER BY number")
        return [(number, since) for number, since in rows]

    def writeOnline(self, online: Mapping[Number, int]) -> None:
        """
        Store who is online.
        """
        with self._database.transaction():
            self._db.execute("DELETE FROM online")
            self._db.executemany("INSERT INTO online VALUES (?, ?)", online.items())

    def onlineTime(self, number: Number) -> OnlineTime:
        """
        Return the days and seconds for which an account has been online.
        """
        row = self._db.execute(
            "SELECT days, seconds FROM attendance WHERE number = ?", (number,)
        ).fetchone()
        return OnlineTime() if row is None else OnlineTime(*row)

    def addOnlineDays(self, number: Number, day: int, days: int) -> None:
        """
        Count a day as spent online, and those before it, unless they are
        counted already.

        @param day: the last of the days, in days since 1970.
        @param days: the number of days.
        """
        self._db.execute(
            "INSERT INTO attendance VALUES (?1, ?3, ?2, 0)"
            " ON CONFLICT (number) DO UPDATE SET"
            " days = attendance.days + CASE WHEN ?2 - attendance.last_day < ?3"
            " THEN ?2 - attendance.last_day ELSE ?3 END, last_day = ?2"
            " WHERE attendance.last_day < ?2",
            (number, day, days),
        )

    def addOnlineSeconds(self, number: Number, seconds: int) -> None:
        """
        Add the length of a session to the time that an account was online.
        """
        self._db.execute(
            "UPDATE attendance SET seconds = seconds + ? WHERE number = ?",
            (seconds, number),
        )


def _account(row: tuple[Number, bytes, str, int, str]) -> AccountRecord:
    number, firstHash, nick, face, profile = row
    return AccountRecord(number, firstHash, nick, face, json.loads(profile))
