"""
The transport of one sign-on.
"""

from __future__ import annotations

from zope.interface.verify import verifyObject

from tests.rig import Rig
from txwebqq.interfaces import IWebQQTransport
from txwebqq.model import Status
from txwebqq.wire.form import Ticket


def test_interface() -> None:
    """
    A protocol's transport is as L{IWebQQTransport} describes it.
    """
    rig = Rig()
    rig.start()
    assert verifyObject(IWebQQTransport, rig.life.transport)
    rig.finish()


def test_oldNames() -> None:
    """
    The former names of setStatus and friendListHash do the same.
    """
    rig = Rig()
    rig.start()
    transport = rig.life.transport
    rig.web.result(transport.appear(Status.AWAY))
    assert transport.status is Status.AWAY
    ticket = Ticket()
    assert transport.listHash(ticket) == transport.friendListHash(ticket)
    rig.finish()
