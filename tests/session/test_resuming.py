"""
Sessions that a later process resumes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet import error
from twisted.internet.defer import fail

from tests.rig import (
    HTML,
    KICK,
    LOGIN2,
    LOGOUT2,
    NO_EVENTS,
    POLL,
    CallbackLogFactory,
    CapturedLog,
    RecordedPolls,
    Rig,
    batch,
    message,
    truncate,
)
from txwebqq.model import Account, Number, Status, StatusChange
from txwebqq.service import Era, WebQQService
from txwebqq.sessionfile import MAX_AGE, SessionFile
from txwebqq.testing import PASSWORD

LOGIN = "/login"
FRIENDS = "/api/get_user_friends2"


class Processes:
    """
    Processes that keep Alice signed on, one after the other.

    @ivar file: the file of her session.
    """

    def __init__(self, rig: Rig, file: Path) -> None:
        self.rig = rig
        self.web = rig.web
        self.file = file
        self.number = rig.alice.number
        self._running: list[WebQQService] = []

    def start(
        self,
        password: str = PASSWORD,
        status: Status = Status.ONLINE,
        era: Era = Era.E1,
    ) -> CallbackLogFactory:
        """
        Start a process.
        """
        account = Account(self.number, password, status)
        factory = CallbackLogFactory()
        service = WebQQService(
            account,
            factory,
            self.web.client(),
            self.web.clock,
            era=era,
            backoff=lambda n: 2.0,
            keeper=SessionFile(self.file, account, "ours", self.web.clock.seconds),
        )
        self._running.append(service)
        self.rig.server.requests.clear()
        service.startService()
        self.web.settle()
        return factory

    def end(self) -> None:
        """
        End the last process by SIGTERM.
        """
        self.web.result(self._running.pop().stopService())

    def kill(self) -> None:
        """
        End the last process by SIGKILL: neither server nor file are told.
        """
        data, used = self.file.read_bytes(), self.file.stat().st_mtime
        treq, request = self.web.treq, self.web.treq.request
        treq.request = lambda *args, **more: fail(error.ConnectionRefusedError())
        self.end()
        treq.request = request
        self.file.write_bytes(data)
        os.utime(self.file, (used, used))

    @property
    def hasSignedOn(self) -> bool:
        """
        Whether the last process has sent the password.
        """
        return LOGIN in self.rig.server.requests

    def close(self) -> None:
        """
        End all processes.
        """
        for each in self._running:
            self.web.result(each.stopService())


@pytest.fixture
def processes(rig: Rig, tmp_path: Path) -> Iterator[Processes]:
    found = Processes(rig, tmp_path / "10001")
    yield found
    found.close()


@pytest.mark.parametrize("way", ["end", "kill"])
def test_restart(processes: Processes, way: str) -> None:
    """
    A process that ends and is started again resumes its session: the password is not
    sent, friends see nothing of it, and messages that came meanwhile are there once.
    """
    rig = processes.rig
    bob = rig.bob
    first = processes.start()
    bob.run()
    bob.tell(rig.alice, "one")
    rig.web.settle()
    uins = set(first.protocols[0].buddies)
    getattr(processes, way)()
    assert LOGOUT2 not in rig.server.requests
    bob.tell(rig.alice, "two")
    rig.web.settle(60)
    second = processes.start()
    bob.tell(rig.alice, "three")
    rig.web.settle()
    assert first.logs == [["made", "on", "one", "ConnectionDone"]]
    assert second.logs == [["made", "on", "two", "three"]]
    assert set(second.protocols[0].buddies) == uins
    assert not processes.hasSignedOn
    assert [e for e in bob.events if isinstance(e, StatusChange)] == []
    bob.stop()


@pytest.mark.parametrize("era", [Era.E2, Era.E3])
def test_laterEra(processes: Processes, era: Era) -> None:
    """
    The sessions of later servers are resumed without their login page.
    """
    processes.start(era=era)
    processes.end()
    assert processes.start(era=era).logs == [["made", "on"]]
    assert not processes.hasSignedOn
    assert LOGIN2 in processes.rig.server.requests


def test_file(processes: Processes) -> None:
    """
    Nobody else can read the file, which has no password in it, and the log and the
    values have no secret.
    """
    with CapturedLog() as logged:
        processes.start()
        processes.end()
        processes.start()
    assert processes.file.stat().st_mode & 0o777 == 0o600
    assert processes.file.parent.stat().st_mode & 0o777 == 0o700
    assert PASSWORD not in processes.file.read_text(encoding="utf-8")
    account = processes.rig.alice.account
    clock = processes.web.clock
    kept = SessionFile(processes.file, account, "ours", clock.seconds).load()
    assert kept is not None
    assert "Resuming the session" in logged.text
    for secret in (kept.ticket.psessionid, kept.ticket.ptwebqq, kept.ticket.vfwebqq):
        assert secret not in repr(kept)
        assert secret not in logged.text
    assert [c for c in kept.cookies if c.value == kept.ticket.ptwebqq]
    assert kept.ticket.ptwebqq not in repr(kept)


@pytest.mark.parametrize(
    ("password", "status", "seconds"),
    [
        ("another", Status.ONLINE, 0.0),
        (PASSWORD, Status.BUSY, 0.0),
        (PASSWORD, Status.ONLINE, MAX_AGE + 1),
    ],
)
def test_notUsed(
    processes: Processes, password: str, status: Status, seconds: float
) -> None:
    """
    A session is not resumed with another password or status, and not when it is old.
    """
    processes.start()
    processes.end()
    processes.web.clock.advance(seconds)
    processes.start(password, status)
    assert processes.hasSignedOn


def test_inUse(processes: Processes) -> None:
    """
    The age of a session is counted from its last use.
    """
    processes.start()
    processes.web.settle(2 * MAX_AGE)
    processes.kill()
    processes.start()
    assert not processes.hasSignedOn


def test_refused(processes: Processes) -> None:
    """
    When the server does not know the session any more, one protocol signs on in full,
    and acknowledges nothing of what the former server has counted.
    """
    rig = processes.rig
    rig.server.replies[POLL] = [batch(message(5, 1, "one"), ack=71)]
    assert processes.start().logs == [["made", "on", "one"]]
    processes.end()
    polls = RecordedPolls(batch(message(6, 2, "two"), ack=1))
    rig.server.replies[LOGIN2] = [b'{"retcode":103,"errmsg":""}']
    rig.server.replies[POLL] = [polls]
    assert processes.start().logs == [["made", "on", "two"]]
    assert processes.hasSignedOn
    assert polls.polls[0].ack == 0


def test_acknowledged(processes: Processes) -> None:
    """
    A reply of which an application was given a part goes on after the rest: the first
    poll acknowledges the replies before, and the part does not come again.
    """
    rig = processes.rig
    both = message(6, 3, "three"), message(5, 2, "two")
    rig.server.replies[POLL] = [batch(message(4, 1, "one"), ack=71)]
    first = processes.start()
    rig.server.replies[POLL] = [batch(*both, ack=72)]

    def stop(heard: object) -> None:
        if "two" in first.logs[0]:
            service = processes._running.pop()
            service.stopService()

    first.onMessage = stop
    rig.web.settle(60)
    assert first.logs == [["made", "on", "one", "two", "ConnectionDone"]]
    polls = RecordedPolls(batch(*both, ack=72))
    rig.server.replies[POLL] = [polls, polls]
    second = processes.start()
    assert second.logs == [["made", "on", "three"]]
    assert [each.ack for each in polls.polls] == [71, 72]


def test_outage(processes: Processes) -> None:
    """
    A server that is away when the process starts is waited for; the session is still
    there. A process that ends meanwhile leaves it to the next one.
    """
    treq = processes.web.treq
    processes.start()
    processes.end()
    request = treq.request
    treq.request = lambda *args, **more: fail(error.ConnectionRefusedError())
    processes.start()
    processes.end()
    second = processes.start()
    processes.web.settle(20)
    treq.request = request
    processes.web.settle(5)
    assert second.logs == [["made", "on"]]
    assert not processes.hasSignedOn


def test_lostReply(processes: Processes) -> None:
    """
    When the reply to the resumption is lost, it is asked for again.
    """
    processes.start()
    processes.end()
    processes.rig.server.replies[LOGIN2] = [truncate]
    second = processes.start()
    processes.web.settle(5)
    assert second.logs == [["made", "on"]]
    assert not processes.hasSignedOn


@pytest.mark.parametrize("path", [LOGIN2, FRIENDS])
def test_intercepted(processes: Processes, path: str) -> None:
    """
    A page that comes in the place of a reply, also of the lists after it, does not end
    the session, nor forget what was acknowledged.
    """
    rig = processes.rig
    rig.server.replies[POLL] = [batch(message(5, 1, "one"), ack=71)]
    processes.start()
    processes.end()
    polls = RecordedPolls(NO_EVENTS)
    rig.server.replies[POLL] = [polls]
    rig.server.replies[path] = [HTML, HTML]
    second = processes.start()
    processes.web.settle(5)
    assert second.logs == [["made", "on"]]
    assert not processes.hasSignedOn
    assert polls.polls[0].ack == 71


def test_rotated(processes: Processes) -> None:
    """
    A ticket that the server has replaced is kept.
    """
    processes.start()
    for _ in range(2):
        processes.web.state.rotate(processes.number)
        processes.web.settle(60)
    processes.kill()
    processes.start()
    assert not processes.hasSignedOn


def test_status(processes: Processes) -> None:
    """
    The presence status is that which the application has set.
    """
    first = processes.start()
    processes.web.result(first.protocols[0].setStatus(Status.AWAY))
    processes.end()
    second = processes.start()
    assert second.protocols[0].transport.status is Status.AWAY
    session = processes.web.state.sessions.online(Number(processes.number))
    assert session is not None
    assert session.status is Status.AWAY


def test_signedOff(processes: Processes) -> None:
    """
    When the application signs off, the server is told, and nothing is kept.
    """
    first = processes.start()
    processes.web.result(first.protocols[0].signOff())
    assert LOGOUT2 in processes.rig.server.requests
    assert not processes.file.exists()


def test_kicked(processes: Processes) -> None:
    """
    A session that another client has ended is not kept, unless a newer process has
    written its own.
    """
    processes.rig.server.replies[POLL] = [batch(KICK)]
    first = processes.start()
    assert first.logs == [["made", "on", "kicked", "Kicked"]]
    assert not processes.file.exists()
    processes.start()
    newer = processes.file.read_bytes() + b" "
    processes.file.write_bytes(newer)
    processes.rig.server.replies[POLL] = [batch(KICK)]
    processes.web.settle(60)
    assert processes.file.read_bytes() == newer
