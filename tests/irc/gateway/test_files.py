"""
Files that QQ users share and send, for IRC clients: the message, the link, and the
download behind it.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.web.server import Request

from tests.irc.memorygateway import MemoryGateway
from txwebqq.errors import Unreachable
from txwebqq.irc.config.accounts import AccountSettings, PictureSettings
from txwebqq.irc.config.gateway import GatewaySettings, UserSettings
from txwebqq.irc.gateway.service import GatewayService
from txwebqq.irc.gateway.storage.schema import GATEWAY_SCHEMA
from txwebqq.irc.protocol.nicknames import NickStyle
from txwebqq.irc.qq import filelinks
from txwebqq.irc.qq.account import QQAccount
from txwebqq.irc.qq.filelinks import FileLinks
from txwebqq.irc.qq.medialinks import MediaResource
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import (
    Account,
    Code,
    Gid,
    GroupFile,
    Number,
    OfflineFile,
    OfflineFileNotice,
    Uin,
)
from txwebqq.net.site import SiteWithoutAccessLog
from txwebqq.sqlite.database import MEMORY, Database

DATA = bytes(range(256)) * 500
DAY = 24 * 3600
GROUP = (Gid(1), Code(2))


class Browser:
    """
    A connection to the server behind the links.
    """

    def __init__(self, gateway: MemoryGateway, path: str, method: str = "GET") -> None:
        resource = MediaResource(gateway.links)
        site = SiteWithoutAccessLog(resource, reactor=gateway.clock, timeout=None)
        self._web = gateway.web
        self.transport = StringTransport()
        self.channel = site.buildProtocol(None)
        assert self.channel is not None
        self.channel.makeConnection(self.transport)
        request = f"{method} /{path} HTTP/1.1\r\nHost: qq.test\r\n\r\n"
        self.channel.dataReceived(request.encode())
        self._web.settle(1)

    @property
    def _received(self) -> bytes:
        data: bytes = self.transport.value()
        return data

    @property
    def status(self) -> int:
        return int(self.transport.value().split()[1])

    @property
    def head(self) -> str:
        return self._received.partition(b"\r\n\r\n")[0].decode()

    @property
    def body(self) -> bytes:
        """
        The body, without the lengths of its chunks.
        """
        body = self._received.partition(b"\r\n\r\n")[2]
        if "chunked" not in self.head:
            return body
        whole = b""
        while body:
            size, _, body = body.partition(b"\r\n")
            whole += body[: int(size, 16)]
            body = body[int(size, 16) + 2 :]
        return whole

    def disconnect(self) -> None:
        assert self.channel is not None
        self.channel.connectionLost(Failure(ConnectionDone()))


def share(
    gateway: MemoryGateway, name: str = "茶 单.PDF", data: bytes = DATA
) -> GroupFile:
    """
    Ming shares a file in the group.
    """
    gid = gateway.ming.groupCalled("猫咪").gid
    shared = gateway.ming.protocol.sendGroupFile(gid, data, name)
    file: GroupFile = gateway.web.result(shared)
    gateway.web.settle(2)
    return file


def links(seen: str) -> list[str]:
    return re.findall(r"http://qq\.test/p/(\S+)", seen)


def test_groupFile(gateway: MemoryGateway) -> None:
    """
    A shared file is a message of its sender with a link, behind which it is
    downloaded any number of times.
    """
    client = gateway.client()
    client.transport.clear()
    share(gateway)
    [path] = links(client.seen)
    assert (
        f"PRIVMSG #猫咪 :[文件] 茶 单.PDF (125.0 KiB) http://qq.test/p/{path}\r\n"
        in (client.seen)
    )
    assert client.seen.startswith(":小明!")
    assert path.endswith(".pdf")
    for _ in range(2):
        page = Browser(gateway, path)
        assert (page.status, page.body) == (200, DATA)
        assert "Content-Type: application/octet-stream" in page.head
        assert "attachment; filename*=UTF-8''%E8%8C%B6%20%E5%8D%95.PDF" in page.head
        assert "X-Content-Type-Options: nosniff" in page.head
    page = Browser(gateway, path, "HEAD")
    assert (page.status, page.body) == (200, b"")


def test_playback(gateway: MemoryGateway) -> None:
    """
    A client that was away is played back the link.
    """
    share(gateway, "a.txt")
    [path] = links(gateway.client().seen)
    assert Browser(gateway, path).body == DATA


def test_offlineFile(gateway: MemoryGateway) -> None:
    """
    An offline file of a friend is a private message with a link; the friend is told
    that it was fetched when the link is opened.
    """
    client = gateway.client()
    client.transport.clear()
    uin = gateway.ming.uinOf(gateway.alice)
    gateway.web.result(gateway.ming.protocol.sendOfflineFile(uin, DATA, "喵"))
    gateway.web.settle(2)
    [path] = links(client.seen)
    assert "PRIVMSG me :[文件] 喵 (125.0 KiB) http" in client.seen
    assert path.endswith(".bin")
    assert not any(isinstance(e, OfflineFileNotice) for e in gateway.ming.events)
    assert Browser(gateway, path).body == DATA
    [notice] = [e for e in gateway.ming.events if isinstance(e, OfflineFileNotice)]
    assert notice.action == 1


def test_withoutLinks(gateway: MemoryGateway) -> None:
    """
    Without a server for links, a file is shown by its name and size.
    """
    client = gateway.client()
    client.transport.clear()
    gateway.aliceUser._links = None
    share(gateway, "a  b.txt", b"x" * 40)
    assert "PRIVMSG #猫咪 :[文件] a b.txt (40 bytes)\r\n" in client.seen


def test_hostileNames(gateway: MemoryGateway) -> None:
    """
    A name becomes no IRC command, no header and no path.
    """
    client = gateway.client()
    client.transport.clear()
    account = gateway.aliceUser.accounts[gateway.alice.number]
    target = Target(TargetKind.GROUP, gateway.cats)
    for n, name in enumerate(
        ("a\r\nQUIT :x", "x\x02\0\x01.T\udc00X", "../../etc/passwd", "", "y" * 5000)
    ):
        file = GroupFile(
            Gid(1), Code(1), gateway.cats, Uin(1), name, 2**63 - 1, f"k{n}\udc00"
        )
        gateway.aliceUser.groupFileShared(account, target, 10002, file)
    gateway.web.settle(1)
    lines = [line for line in client.seen.split("\r\n") if line]
    assert [line.split()[1] for line in lines] == ["PRIVMSG"] * 5
    for path in links(client.seen):
        assert re.fullmatch(r"[\w-]{24}\.[a-z0-9]{1,8}", path)
        page = Browser(gateway, path)
        assert page.status == 404
        assert "Content-Disposition" not in page.head
    assert max(map(len, lines)) < 400


def test_gone(gateway: MemoryGateway) -> None:
    """
    A link to a file that was deleted, or to a group that the account has left,
    leads to a page that says so, and no text of it has the key.
    """
    client = gateway.client()
    client.transport.clear()
    first, second = share(gateway), share(gateway)
    gid = gateway.ming.groupCalled("猫咪").gid
    gateway.web.result(gateway.ming.protocol.deleteGroupFile(gid, first))
    deleted, kept = links(client.seen)
    page = Browser(gateway, deleted)
    assert page.status == 404
    assert page.body == b"Not found: the file is no longer there.\n"
    assert "Content-Disposition" not in page.head
    assert Browser(gateway, kept).status == 200
    gateway.web.state.store.groups.removeMember(gateway.cats, gateway.alice.number)
    assert Browser(gateway, kept).status == 404
    for key in (first.key, second.key):
        assert key not in client.seen


def test_signedOff(gateway: MemoryGateway) -> None:
    """
    While the account is signed off a link says so, and works again later.
    """
    client = gateway.client()
    client.transport.clear()
    share(gateway)
    [path] = links(client.seen)
    gateway.alice.stop()
    page = Browser(gateway, path)
    assert page.status == 503
    assert b"the QQ account is signed off" in page.body
    gateway.signOn(gateway.alice)
    assert Browser(gateway, path).body == DATA


def test_failures(gateway: MemoryGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A download that fails before its first byte says so; one that fails later is cut
    off, so that the part is not taken for the file.
    """
    share(gateway)
    [path] = links(gateway.client().seen)
    fetched: Deferred[int] = Deferred()
    protocol = gateway.aliceUser.accounts[gateway.alice.number].online

    def fetch(file: GroupFile, sink: Request) -> Deferred[int]:
        sink.write(b"begin")
        return fetched

    monkeypatch.setattr(protocol, "fetchGroupFile", fetch)
    page = Browser(gateway, path)
    assert page.body.startswith(b"begin")
    fetched.errback(Unreachable("lost"))
    assert page.transport.disconnecting
    assert not page.transport.value().endswith(b"0\r\n\r\n")
    monkeypatch.setattr(
        protocol, "fetchGroupFile", lambda *_: fail(Unreachable("refused"))
    )
    page = Browser(gateway, path)
    assert (page.status, page.body) == (
        502,
        b"The file could not be fetched from QQ.\n",
    )


def test_disconnected(gateway: MemoryGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    When the browser disconnects, the download is cancelled and counted no longer;
    too many at the same time are refused.
    """
    share(gateway)
    [path] = links(gateway.client().seen)
    cancelled: list[object] = []
    protocol = gateway.aliceUser.accounts[gateway.alice.number].online
    monkeypatch.setattr(
        protocol, "fetchGroupFile", lambda *_: Deferred(cancelled.append)
    )
    pages = [Browser(gateway, path) for _ in range(filelinks.MAX_DOWNLOADS)]
    busy = Browser(gateway, path)
    assert busy.status == 503
    assert b"too many downloads" in busy.body
    pages[0].disconnect()
    assert len(cancelled) == 1
    monkeypatch.undo()
    assert Browser(gateway, path).body == DATA
    for page in pages[1:]:
        page.disconnect()
    assert len(cancelled) == filelinks.MAX_DOWNLOADS


def test_service() -> None:
    """
    The links of a gateway know the accounts of all its users.
    """
    reactor: Any = MemoryReactorClock()
    users = tuple(
        UserSettings(
            name,
            "oolong",
            NickStyle.UTF8,
            (AccountSettings(Account(Number(number), "green")),),
        )
        for name, number in (("alice", 10001), ("bob", 10002))
    )
    pictures = PictureSettings("tcp:6680", "http://qq.test")
    gateway = GatewayService(GatewaySettings(users, pictures=pictures), reactor)
    gateway.startService()
    assert gateway._links is not None
    assert gateway._links.files.accounts.keys() == {10001, 10002}
    gateway.stopService()


def test_twoAccounts(gateway: MemoryGateway) -> None:
    """
    A file that two accounts of the user are told of is shown once.
    """
    client = gateway.client()
    client.transport.clear()
    first = gateway.aliceUser.accounts[gateway.alice.number]
    second = QQAccount(Number(10099), gateway.aliceUser)
    target = Target(TargetKind.GROUP, gateway.cats)
    file = GroupFile(*GROUP, gateway.cats, Uin(1), "a", 5, "k", time=7, messageId=8)
    for account in (first, second):
        gateway.aliceUser.groupFileShared(account, target, 10002, file)
    gateway.web.settle(1)
    assert client.seen.count("[文件] a (5 bytes)") == 1


def test_offlineFileAgain(gateway: MemoryGateway) -> None:
    """
    An offline file that QQ delivers again is shown once: the gateway may have been
    killed before it could acknowledge the first delivery. A file of the same name
    that is sent later is shown too.
    """
    client = gateway.client()
    client.transport.clear()
    user, uin = gateway.aliceUser, Uin(1)
    [account] = user.accounts.values()
    for time in (7, 7, 9):
        file = OfflineFile(uin, "a", 5, "k", "", 0, time=time, messageId=8)
        user.offlineFileReceived(account, gateway.ming.number, file)
    gateway.web.settle(1)
    assert client.seen.count("[文件] a (5 bytes)") == 2


class Rig:
    """
    Links to files, with a clock.
    """

    def __init__(self) -> None:
        self.now = 1_000_000.0
        database = Database(MEMORY, GATEWAY_SCHEMA)
        self.links = FileLinks(database, lambda: self.now, "u", b"secret", 7 * DAY)

    def add(self, key: str, expires: int = 0, account: int = 1) -> str:
        file = OfflineFile(Uin(1), "a.txt", 5, key, "", 0, expires)
        link = self.links.add(account, file)
        assert link is not None
        return link.removeprefix("u/")


def test_names() -> None:
    """
    A file of an account has one link, which does not show its key.
    """
    rig = Rig()
    link = rig.add("k")
    assert rig.add("k") == link
    assert len({link, rig.add("l"), rig.add("k", account=2)}) == 3
    found = rig.links.find(link)
    assert found is not None
    assert (found.account, found.name, found.size, found.gid) == (1, "a.txt", 5, 0)
    assert "'k'" not in repr(found)
    for wrong in (link + "x", link[:-3] + "pdf", link[1:], "", "../" + link):
        assert rig.links.find(wrong) is None


def test_expiry() -> None:
    """
    A link ends with the file, at the latest after the time of links.
    """
    rig = Rig()
    short, endless = rig.add("k", int(rig.now) + 10), rig.add("l")
    rig.now += 9
    assert rig.links.find(short) is not None
    rig.now += 1
    assert rig.links.find(short) is None
    rig.now += 7 * DAY - 11
    assert rig.links.find(endless) is not None
    rig.now += 1
    assert rig.links.find(endless) is None
    rig.links.expire()
    rig.now -= 7 * DAY
    assert (rig.links.find(short), rig.links.find(endless)) == (None, None)


def test_expireOne() -> None:
    """
    The link to an expired file is deleted, others are kept.
    """
    rig = Rig()
    short, endless = rig.add("k", int(rig.now) + 10), rig.add("l")
    rig.now += 10
    rig.links.expire()
    rig.now -= 10
    assert rig.links.find(short) is None
    assert rig.links.find(endless) is not None


def test_nextSession() -> None:
    """
    A file that is told again in another session has that session's gid.
    """
    rig = Rig()
    for gid in (Gid(5), Gid(6)):
        file = GroupFile(gid, Code(1), Number(2), Uin(3), "a", 5, "k")
        link = rig.links.add(1, file)
        assert link is not None
        found = rig.links.find(link.removeprefix("u/"))
        assert found is not None
        assert found.gid == gid


def test_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The oldest links make room for new ones.
    """
    monkeypatch.setattr(filelinks, "MAX_FILE_LINKS", 3)
    rig = Rig()
    made = [rig.add(f"k{n}") for n in range(5)]
    assert [rig.links.find(link) is not None for link in made] == [
        False,
        False,
        True,
        True,
        True,
    ]
