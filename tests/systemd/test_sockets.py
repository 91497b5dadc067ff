"""
Sockets that the service manager passes on.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.endpoints import serverFromString
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactorClock
from twisted.python.systemd import ListenFDs

from txwebqq.config.endpoints import checkEndpoint, isLocal
from txwebqq.errors import InvalidConfiguration
from txwebqq.net.certificates import ReloadingReactor
from txwebqq.systemd.sockets import addressOf


def pass_(patch: pytest.MonkeyPatch, *sockets: socket.socket) -> None:
    """
    Pass copies of sockets on to this process, with the names C{s0}, C{s1}.
    """
    addressOf.cache_clear()
    descriptors = [each.dup().detach() for each in sockets]
    names = [f"s{n}" for n in range(len(sockets))]
    found = ListenFDs(descriptors, names)
    patch.setattr("twisted.internet.endpoints._SystemdParser._sddaemon", found)


def listening(family: socket.AddressFamily, address: Any) -> socket.socket:
    made = socket.socket(family)
    made.bind(address)
    made.listen(5)
    return made


def test_unixStays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    When the daemon stops listening at a UNIX socket, the file stays, with its mode,
    and connections wait for the next daemon.
    """
    path = tmp_path / "socket"
    kept = listening(socket.AF_UNIX, str(path))
    path.chmod(0o600)
    for _ in range(2):
        pass_(monkeypatch, kept)
        endpoint = "systemd:domain=UNIX:index=0"
        checkEndpoint(endpoint)
        reactor: Any = MemoryReactorClock()
        ports: list[Any] = []
        listen = serverFromString(ReloadingReactor(reactor, endpoint), endpoint).listen
        listen(Factory.forProtocol(Protocol)).addCallback(ports.append)
        [port] = ports
        assert port.getHost().name == str(path).encode()
        assert reactor.readers == {port}
        port.stopListening()
        reactor.advance(1)
        assert reactor.getDelayedCalls() == []
        assert path.stat().st_mode & 0o777 == 0o600
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            kept.accept()[0].close()
    kept.close()


def test_takenOver(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The endpoint is still right when the daemon has taken over its socket, and reads
    its settings again.
    """
    socketOfUnit = listening(socket.AF_INET, ("127.0.0.1", 0))
    pass_(monkeypatch, socketOfUnit)
    endpoint = "systemd:domain=INET:index=0"
    checkEndpoint(endpoint)
    assert isLocal(endpoint)
    made: Any = serverFromString(None, endpoint)
    os.close(made.fileno)
    checkEndpoint(endpoint)
    assert isLocal(endpoint)
    socketOfUnit.close()


def test_local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Whether others can reach an inherited socket is told by its address.
    """
    sockets = [
        listening(socket.AF_UNIX, str(tmp_path / "socket")),
        listening(socket.AF_INET, ("127.0.0.1", 0)),
        listening(socket.AF_INET, ("0.0.0.0", 0)),
    ]
    pass_(monkeypatch, *sockets)
    domains = ("UNIX", "INET", "INET")
    ends = [f"systemd:domain={each}:name=s{n}" for n, each in enumerate(domains)]
    for end in ends:
        checkEndpoint(end)
    assert [isLocal(each) for each in ends] == [True, True, False]
    for each in sockets:
        each.close()


def test_errors(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """
    A socket that was not passed on, a wrong family, and a descriptor that is none of
    a socket are named.
    """
    with listening(socket.AF_INET, ("127.0.0.1", 0)) as kept:
        pass_(monkeypatch, kept)
        for missing in ("index=1", "name=other"):
            with pytest.raises(InvalidConfiguration, match="no such socket"):
                checkEndpoint(f"systemd:domain=INET:{missing}")
        with pytest.raises(InvalidConfiguration, match=r"domain=INET$"):
            checkEndpoint("systemd:domain=UNIX:index=0")
    with (tmp_path / "file").open("w") as file:
        found = ListenFDs([file.fileno()], ["file"])
        name = "twisted.internet.endpoints._SystemdParser._sddaemon"
        monkeypatch.setattr(name, found)
        addressOf.cache_clear()
        with pytest.raises(InvalidConfiguration, match="is no socket"):
            checkEndpoint("systemd:domain=INET:name=file")
        assert not isLocal("systemd:domain=INET:name=file")
    addressOf.cache_clear()
