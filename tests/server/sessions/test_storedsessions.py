"""
Tests of L{txwebqq.server.sessions.storedsessions}: sessions go on after a restart of
the server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.server.harness import (
    ALICE,
    BOB,
    CAROL,
    HTTPClient,
    ServerHarness,
    textsOf,
)
from txwebqq.model import Status
from txwebqq.server.domain.router import WRITE_WITHIN
from txwebqq.server.domain.state import REPLACED_LIFE
from txwebqq.server.sessions.sessions import FORGET, LAPSE
from txwebqq.server.storage.store import Store
from txwebqq.wire.digests import passwordHash


def isRefused(client: HTTPClient) -> bool:
    """
    Poll with a ticket that is not known, which is answered after a delay.
    """
    poll = client.poll()
    client.harness.clock.pump([5] * 4)
    return poll.isAnswered and poll.response.json["retcode"] == 121


class Restarting:
    """
    A server with a database, which can be started again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.harness = ServerHarness(store=Store(path))
        self.clients: list[HTTPClient] = []

    def client(self, number: int) -> HTTPClient:
        """
        Make a client that is signed on and stays so.
        """
        client = self.harness.client(number)  # type: ignore[arg-type]
        self.clients.append(client)
        return client

    def kill(self, after: float = WRITE_WITHIN) -> None:
        """
        End the server at once, some seconds after the last request.
        """
        self.harness.clock.advance(after)
        self.harness.store.close()

    def start(self, away: float = 0.0) -> None:
        """
        Start the server again.

        @param away: the time without a server, in seconds.
        """
        now = self.harness.clock.seconds() + away
        self.harness = ServerHarness(store=Store(self.path), seed=int(now), at=now)
        for client in self.clients:
            client.harness = self.harness

    def restart(self) -> None:
        """
        Kill and start the server.
        """
        self.kill()
        self.start()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Restarting]:
    restarting = Restarting(tmp_path / "qq.db")
    yield restarting
    restarting.harness.server.stop()
    restarting.harness.store.close()


def test_resumed(server: Restarting) -> None:
    """
    Clients poll and send with the tickets and the uins that they have, without
    a sign-on.
    """
    alice, bob = server.client(ALICE).catchUp(), server.client(BOB).catchUp()
    uins = alice.uin(BOB), bob.uin(ALICE), alice.gid
    server.restart()
    assert (alice.uin(BOB), bob.uin(ALICE), alice.gid) == uins
    poll = bob.poll()
    assert not poll.isAnswered
    assert alice.tell(BOB, "hi").json["retcode"] == 0
    assert textsOf(poll.response) == ["hi"]
    assert alice.lookUp("get_friend_info2", f"tuin={uins[0]}").json["retcode"] == 0
    assert not bob.poll().isAnswered
    server.restart()
    assert not bob.poll().isAnswered


def test_unacknowledged(server: Restarting) -> None:
    """
    A reply that was not acknowledged before the restart is given again, with the
    same ids.
    """
    alice, bob = server.client(ALICE), server.client(BOB).catchUp()
    poll = bob.poll(0)
    alice.tell(BOB, "hi")
    first = poll.response
    server.restart()
    again = bob.poll(0).response
    assert again.json == first.json


def test_presence(server: Restarting) -> None:
    """
    Accounts stay online with their statuses, and those that do not come back are
    offline after a while.
    """
    server.client(ALICE).join(status="away")
    server.restart()
    presence = server.harness.state.presence
    assert presence.visibleStatus(ALICE) is Status.AWAY
    server.harness.clock.pump([10] * int(LAPSE / 10 + 2))
    assert presence.visibleStatus(ALICE) is Status.OFFLINE
    [alice] = server.clients
    assert isRefused(alice)
    alice.join(alice.psessionid)


def test_changedStatus(server: Restarting) -> None:
    """
    The status that a session has changed to is kept.
    """
    alice = server.client(ALICE)
    query = f"newstatus=busy&clientid=1&psessionid={alice.psessionid}&t=1"
    server.harness.get(f"/channel/change_status2?{query}")
    server.restart()
    assert server.harness.state.presence.visibleStatus(ALICE) is Status.BUSY


def test_relink(server: Restarting) -> None:
    """
    A client relinks after a restart; its former ticket is then told so.
    """
    alice = server.client(ALICE)
    before = alice.psessionid, alice.uin(BOB)
    server.restart()
    alice.join(alice.psessionid)
    assert alice.uin(BOB) == before[1]
    assert not alice.poll().isAnswered
    alice.psessionid = before[0]
    assert isRefused(alice)
    server.restart()
    assert alice.login2("").json["retcode"] == 0


def test_rotated(server: Restarting) -> None:
    """
    Both the new and the last C{ptwebqq} are good after a restart.
    """
    alice = server.client(ALICE)
    poll = alice.poll()
    server.harness.state.rotate(ALICE)
    server.harness.clock.advance(0)
    fresh = poll.response.json["p"]
    for ptwebqq in (alice.ptwebqq, fresh):
        alice.ptwebqq = ptwebqq
        server.restart()
        alice.join(alice.psessionid)


def test_cookies(server: Restarting) -> None:
    """
    The cookies of the login are good after a restart, and give a C{vfwebqq}.
    """
    alice = server.client(ALICE)
    cookie = {"Cookie": f"uin=o{ALICE}; skey={alice.skey}"}
    server.restart()
    wrong = {"Cookie": f"uin=o{ALICE}; skey={alice.skey}x"}
    refused = server.harness.get("/api/get_vfwebqq2?t=1", wrong).response
    assert refused.json["retcode"] != 0
    given = server.harness.get("/api/get_vfwebqq2?t=1", cookie).response
    alice.vfwebqq = given.result[1]
    server.restart()
    assert alice.lookUp("get_friend_info2", f"tuin={ALICE}").json["retcode"] == 0


def setPassword(store: Store) -> None:
    store.accounts.setPassword(ALICE, passwordHash("another"))


def disable(store: Store) -> None:
    store.accounts.disable(ALICE)


@pytest.mark.parametrize("change", [setPassword, disable])
def test_changedMeanwhile(
    server: Restarting, change: Callable[[Store], object]
) -> None:
    """
    A password that is changed, or an account that is disabled while the server is
    down, ends the session.
    """
    alice = server.client(ALICE)
    server.kill()
    store = Store(server.path)
    change(store)
    store.close()
    server.start()
    assert isRefused(alice)
    assert alice.login2().json["retcode"] == 103
    assert server.harness.state.sessions.online(ALICE) is None


def test_loggedOut(server: Restarting) -> None:
    """
    A session that has ended is not resumed.
    """
    alice = server.client(ALICE)
    server.harness.get(
        f"/channel/logout2?ids=&psessionid={alice.psessionid}&clientid=1&t=1"
    )
    server.restart()
    assert isRefused(alice)


def kicks(client: HTTPClient) -> bool:
    """
    Poll, and tell whether the reply is the kick.
    """
    poll = client.poll()
    client.harness.clock.pump([5] * 4)
    if not poll.isAnswered or poll.response.json["retcode"] != 0:
        return False
    [event] = poll.response.json["result"]
    kind: str = event["poll_type"]
    return kind == "kick_message"


def test_replaced(server: Restarting) -> None:
    """
    A client whose session another one has replaced is told so by a later run of the
    server, and cannot take the place back by a relink; the other one goes on.
    """
    former = server.client(BOB)
    present = server.harness.client(BOB, clientid="5")
    server.clients.append(present)
    present.catchUp()
    for _ in range(2):
        server.restart()
        assert kicks(former)
        assert former.login2(former.psessionid).json["retcode"] != 0
        assert not present.poll().isAnswered


def test_replacedLongAgo(server: Restarting) -> None:
    """
    After a week it is an unknown client.
    """
    former = server.client(BOB)
    server.clients.append(server.harness.client(BOB, clientid="5"))
    server.kill()
    server.start(REPLACED_LIFE - 100)
    assert server.harness.store.sessions.loadReplaced(9)
    server.kill()
    server.start(200)
    assert server.harness.store.sessions.loadReplaced(9) == []
    server.restart()
    assert isRefused(former)


def test_lapsed(server: Restarting) -> None:
    """
    An account that was offline, because its client did not poll, is so after a
    restart; the client resumes its session within an hour.
    """
    alice, bob = server.client(ALICE), server.client(BOB)
    uin = alice.uin(BOB)
    for _ in range(int(LAPSE / 10 + 2)):
        bob.poll(0)
        server.harness.clock.advance(10)
    server.restart()
    presence = server.harness.state.presence
    assert presence.visibleStatus(ALICE) is Status.OFFLINE
    assert presence.visibleStatus(BOB) is Status.ONLINE
    assert server.harness.state.sessions.onlineCount == 1
    alice.join(alice.psessionid)
    assert presence.visibleStatus(ALICE) is Status.ONLINE
    assert alice.uin(BOB) == uin
    server.restart()
    assert server.harness.state.presence.visibleStatus(ALICE) is Status.ONLINE


def test_lapsedLongAgo(server: Restarting) -> None:
    """
    After an hour its session is deleted.
    """
    server.client(ALICE)
    server.harness.clock.pump([10] * int(LAPSE / 10 + 2))
    server.restart()
    assert len(server.harness.state.sessions) == 1
    server.harness.clock.pump([60] * int(FORGET / 60 + 2))
    assert len(server.harness.state.sessions) == 0
    server.harness.clock.advance(WRITE_WITHIN)
    assert server.harness.store.sessions.load(0) == []


def test_longAway(server: Restarting) -> None:
    """
    Sessions are not resumed when the server was away for longer than they could
    have been resumed by a relink.
    """
    alice, bob = server.client(ALICE), server.client(BOB)
    server.harness.clock.pump([10] * 30)
    alice.join(alice.psessionid)
    server.kill()
    server.start(FORGET - 120)
    assert not alice.poll().isAnswered
    server.harness.server.stop()
    server.kill()
    server.start(FORGET + 120)
    for client in (alice, bob):
        assert isRefused(client)
    server.harness.client(CAROL)


def test_secrets(server: Restarting) -> None:
    """
    No file of the database has an id that a client could use.
    """
    alice = server.client(ALICE)
    server.harness.state.rotate(ALICE)
    alice.poll()
    server.kill()
    files = list(server.path.parent.iterdir())
    data = b"".join(file.read_bytes() for file in files)
    assert alice.clientid.encode() in data
    for secret in (alice.psessionid, alice.vfwebqq, alice.ptwebqq, alice.skey):
        assert secret
        assert secret.encode() not in data
    server.start()


def test_inMemory() -> None:
    """
    A server without a file stores no sessions.
    """
    harness = ServerHarness()
    harness.client(ALICE)
    harness.clock.advance(WRITE_WITHIN)
    assert harness.store.sessions.load(0) == []
