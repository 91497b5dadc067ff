"""
Signing on as servers of later years want it.
"""

from __future__ import annotations

import pytest
from twisted.web.resource import Resource
from twisted.web.server import Request

from txwebqq.protocol import WebQQProtocol
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.service import WebQQService
from txwebqq.session.interfaces import Era
from txwebqq.testing import MemoryPerson, MemoryTreq, MemoryWebQQ, RecordingFactory
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.contacts import GetGroupNameListMask2, GetUserFriends2
from txwebqq.wire.digests import FRIEND_HASHES
from txwebqq.wire.form import Form

HASHED = (GetUserFriends2, GetGroupNameListMask2)


class StrictServer(Resource):
    """
    Our server, but with one friend list hash that it accepts.
    """

    isLeaf = True

    def __init__(self, web: MemoryWebQQ, name: str, number: int) -> None:
        super().__init__()
        self._web = web
        self._name = name
        self._number = number
        self.requests: list[bytes] = []

    def render(self, request: Request) -> int | bytes:
        self.requests.append(request.path)
        commands = {command.path.encode(): command for command in HASHED}
        command = commands.get(request.path)
        if command is not None and self._name:
            assert request.content is not None
            cookies = HTTPExchange(request).cookies
            wanted = self._wanted(cookies["ptwebqq"])
            if wanted != Form.parse(b"", request.content.read()).text("hash", ""):
                return command.encodeReply(Refusal(50, "hash"))
            request.content.seek(0)
        return self._web.server.render(request)

    def _wanted(self, ptwebqq: str) -> str:
        hashed = FRIEND_HASHES.get(self._name)
        return "none is right" if hashed is None else hashed(self._number, ptwebqq)


def signOn(
    web: MemoryWebQQ, person: MemoryPerson, era: Era, wanted: str
) -> tuple[WebQQService, StrictServer]:
    """
    Start a service at a server that accepts one hash.
    """
    server = StrictServer(web, wanted, person.number)
    web.treq = MemoryTreq(server)
    service = WebQQService(
        person.account, RecordingFactory(), web.client(), web.clock, era=era
    )
    service.startService()
    web.settle()
    return service, server


@pytest.mark.parametrize("wanted", FRIEND_HASHES)
def test_hash(wanted: str) -> None:
    """
    The hash that the server accepts is found, and used for the groups and for
    the next sign-on.
    """
    web = MemoryWebQQ()
    alice, _ = web.friends("Alice", "Bob")
    service, server = signOn(web, alice, Era.E2, wanted)
    assert len(web.result(service.whenSignedOn()).transport.buddies) == 1
    web.result(service.signOff())
    server.requests.clear()
    service.signOn()
    web.result(service.whenSignedOn())
    assert server.requests.count(b"/api/get_user_friends2") == 1
    web.result(service.stopService())
    web.stop()
    assert web.clock.getDelayedCalls() == []


@pytest.mark.parametrize("wanted", FRIEND_HASHES)
def test_listsAgain(wanted: str) -> None:
    """
    An application that fetches the lists again sends that hash as well.
    """
    web = MemoryWebQQ()
    alice, bob = web.friends("Alice", "Bob")
    web.group("cats", alice, bob)
    service, _ = signOn(web, alice, Era.E2, wanted)
    protocol = web.result(service.whenSignedOn())
    assert isinstance(protocol, WebQQProtocol)
    assert web.result(protocol.fetchBuddies()).buddies.keys() == protocol.buddies.keys()
    assert web.result(protocol.fetchGroups()).groups == protocol.groups
    web.result(service.stopService())


def test_noHashIsRight() -> None:
    """
    When the server accepts none of the hashes, the sign-on is retried after a
    delay.
    """
    web = MemoryWebQQ()
    alice = web.person("Alice")
    service, server = signOn(web, alice, Era.E2, "X")
    assert server.requests.count(b"/api/get_user_friends2") == len(FRIEND_HASHES)
    web.settle(60)
    assert server.requests.count(b"/api/get_user_friends2") > len(FRIEND_HASHES)
    web.result(service.stopService())


def test_firstEra() -> None:
    """
    The first era sends no hash, so a server that requires one refuses the
    sign-on.
    """
    web = MemoryWebQQ()
    alice = web.person("Alice")
    service, server = signOn(web, alice, Era.E1, "P")
    assert server.requests.count(b"/api/get_user_friends2") == 1
    assert b"/channel/poll2" not in server.requests
    web.result(service.stopService())


def test_thirdEra() -> None:
    """
    The third era begins at the login page, and our server signs for it.
    """
    web = MemoryWebQQ()
    alice = web.person("Alice")
    service, server = signOn(web, alice, Era.E3, "")
    web.result(service.whenSignedOn())
    assert server.requests[:4] == [
        b"/cgi-bin/login",
        b"/check",
        b"/login",
        b"/check_sig",
    ]
    web.result(service.stopService())
