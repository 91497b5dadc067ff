"""
The sign-up pages of two processes with one database.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from threading import Thread

import pytest
from twisted.python.failure import Failure

from tests.server.fleet.harness import FleetHarness
from tests.server.harness import ServerHarness
from tests.server.signups import ask, filled, signUpRequest, submit
from txwebqq.model import Number
from txwebqq.server.fleet.exchange import PATIENCE
from txwebqq.server.sessions import registration
from txwebqq.server.sessions.registration import ACCOUNTS, FORMS


@pytest.fixture
def pages(fleetEngine: None) -> FleetHarness:
    """
    Two processes with sign-up pages, which are asked by turns.
    """
    return FleetHarness(size=2, hasSignUp=True)


def _fail(password: str) -> bytes:
    raise KeyError


def waitForLocks(harness: ServerHarness, threads: Sequence[Thread]) -> None:
    """
    Wait until the transaction of each thread waits for a lock of another.
    """
    database = harness.store.database
    query = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    while database.count(query) < len(threads):
        assert all(each.is_alive() for each in threads)


def test_shared(pages: FleetHarness) -> None:
    """
    The form of one process is sent to the other, once; the numbers go on, and the
    accounts of an address at both are counted together.
    """
    body, cookie = filled(ask(pages, "GET"))
    assert b"<strong>10005</strong>" in ask(pages, "POST", body, cookie).body
    assert b"does not match" in ask(pages, "POST", body, cookie).body
    found = [re.search(b"100[0-9]{2}", submit(pages).body) for _ in range(ACCOUNTS)]
    assert [each and int(each[0]) for each in found] == [
        10006,
        10007,
        10008,
        10009,
        None,
    ]
    assert b"Too many new accounts" in submit(pages).body
    assert submit(pages, address="127.0.0.2").status == 200


def test_forms(pages: FleetHarness) -> None:
    """
    The forms that an address fetches of both are counted together.
    """
    statuses = [ask(pages, "GET").status for _ in range(FORMS + 2)]
    assert statuses == [200] * FORMS + [429] * 2


def test_atOnce(pages: FleetHarness) -> None:
    """
    Two accounts that are created at the same moment, at both, have numbers of their
    own.
    """
    forms = [filled(ask(pages, "GET")) for _ in range(2)]
    with pages.paused():
        wires = [pages.send(signUpRequest("POST", *form)) for form in forms]
    threads = [Thread(target=each.writing.handleBatch) for each in pages.processes]
    with pages.store.database.transaction():
        # As webqq-admin does.
        pages.store.database.lockTable("account")
        for thread in threads:
            thread.start()
        waitForLocks(pages, threads)
    for thread in threads:
        thread.join()
    found = sorted(
        int(match[1])
        for wire in wires
        for match in [re.search(b"<strong>(.+?)</strong>", wire.response.body)]
        if match
    )
    assert found == [10005, 10006]
    assert all(pages.store.accounts.get(Number(n)) for n in found)


def test_notHandled(pages: FleetHarness) -> None:
    """
    A form that no worker handles for long is refused, and can be sent again.
    """
    pages.target = 0
    body, cookie = filled(ask(pages, "GET"))
    with pages.paused():
        wire = pages.send(signUpRequest("POST", body, cookie, languages="zh"))
        pages.clock.advance(PATIENCE)
    assert wire.response.status == 503
    assert "请稍后再试" in wire.response.body.decode()
    assert b"<strong>10005</strong>" in ask(pages, "POST", body, cookie).body


def test_fault(
    pages: FleetHarness,
    monkeypatch: pytest.MonkeyPatch,
    flushLoggedErrors: Callable[..., list[Failure]],
) -> None:
    """
    A fault of the server is answered with a page, and changes nothing.
    """
    body, cookie = filled(ask(pages, "GET"))
    with monkeypatch.context() as patch:
        patch.setattr(registration, "passwordHash", _fail)
        page = ask(pages, "POST", body, cookie)
    assert page.status == 500
    assert b"try again later" in page.body
    assert b"open sesame" not in page.body
    assert len(flushLoggedErrors(KeyError)) == 1
    assert b"<strong>10005</strong>" in ask(pages, "POST", body, cookie).body
