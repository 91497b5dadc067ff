"""
Links to files of groups and of contacts: storage, and the downloads behind the links.

A file stays on the server of its account until a link is opened, and is passed on
while it arrives.
"""

from __future__ import annotations

import re
import sqlite3
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import new as keyed
from typing import Protocol
from urllib.parse import quote

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import BAD_GATEWAY, NOT_FOUND, SERVICE_UNAVAILABLE
from twisted.web.server import NOT_DONE_YET, Request

from txwebqq.errors import RequestRefused, Unreachable, WebQQError
from txwebqq.model import Code, Gid, GroupFile, Number, OfflineFile, Uin
from txwebqq.protocol import WebQQProtocol
from txwebqq.sqlite.database import Database
from txwebqq.wire.jsontext import replaceSurrogates

FILE_LINKS_SCHEMA = """
CREATE TABLE file_link (
    name TEXT PRIMARY KEY,
    time INTEGER NOT NULL,
    account INTEGER NOT NULL,
    gid INTEGER NOT NULL,
    key TEXT NOT NULL,
    file_name TEXT NOT NULL,
    size INTEGER NOT NULL,
    expires INTEGER NOT NULL
);
CREATE INDEX file_link_by_time ON file_link (time);
"""

MAX_FILE_LINKS = 10_000
"""Maximum number of links to files; the oldest are deleted for new ones."""

MAX_DOWNLOADS = 16
"""Maximum number of downloads at the same time."""

_PATH = re.compile(r"([A-Za-z0-9_-]{24})\.([a-z0-9]{1,8})")
_EXTENSION = re.compile(r".*\.([a-z0-9]{1,8})", re.DOTALL)


class FileAccount(Protocol):
    """
    An account that fetches files.
    """

    @property
    def isOnline(self) -> bool:
        """
        Whether the account is signed on.
        """

    @property
    def online(self) -> WebQQProtocol:
        """
        The protocol that is signed on.
        """


@dataclass(frozen=True, slots=True)
class LinkedFile:
    """
    A linked file.

    @ivar account: the number of the account that fetches it.
    @ivar gid: the group that it was shared in, 0 for a file of a contact.
    @ivar key: the server's key of the file.
    @ivar size: in bytes, as the server has told.
    """

    account: int
    gid: int
    key: str = field(repr=False)
    name: str
    size: int

    def fetch(self, protocol: WebQQProtocol, sink: Request) -> Deferred[object]:
        """
        Fetch the file, and write it to a sink.
        """
        if self.gid:
            return protocol.fetchGroupFile(
                GroupFile(
                    Gid(self.gid),
                    Code(0),
                    Number(0),
                    Uin(0),
                    self.name,
                    self.size,
                    self.key,
                ),
                sink,
            )
        return protocol.fetchOfflineFile(
            OfflineFile(Uin(0), self.name, self.size, self.key, "", 0), sink
        )


class FileLinks:
    """
    Files that accounts can fetch, in a database, and the links to them.

    @param now: returns the Unix time in seconds.
    @param url: the URL under which clients reach the links, without a slash at the
        end.
    @param secret: the key from which the names of links are computed.
    @param seconds: how long a link is valid, unless the file expires earlier.

    @ivar accounts: the accounts, by number.
    """

    _log = Logger()

    def __init__(
        self,
        database: Database,
        now: Callable[[], float],
        url: str,
        secret: bytes,
        seconds: int,
    ) -> None:
        self._database = database
        self._db = database.connection
        self._now = now
        self._url = url
        self._secret = secret
        self._seconds = seconds
        self._downloads = 0
        self.accounts: dict[int, FileAccount] = {}

    def add(self, account: int, file: GroupFile | OfflineFile) -> str | None:
        """
        Store the key of a file.

        @param account: the number of the account that was told of it.

        @return: the link, the same for the same file; C{None} when the database
            cannot be written to.
        """
        text = f"file {account} {file.key}"
        digest = keyed(self._secret, text.encode("utf-8", "replace"), sha256).digest()
        name = urlsafe_b64encode(digest[:18]).decode()
        gid = file.group if isinstance(file, GroupFile) else 0
        fileName = replaceSurrogates(file.name)
        now = int(self._now())
        try:
            with self._database.transaction():
                self._db.execute(
                    "INSERT INTO file_link VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
                    # The gid is that of the present session.
                    " ON CONFLICT (name) DO UPDATE SET gid = excluded.gid",
                    (
                        name,
                        now,
                        account,
                        gid,
                        replaceSurrogates(file.key),
                        fileName,
                        file.size,
                        file.expires,
                    ),
                )
                self.expire()
                self._db.execute(
                    "DELETE FROM file_link WHERE name IN (SELECT name FROM file_link"
                    " ORDER BY time DESC, rowid DESC LIMIT -1 OFFSET ?)",
                    (MAX_FILE_LINKS,),
                )
        except sqlite3.Error as e:
            # Better a message without its link than none.
            self._log.warn("Storing a link failed: {reason}; no link.", reason=e)
            return None
        return f"{self._url}/{name}.{_extensionOf(fileName)}"

    def expire(self) -> None:
        """
        Delete the links that are not valid any more.
        """
        now = int(self._now())
        self._db.execute(
            "DELETE FROM file_link WHERE time <= ? OR (expires AND expires <= ?)",
            (now - self._seconds, now),
        )

    def find(self, path: str) -> LinkedFile | None:
        """
        Return the file of a link.

        @param path: the part of the link after the last slash.
        """
        found = _PATH.fullmatch(path)
        if found is None:
            return None
        now = int(self._now())
        row = self._db.execute(
            "SELECT account, gid, key, file_name, size FROM file_link"
            " WHERE name = ? AND time > ? AND NOT (expires AND expires <= ?)",
            (found[1], now - self._seconds, now),
        ).fetchone()
        if row is None or _extensionOf(row[3]) != found[2]:
            return None
        return LinkedFile(*row)

    def serve(self, file: LinkedFile, request: Request) -> bytes | int:
        """
        Fetch a file, and pass it on as the reply to a request.

        @return: the result of L{render<twisted.web.resource.IResource.render>}.
        """
        account = self.accounts.get(file.account)
        if account is None or not account.isOnline:
            return _unavailable(request, b"the QQ account is signed off")
        if self._downloads >= MAX_DOWNLOADS:
            return _unavailable(request, b"too many downloads")
        request.setHeader(b"Content-Type", b"application/octet-stream")
        disposition = f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"
        request.setHeader(b"Content-Disposition", disposition.encode("ascii"))
        request.setHeader(b"Cache-Control", b"private, no-store")
        if request.method == b"HEAD":
            return b""
        self._downloads += 1
        fetched = file.fetch(account.online, request)
        isGone = False

        def ebGone(failure: Failure) -> None:
            nonlocal isGone
            isGone = True
            fetched.cancel()

        def ended(result: object) -> object:
            self._downloads -= 1
            return result

        def cbFetched(result: object) -> None:
            if not isGone:
                request.finish()

        def ebFetched(failure: Failure) -> None:
            if isGone:
                return
            if not failure.check(WebQQError):
                self._log.failure("Passing on a file failed.", failure)
            if request.startedWriting:
                # The client must not take the part of the file for all of it.
                request.loseConnection()
                return
            request.write(_failed(request, failure))
            request.finish()

        request.notifyFinish().addErrback(ebGone)
        fetched.addBoth(ended).addCallbacks(cbFetched, ebFetched)
        return NOT_DONE_YET


def _extensionOf(name: str) -> str:
    found = _EXTENSION.fullmatch(name.lower())
    return "bin" if found is None else found[1]


def _text(request: Request, code: int, text: bytes) -> bytes:
    request.setResponseCode(code)
    request.responseHeaders.removeHeader(b"Content-Disposition")
    request.setHeader(b"Content-Type", b"text/plain; charset=utf-8")
    return text


def _unavailable(request: Request, reason: bytes) -> bytes:
    text = b"The file cannot be fetched now: " + reason + b"; try again later.\n"
    return _text(request, SERVICE_UNAVAILABLE, text)


def _failed(request: Request, failure: Failure) -> bytes:
    isGone = failure.check(RequestRefused) or (
        # The reply of servers to the key of an offline file that is gone.
        failure.check(Unreachable) and getattr(failure.value, "status", None) == 404
    )
    if isGone:
        return _text(request, NOT_FOUND, b"Not found: the file is no longer there.\n")
    return _text(request, BAD_GATEWAY, b"The file could not be fetched from QQ.\n")
