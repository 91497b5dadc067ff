"""
Pictures and long texts that IRC users can open, each at an address that nobody
guesses.
"""

from __future__ import annotations

import re
import secrets
from base64 import urlsafe_b64encode
from codecs import BOM_UTF8
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import new as keyed
from typing import Any

from twisted.application.internet import StreamServerEndpointService
from twisted.web.http import NOT_FOUND
from twisted.web.resource import Resource
from twisted.web.server import Request

from txwebqq.imagetypes import imageTypeOf
from txwebqq.irc.config.accounts import PictureSettings
from txwebqq.net.endpoints import listeningService
from txwebqq.net.site import SiteWithoutAccessLog
from txwebqq.sqlite.database import Database

LINKS_SCHEMA = """
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

MAX_PICTURE = 10 * 1024 * 1024

_PATH = re.compile(r"([A-Za-z0-9_-]{24})\.([a-z]{3,4})")


@dataclass(frozen=True, slots=True)
class LinkLimits:
    """
    How much is kept, and how long.

    @ivar each: bytes of one picture.
    @ivar total: bytes of all of them.
    @ivar seconds: for which a link works after it was given.
    """

    each: int = MAX_PICTURE
    total: int = 200 * 1024 * 1024
    seconds: int = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class LinkedMedia:
    """
    What is behind a link.
    """

    data: bytes = field(repr=False)
    mime: str


class MediaLinks:
    """
    The pictures in a database.

    @param now: tells the time in seconds.
    @param url: where a L{MediaResource} is found from outside.
    """

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

    def keep(self, data: bytes) -> str | None:
        """
        Keep a picture, at the expense of the oldest ones.

        @return: its link, the same for the same picture; L{None} for what is
            too large or no picture.
        """
        limits, now = self._limits, int(self._now())
        kind = _typeOf(data)
        if kind is None or len(data) > min(limits.each, limits.total):
            return None
        # Whoever has the picture could tell from a plain hash that somebody
        # here was sent it.
        digest = keyed(self._key, data, sha256).digest()
        name = urlsafe_b64encode(digest[:18]).decode()
        with self._database.transaction():
            self._db.execute(
                "INSERT INTO link VALUES (?, ?, ?, ?)"
                " ON CONFLICT (name) DO UPDATE SET time = excluded.time",
                (name, now, len(data), data),
            )
            self.expire()
            self._makeRoom(name)
        return f"{self._url}/{name}.{kind[0]}"

    def keepText(self, text: str) -> str | None:
        """
        Keep a text, likewise.
        """
        return self.keep(BOM_UTF8 + text.encode())

    def _makeRoom(self, kept: str) -> None:
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
        Delete what is behind links that do not work any more.
        """
        self._db.execute("DELETE FROM link WHERE time <= ?", (self._horizon(),))

    def find(self, path: str) -> LinkedMedia | None:
        """
        What is behind the last part of a link.
        """
        found = _PATH.fullmatch(path)
        if found is None:
            return None
        row = self._db.execute(
            "SELECT data FROM link WHERE name = ? AND time > ?",
            (found[1], self._horizon()),
        ).fetchone()
        if row is None:
            return None
        kind = _typeOf(row[0])
        if kind is None or kind[0] != found[2]:
            return None
        return LinkedMedia(row[0], kind[1])

    def _horizon(self) -> int:
        return int(self._now()) - self._limits.seconds


def _typeOf(data: bytes) -> tuple[str, str] | None:
    # Texts are stored with a BOM, which tells them from images.
    if data.startswith(BOM_UTF8):
        return "txt", "text/plain; charset=utf-8"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp", "image/webp"
    return imageTypeOf(data)


class MediaResource(Resource):
    """
    What answers for the links, and for nothing else.
    """

    isLeaf = True

    def __init__(self, links: MediaLinks) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._links = links

    def render_GET(self, request: Request) -> bytes:
        """
        Answer with the picture; HEAD comes here as well.
        """
        request.setHeader(b"X-Content-Type-Options", b"nosniff")
        request.setHeader(b"Content-Security-Policy", b"default-src 'none'; sandbox")
        request.setHeader(b"Referrer-Policy", b"no-referrer")
        path = [part.decode("ascii", "replace") for part in request.postpath or []]
        picture = self._links.find(path[0]) if len(path) == 1 else None
        if picture is None:
            request.setResponseCode(NOT_FOUND)
            request.setHeader(b"Content-Type", b"text/plain; charset=utf-8")
            return b"There is no such picture, or not any more.\n"
        request.setHeader(b"Content-Type", picture.mime.encode("ascii"))
        request.setHeader(b"Cache-Control", b"private, max-age=86400, immutable")
        return picture.data


DAY = 24 * 3600


def mediaService(
    settings: PictureSettings, database: Database, reactor: Any
) -> tuple[MediaLinks, StreamServerEndpointService]:
    """
    Links to what is in a database, and what serves them.
    """
    limits = LinkLimits(total=settings.megabytes << 20, seconds=settings.days * DAY)
    links = MediaLinks(database, reactor.seconds, settings.url, limits)
    site = SiteWithoutAccessLog(MediaResource(links))  # type: ignore[no-untyped-call]
    return links, listeningService(settings.listen, site, reactor)
