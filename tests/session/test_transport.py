"""
The transport of one sign-on.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from zope.interface.verify import verifyObject

from tests.rig import Rig
from txwebqq.errors import NotSignedOn
from txwebqq.interfaces import IWebQQTransport
from txwebqq.model import Status, Uin
from txwebqq.net.bodies import FileUpload
from txwebqq.wire.commands.offlinefiles import UploadOfflinePic
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


def test_uploadTooEarly(tmp_path: Path) -> None:
    """
    A file that is to be sent without a session is closed.
    """
    path = tmp_path / "picture.png"
    path.write_bytes(b"\x89PNG")
    rig = Rig()
    rig.start()
    transport = rig.life.transport
    rig.web.result(rig.service.signOff())
    source = FileUpload(path)
    sent = transport.send(lambda ticket: UploadOfflinePic(ticket, Uin(5)), source)
    with pytest.raises(NotSignedOn):
        rig.web.result(sent)
    with pytest.raises(ValueError, match="closed"):
        next(source.chunks())
    rig.finish()
