"""
Pictures behind links.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.task import Clock
from twisted.web.http_headers import Headers
from twisted.web.test.requesthelper import DummyRequest

from txwebqq.irc.gateway.storage.schema import GATEWAY_SCHEMA
from txwebqq.irc.qq.medialinks import LinkLimits, MediaLinks, MediaResource
from txwebqq.sqlite.database import MEMORY, Database

PNG = b"\x89PNG\r\n\x1a\n" + bytes(92)
URL = "http://127.0.0.1:6680"


def picture(number: int) -> bytes:
    return PNG[:-1] + bytes([number])


class Album:
    def __init__(
        self, limits: LinkLimits | None = None, path: str | Path = MEMORY
    ) -> None:
        self.clock = Clock()
        self.clock.advance(1_000_000)
        self.database = Database(path, GATEWAY_SCHEMA)
        self.links = MediaLinks(
            self.database, self.clock.seconds, URL + "/", limits or LinkLimits()
        )

    def keep(self, data: bytes) -> str:
        link = self.links.keep(data)
        assert link is not None
        return link

    def has(self, link: str) -> bool:
        return self.links.find(link.removeprefix(URL + "/")) is not None

    def get(self, *path: bytes) -> tuple[int | None, Headers, bytes]:
        request = DummyRequest(list(path))
        resource = MediaResource(self.links)
        body = resource.render_GET(request)  # type: ignore[arg-type]
        code: int | None = request.responseCode
        return code, request.responseHeaders, body


@pytest.mark.parametrize(
    ("data", "ending", "mime"),
    [
        (PNG, "png", b"image/png"),
        (b"\xff\xd8\xff\xe0 ", "jpg", b"image/jpeg"),
        (b"GIF89a ", "gif", b"image/gif"),
        (b"GIF87a ", "gif", b"image/gif"),
        (b"BM ", "bmp", b"image/bmp"),
        (b"RIFF\n\0\0\0WEBP ", "webp", b"image/webp"),
    ],
)
def test_served(data: bytes, ending: str, mime: bytes) -> None:
    """
    A picture is answered with by its type, which a browser may not doubt.
    """
    album = Album()
    link = album.keep(data)
    assert link.startswith(URL + "/")
    assert link.endswith("." + ending)
    code, headers, body = album.get(link.rpartition("/")[2].encode())
    assert (code, body) == (None, data)
    assert headers.getRawHeaders(b"content-type") == [mime]
    assert headers.getRawHeaders(b"x-content-type-options") == [b"nosniff"]
    assert headers.getRawHeaders(b"content-security-policy") == [
        b"default-src 'none'; sandbox"
    ]


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b"<svg>", b"RIFF....WAVE", b"\x89PN", b" " + PNG]
)
def test_noPicture(data: bytes) -> None:
    """
    What is no picture gets no link.
    """
    assert Album().links.keep(data) is None


def test_sameLink(tmp_path: Path) -> None:
    """
    A picture has one link, in later runs too; in another database another, so
    that nobody makes a link from a picture.
    """
    path = tmp_path / "gateway.db"
    album = Album(path=path)
    link = album.keep(PNG)
    assert album.keep(PNG) == link
    assert album.keep(picture(1)) != link
    album.database.close()
    again = Album(path=path)
    assert again.has(link)
    assert again.keep(PNG) == link
    again.database.close()
    assert Album().keep(PNG) != link


def test_elsewhere() -> None:
    """
    Nothing but a link's own path leads to a picture.
    """
    album = Album()
    name = album.keep(PNG).rpartition("/")[2].encode()
    base = name.removesuffix(b".png")
    paths: list[list[bytes]] = [
        [],
        [b""],
        [base],
        [base + b".gif"],
        [base + b".PNG"],
        [name + b"\n"],
        [name, b""],
        [b"", name],
        [base[:-1] + b"%.png"],
        [b"..", b"gateway.db"],
        [b"\xff" * 24 + b".png"],
    ]
    for path in paths:
        code, headers, body = album.get(*path)
        assert code == 404
        assert PNG not in body
        assert headers.getRawHeaders(b"x-content-type-options") == [b"nosniff"]


def test_expires() -> None:
    """
    A link works for its time, which begins anew when it is given again.
    """
    album = Album(LinkLimits(seconds=100))
    one, two = album.keep(picture(1)), album.keep(picture(2))
    album.clock.advance(60)
    album.keep(picture(1))
    album.clock.advance(39)
    assert album.has(one)
    assert album.has(two)
    album.clock.advance(1)
    assert album.has(one)
    assert not album.has(two)
    album.clock.advance(60)
    assert not album.has(one)
    album.links.expire()
    rows = album.database.connection.execute("SELECT count(*) FROM link")
    assert rows.fetchone() == (0,)


def test_room() -> None:
    """
    The oldest pictures make room for a new one, even within one second.
    """
    album = Album(LinkLimits(each=100, total=250))
    one = album.keep(picture(1))
    album.clock.advance(1)
    two = album.keep(picture(2))
    album.clock.advance(1)
    album.keep(picture(1))
    three = album.keep(picture(3))
    assert [album.has(link) for link in (one, two, three)] == [True, False, True]
    for number in range(4, 9):
        assert album.has(album.keep(picture(number)))


def test_tooLarge() -> None:
    """
    A picture that is larger than one may be pushes nothing out.
    """
    album = Album(LinkLimits(each=100, total=250))
    link = album.keep(PNG)
    assert album.links.keep(PNG + b"x") is None
    assert album.has(link)
    assert Album(LinkLimits(each=100, total=99)).links.keep(PNG) is None
