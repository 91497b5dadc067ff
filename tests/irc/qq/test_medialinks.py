"""
Links to pictures: storage, expiry and the HTTP resource.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.task import Clock
from twisted.web.http_headers import Headers
from twisted.web.test.requesthelper import DummyRequest

from txwebqq.irc.gateway.storage.schema import GATEWAY_SCHEMA
from txwebqq.irc.qq.medialinks import LinkLimits, MediaLinks, MediaResource
from txwebqq.model import OfflineFile, Uin
from txwebqq.sqlite.database import MEMORY, Database

PNG = b"\x89PNG\r\n\x1a\n" + bytes(92)
URL = "http://127.0.0.1:6680"


def picture(number: int) -> bytes:
    return PNG[:-1] + bytes([number])


class Rig:
    """
    Media links in a database, with a clock.
    """

    def __init__(
        self, limits: LinkLimits | None = None, path: str | Path = MEMORY
    ) -> None:
        self.clock = Clock()
        self.clock.advance(1_000_000)
        self.database = Database(path, GATEWAY_SCHEMA)
        self.links = MediaLinks(
            self.database, self.clock.seconds, URL + "/", limits or LinkLimits()
        )

    def add(self, data: bytes) -> str:
        link = self.links.add(data)
        assert link is not None
        return link

    def has(self, link: str) -> bool:
        return self.links.find(link.removeprefix(URL + "/")) is not None

    def get(self, *path: bytes) -> tuple[int | None, Headers, bytes]:
        request = DummyRequest(list(path))
        resource = MediaResource(self.links)
        body = resource.render_GET(request)  # type: ignore[arg-type]
        assert isinstance(body, bytes)
        code: int | None = request.responseCode
        return code, request.responseHeaders, body


@pytest.mark.parametrize(
    ("data", "extension", "mediaType"),
    [
        (PNG, "png", b"image/png"),
        (b"\xff\xd8\xff\xe0 ", "jpg", b"image/jpeg"),
        (b"GIF89a ", "gif", b"image/gif"),
        (b"GIF87a ", "gif", b"image/gif"),
        (b"BM ", "bmp", b"image/bmp"),
        (b"RIFF\n\0\0\0WEBP ", "webp", b"image/webp"),
    ],
)
def test_served(data: bytes, extension: str, mediaType: bytes) -> None:
    """
    A picture is served with its media type, and browsers are told not to guess
    another.
    """
    rig = Rig()
    link = rig.add(data)
    assert link.startswith(URL + "/")
    assert link.endswith("." + extension)
    code, headers, body = rig.get(link.rpartition("/")[2].encode())
    assert (code, body) == (None, data)
    assert headers.getRawHeaders(b"content-type") == [mediaType]
    assert headers.getRawHeaders(b"x-content-type-options") == [b"nosniff"]
    assert headers.getRawHeaders(b"content-security-policy") == [
        b"default-src 'none'; sandbox"
    ]


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b"<svg>", b"RIFF....WAVE", b"\x89PN", b" " + PNG]
)
def test_notAnImage(data: bytes) -> None:
    """
    Data that is not an image gets no link.
    """
    assert Rig().links.add(data) is None


def test_sameLink(tmp_path: Path) -> None:
    """
    A picture has one link, also after a restart; the link depends on a key of
    the database, so it cannot be computed from the picture.
    """
    path = tmp_path / "gateway.db"
    rig = Rig(path=path)
    link = rig.add(PNG)
    assert rig.add(PNG) == link
    assert rig.add(picture(1)) != link
    rig.database.close()
    again = Rig(path=path)
    assert again.has(link)
    assert again.add(PNG) == link
    again.database.close()
    assert Rig().add(PNG) != link


def test_notFound() -> None:
    """
    Only the exact path of a link serves a picture.
    """
    rig = Rig()
    name = rig.add(PNG).rpartition("/")[2].encode()
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
        code, headers, body = rig.get(*path)
        assert code == 404
        assert PNG not in body
        assert headers.getRawHeaders(b"x-content-type-options") == [b"nosniff"]


def test_expires() -> None:
    """
    A link expires after its time, which starts again when the picture is added
    again.
    """
    rig = Rig(LinkLimits(seconds=100))
    one, two = rig.add(picture(1)), rig.add(picture(2))
    rig.clock.advance(60)
    rig.add(picture(1))
    rig.clock.advance(39)
    assert rig.has(one)
    assert rig.has(two)
    rig.clock.advance(1)
    assert rig.has(one)
    assert not rig.has(two)
    rig.clock.advance(60)
    assert not rig.has(one)
    rig.links.expire()
    rows = rig.database.connection.execute("SELECT count(*) FROM link")
    assert rows.fetchone() == (0,)


def test_expiresFiles() -> None:
    """
    Links to files expire with those to pictures.
    """
    rig = Rig(LinkLimits(seconds=100))
    rig.links.files.add(1, OfflineFile(Uin(1), "a.txt", 5, "key", "", 0))
    rig.clock.advance(100)
    rig.links.expire()
    rows = rig.database.connection.execute("SELECT count(*) FROM file_link")
    assert rows.fetchone() == (0,)


def test_totalLimit() -> None:
    """
    The oldest pictures are deleted for a new one, also within one second.
    """
    rig = Rig(LinkLimits(each=100, total=250))
    one = rig.add(picture(1))
    rig.clock.advance(1)
    two = rig.add(picture(2))
    rig.clock.advance(1)
    rig.add(picture(1))
    three = rig.add(picture(3))
    assert [rig.has(link) for link in (one, two, three)] == [True, False, True]
    for number in range(4, 9):
        assert rig.has(rig.add(picture(number)))


def test_tooLarge() -> None:
    """
    A picture over the limit for one file is refused, and nothing is deleted.
    """
    rig = Rig(LinkLimits(each=100, total=250))
    link = rig.add(PNG)
    assert rig.links.add(PNG + b"x") is None
    assert rig.has(link)
    assert Rig(LinkLimits(each=100, total=99)).links.add(PNG) is None
