"""
Links to pictures, long texts and files for IRC users: storage, and the HTTP server
behind the links.
"""

from __future__ import annotations

import re
import secrets
import sqlite3
from base64 import urlsafe_b64encode
from codecs import BOM_UTF8
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import new as keyed
from typing import Any

from twisted.application.internet import StreamServerEndpointService
from twisted.logger import Logger
from twisted.web.http import NOT_FOUND
from twisted.web.resource import Resource
from twisted.web.server import Request

from txwebqq.imagetypes import imageTypeOf
from txwebqq.irc.config.accounts import PictureSettings
from txwebqq.irc.qq.filelinks import FILE_LINKS_SCHEMA, FileLinks
from txwebqq.net.endpoints import listeningService
from txwebqq.net.site import SiteWithoutAccessLog
from txwebqq.sqlite.database import Database

LINKS_SCHEMA = (
    """
CREATE TABLE link (
    name TEXT PRIMARY KEY,
    time INTEGER NOT NULL,
    size INTEGER NOT NULL,
    data BLOB NOT NULL
);
CREATE INDEX link_by_time ON link (time);
CREATE TABLE link_key (
    value BLOB NOT NULL
);
"""
    + FILE_LINKS_SCHEMA
)

MAX_FILE = 10 * 1024 * 1024
"""Maximum size of a linked file, in bytes."""

DAY = 24 * 3600
"""One day, in seconds."""

_PATH = re.compile(r"([A-Za-z0-9_-]{24})\.([a-z]{3,4})")


@dataclass(frozen=True, slots=True)
class LinkLimits:
    """
    Limits of stored files.

    @ivar each: maximum size of one file, in bytes.
    @ivar total: maximum size of all files together, in bytes.
    @ivar seconds: how long a link is valid after it was last created.
    """

    each: int = MAX_FILE
    total: int = 200 * 1024 * 1024
    seconds: int = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class LinkedMedia:
    """
    A linked file.
    """

    data: bytes = field(repr=False)
    mediaType: str


class MediaLinks:
    """
    Files in a database, and the links to them.

    @param now: returns the Unix time in seconds.
    @param url: the URL under which clients reach the L{MediaResource}.

    @ivar files: the links to files of groups and of contacts.
    """

    _log = Logger()

    def __init__(
        self,
        database: Database,
        now: Callable[[], float],
        url: str,
        limits: LinkLimits = LinkLimits(),
    ) -> None:
        self._database = database
        self._db = database.connection
        self._now = now
        self._url = url.rstrip("/")
        self._limits = limits
        if self._db.execute("SELECT 1 FROM link_key").fetchone() is None:
            key = secrets.token_bytes(32)
            self._db.execute("INSERT INTO link_key VALUES (?)", (key,))
        (self._key,) = self._db.execute("SELECT value FROM link_key").fetchone()
        self.files = FileLinks(database, now, self._url, self._key, limits.seconds)

    def add(self, data: bytes) -> str | None:
        """
        Store a picture; the oldest files are deleted when there are too many.

        @return: the link, the same for the same picture; C{None} when the data
            is too large or not an image, or the database cannot be written to.
        """
        limits, now = self._limits, int(self._now())
        fileType = _typeOf(data)
        if fileType is None or len(data) > min(limits.each, limits.total):
            return None
        # With a hash without a key, anyone with the picture could find its link.
        digest = keyed(self._key, data, sha256).digest()
        name = urlsafe_b64encode(digest[:18]).decode()
        try:
            with self._database.transaction():
                self._db.execute(
                    "INSERT INTO link VALUES (?, ?, ?, ?)"
                    " ON CONFLICT (name) DO UPDATE SET time = excluded.time",
                    (name, now, len(data), data),
                )
                self.expire()
                self._deleteOldest(name)
        except sqlite3.Error as e:
            # Better a message without its picture than none.
            self._log.warn("Storing a picture failed: {reason}; no link.", reason=e)
            return None
        return f"{self._url}/{name}.{fileType[0]}"

    def addText(self, text: str) -> str | None:
        """
        Store a text, as L{add} stores a picture.
        """
        return self.add(BOM_UTF8 + text.encode())

    def _deleteOldest(self, kept: str) -> None:
        (size,) = self._db.execute("SELECT sum(size) FROM link").fetchone()
        excess = size - self._limits.total
        if excess <= 0:
            return
        rows = self._db.execute(
            "SELECT name, size FROM link WHERE name != ? ORDER BY time, name", (kept,)
        ).fetchall()
        for name, freed in rows:
            self._db.execute("DELETE FROM link WHERE name = ?", (name,))
            excess -= freed
            if excess <= 0:
                return

    def expire(self) -> None:
        """
        Delete the files whose links are not valid any more.
        """
        self._db.execute("DELETE FROM link WHERE time <= ?", (self._oldestValid(),))
        self.files.expire()

    def find(self, path: str) -> LinkedMedia | None:
        """
        Return the file of a link.

        @param path: the part of the link after the last slash.
        """
        found = _PATH.fullmatch(path)
        if found is None:
            return None
        row = self._db.execute(
            "SELECT data FROM link WHERE name = ? AND time > ?",
            (found[1], self._oldestValid()),
        ).fetchone()
        if row is None:
            return None
        fileType = _typeOf(row[0])
        if fileType is None or fileType[0] != found[2]:
            return None
        return LinkedMedia(row[0], fileType[1])

    def _oldestValid(self) -> int:
        return int(self._now()) - self._limits.seconds


def _typeOf(data: bytes) -> tuple[str, str] | None:
    # Texts are stored with a BOM, so that they are recognised here.
    if data.startswith(BOM_UTF8):
        return "txt", "text/plain; charset=utf-8"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp", "image/webp"
    return imageTypeOf(data)


class MediaResource(Resource):
    """
    The resource that serves the linked files.
    """

    isLeaf = True

    def __init__(self, links: MediaLinks) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._links = links

    def render_GET(self, request: Request) -> bytes | int:
        """
        C{GET /<name>.<extension>} and C{HEAD}: serve a file.
        """
        request.setHeader(b"X-Content-Type-Options", b"nosniff")
        request.setHeader(b"Content-Security-Policy", b"default-src 'none'; sandbox")
        request.setHeader(b"Referrer-Policy", b"no-referrer")
        path = [part.decode("ascii", "replace") for part in request.postpath or []]
        file = self._links.find(path[0]) if len(path) == 1 else None
        linked = self._links.files.find(path[0]) if len(path) == 1 else None
        if linked is not None:
            return self._links.files.serve(linked, request)
        if file is None:
            request.setResponseCode(NOT_FOUND)
            request.setHeader(b"Content-Type", b"text/plain; charset=utf-8")
            return b"Not found: the link is wrong or has expired.\n"
        request.setHeader(b"Content-Type", file.mediaType.encode("ascii"))
        request.setHeader(b"Cache-Control", b"private, max-age=86400, immutable")
        return file.data


def mediaService(
    settings: PictureSettings, database: Database, reactor: Any
) -> tuple[MediaLinks, StreamServerEndpointService]:
    """
    Create the links to the files of a database, and the service that serves
    them.
    """
    limits = LinkLimits(total=settings.megabytes << 20, seconds=settings.days * DAY)
    links = MediaLinks(database, reactor.seconds, settings.url, limits)
    site = SiteWithoutAccessLog(MediaResource(links))
    site.name = "Server of pictures"
    return links, listeningService(settings.listen, site, reactor)
