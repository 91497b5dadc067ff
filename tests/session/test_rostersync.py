"""
Completion of the roster while an account is online.
"""

from __future__ import annotations

from twisted.web.server import NOT_DONE_YET

from tests.rig import LOGIN2, NO_EVENTS, POLL, CapturedLog, Rig

LIST = "/channel/get_discu_list_new2"


def test_onceInASignOn(rig: Rig) -> None:
    """
    The list of discussions is fetched after a sign-on, and not after a rejoin.
    """
    rig.polls(NO_EVENTS, b'{"retcode":121,"t":"0"}')
    rig.web.settle(5)
    assert rig.server.requests.count(LOGIN2) == 2
    assert rig.server.requests.count(LIST) == 1
    rig.web.result(rig.service.signOff())
    rig.service.signOn()
    rig.web.settle()
    assert rig.server.requests.count(LIST) == 2


def test_cancelled(rig: Rig) -> None:
    """
    A request for the list that is in flight at a sign-off is cancelled at
    once.
    """
    rig.server.replies[LIST] = [NOT_DONE_YET]
    rig.polls(NOT_DONE_YET)
    stopped = rig.service.stopService()
    rig.web.settle()
    assert sorted(rig.server.disconnected) == [LIST, POLL]
    rig.web.result(stopped)


def test_signOffInSignedOn(rig: Rig) -> None:
    """
    The list is not fetched for an application that signs off in signedOn.
    """
    rig.factory.onSignedOn = lambda protocol: protocol.signOff()
    with CapturedLog() as logged:
        rig.start()
    assert rig.server.requests.count(LIST) == 0
    assert "List of discussions" not in logged.text
