"""
The end of a process, and what it knows of the database while it does nothing.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from threading import Event
from typing import Any
from urllib.parse import quote

import pytest

from tests.postgresql.server import PostgreSQLServer
from tests.server.fleet.harness import Change, FleetHarness
from tests.server.fleet.stillprocess import StillProcess, problems
from tests.server.harness import ALICE, BOB, HTTPClient, Wire, request, textsOf
from txwebqq.postgresql.database import Database
from txwebqq.server.fleet import listener
from txwebqq.server.fleet import process as processes
from txwebqq.server.fleet.listener import SILENCE, Listener
from txwebqq.server.fleet.resource import STOPPING
from txwebqq.server.fleet.worker import Job
from txwebqq.server.storage.store import Store


def message(client: HTTPClient, text: str) -> bytes:
    """
    Return the bytes of a message to Bob.
    """
    r = {
        "to": client.uin(BOB),
        "content": json.dumps([text, ["font", {}]]),
        "msg_id": 1,
        "clientid": client.clientid,
        "psessionid": client.psessionid,
    }
    body = f"r={quote(json.dumps(r))}"
    return request("POST", "/channel/send_buddy_msg2", body=body)


def isClosing(wire: Wire) -> bool:
    """
    Check whether the server has closed a connection.
    """
    return bool(wire.transport.disconnecting)


def test_stop(pair: FleetHarness) -> None:
    """
    A process that stops answers its polls, and then refuses requests on connections
    that are open, which it closes: the clients go on at another process.
    """
    alice, bob = pair.client(ALICE), pair.client(BOB)
    pair.catchUp(ALICE)
    pair.target = 0
    idle = pair.send(request("GET", "/cgi-bin/ver"))
    busy = [pair.send(b"") for _ in range(3)]
    poll = bob.poll()
    assert not poll.isAnswered
    pair.processes[0].stop()
    pair._sites[0].close()
    assert poll.response.json["retcode"] == 102
    assert isClosing(idle)
    assert isClosing(poll)
    wire, again, check = busy
    wire.send(message(alice, "late"))
    assert wire.response.json == {
        "retcode": STOPPING.retcode,
        "errmsg": STOPPING.errmsg,
    }
    assert again.send(bob.pollBytes()).response.json["retcode"] == 102
    assert check.send(request("GET", "/cgi-bin/ver")).response.status == 503
    assert all(isClosing(each) for each in busy)
    pair.target = 1
    assert alice.tell(BOB, "again").json["retcode"] == 0
    assert textsOf(bob.poll().response) == ["again"]


def test_inFlight(pair: FleetHarness) -> None:
    """
    A message that a process has when it stops is accepted and delivered, and its
    connection is closed then.
    """
    alice, bob = pair.client(ALICE), pair.client(BOB)
    pair.catchUp(ALICE)
    pair.target = 0
    with pair.paused():
        wire = pair.send(message(alice, "last"))
        pair.processes[0].stop()
        pair._sites[0].close()
        assert not isClosing(wire)
        pair.processes[0].join()
    assert wire.response.json["retcode"] == 0
    assert isClosing(wire)
    pair.target = 1
    assert textsOf(bob.poll().response) == ["last"]


def test_bounded(pair: FleetHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A process that stops does not wait without end for a database that hangs: requests
    in flight get no reply then.
    """
    monkeypatch.setattr(processes, "STOP_TIME", 0.0)
    hangs, goesOn = Event(), Event()

    def hang(_: object) -> None:
        hangs.set()
        goesOn.wait()

    alice = pair.client(ALICE)
    pair.client(BOB)
    pair.target = 0
    process = pair.processes[0]
    with pair.paused():
        wire = pair.send(message(alice, "lost"))
        process.writing.submit(Change(hang))
        process.writing.start()
        thread: Any = process.writing._thread
        hangs.wait()
        process.stop()
        process.join()
        process.resource.stopped()
        assert isClosing(wire)
        assert not wire.isAnswered
        goesOn.set()
        thread.join()


class Listening:
    """
    The listener of a process at work.
    """

    def __init__(self, process: StillProcess) -> None:
        self._process = process
        self._connect = process._connect
        self._stores: list[Store] = []
        # The number of times that the connection was to be made; what the reactor's
        # thread is to call.
        self._asked: SimpleQueue[None] = SimpleQueue()
        self._calls: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self.listener = Listener(
            self._watched,
            lambda function, *_, **__: self._calls.put(function),
            lambda numbers: None,
            process._missed,
            process._clock.seconds,
        )
        process.listener = self.listener
        self.listener.start()
        self.found()

    def _watched(self) -> Store:
        self._asked.put(None)
        store = self._connect()
        self._stores.append(store)
        return store

    @property
    def backend(self) -> int:
        """
        The id of PostgreSQL's process for the connection.
        """
        database = self._stores[-1].database
        assert isinstance(database, Database)
        return database.connection.driver.info.backend_pid

    def found(self) -> None:
        """
        Wait until the database is there, and tell the process.
        """
        while (call := self._calls.get(timeout=60)) != self._process._missed:
            pass
        call()
        while not self._asked.empty():
            self._asked.get()

    def failed(self) -> None:
        """
        Wait until an attempt to connect has failed: until the next one is made.
        """
        for _ in range(2):
            self._asked.get(timeout=60)


@pytest.fixture
def listening(
    postgreSQL: PostgreSQLServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[StillProcess, Listening]]:
    """
    A process with a database of its own.
    """
    monkeypatch.setattr(listener, "_WAIT", 0.01)
    monkeypatch.setattr(listener, "_RETRY", 0.01)
    process = StillProcess(postgreSQL.newDatabase(), tmp_path / "files")
    yield process, Listening(process)
    process.isAway = False
    process.stop()
    process.join()


def test_databaseLost(
    postgreSQL: PostgreSQLServer, listening: tuple[StillProcess, Listening]
) -> None:
    """
    A process without requests is not ready as soon as the connection to the database
    is lost, and ready when it is there again, with all its workers.
    """
    process, hearing = listening
    assert problems(process) == []
    process.isAway = True
    backend = hearing.backend
    postgreSQL.execute("postgres", f"SELECT pg_terminate_backend({backend}, 5000)")
    hearing.failed()
    assert problems(process) == ["the database is away: nobody listens"]
    process.reading._disconnect()
    process.reading.submit(Job(lambda backend: None))
    process.reading.end()
    process.work()
    assert not process.reading.isConnected
    process.isAway = False
    hearing.found()
    process.work()
    assert problems(process) == []


def test_databaseHangs(listening: tuple[StillProcess, Listening]) -> None:
    """
    A database that does not answer for some seconds counts as away, though the
    connection is not lost.
    """
    process, hearing = listening
    clock: Any = process._clock
    backend = hearing.backend
    os.kill(backend, signal.SIGSTOP)
    try:
        # An answer may be on its way.
        while not (found := problems(process)):
            clock.advance(SILENCE)
        assert found[0].startswith("the database is away: no answer for ")
    finally:
        os.kill(backend, signal.SIGCONT)
    while problems(process):
        pass
