"""
A real server under a service manager: notification, and a socket that stays.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from tests.endtoend.daemons import PATIENCE, POPULATION, ROOT, TWISTD
from tests.irc.qqfriends import QQFriend

# systemd writes the process id of the daemon into its environment.
START = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="web")
os.execv(sys.argv[2], sys.argv[2:])
"""


class Manager:
    """
    A service manager: the socket of the server, and the one for notifications.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.kept = socket.create_server(("127.0.0.1", 0))
        self._notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notified.bind(str(folder / "notify"))
        self._notified.settimeout(PATIENCE)
        self._running: list[subprocess.Popen[bytes]] = []

    def hears(self, text: str) -> None:
        """
        Wait for a notification.
        """
        deadline = time.monotonic() + PATIENCE
        # The watchdog is told all the time.
        while text not in self._notified.recv(1000).decode():
            assert time.monotonic() < deadline, text

    def start(self, *argv: str) -> subprocess.Popen[bytes]:
        """
        Start a server, and wait until it is ready.
        """
        listen = "systemd:domain=INET:name=web"
        descriptor = self.kept.fileno()
        command = [str(TWISTD), "-n", "--pidfile=", "webqq-server", "--listen", listen]
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "NOTIFY_SOCKET": str(self._folder / "notify"),
            "WATCHDOG_USEC": "200000",
        }
        process = subprocess.Popen(
            [sys.executable, "-c", START, str(descriptor), *command, *argv],
            pass_fds=[descriptor],
            env=environment,
            cwd=self._folder,
        )
        self._running.append(process)
        self.hears("READY=1\nSTATUS=")
        return process

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """
        Stop a server.
        """
        process.terminate()
        self.hears("STOPPING=1")
        assert process.wait(PATIENCE) == 0

    def asks(self) -> socket.socket:
        """
        Connect to the server, whether it runs or not, and send a request.
        """
        client = socket.create_connection(self.kept.getsockname(), PATIENCE)
        client.sendall(b"GET /check?uin=10001 HTTP/1.0\r\n\r\n")
        return client

    def close(self) -> None:
        """
        End the servers that still run, and close the sockets.
        """
        for process in self._running:
            process.kill()
            process.wait()
        self.kept.close()
        self._notified.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    found = Manager(tmp_path)
    yield found
    found.close()


def test_life(manager: Manager) -> None:
    """
    The server tells that it is ready, that it lives, and that it stops. Its socket
    refuses no connection before it runs, and answers that one then, nor after it.
    """
    with manager.asks() as client:
        process = manager.start()
        manager.hears("WATCHDOG=1")
        assert client.recv(100).startswith(b"HTTP/1.0 200 OK")
    manager.stop(process)
    manager.asks().close()


@pytest.mark.long
@ensureDeferred
async def test_restart(manager: Manager, tmp_path: Path) -> None:
    """
    Clients notice nothing of a restart of the server: no poll fails, and a message
    that is sent while there is no server arrives.
    """
    (tmp_path / "people.toml").write_text(POPULATION, encoding="utf-8")
    options = "--database", "qq.db", "--population", "people.toml"
    first = await deferToThread(manager.start, *options)
    host, port = manager.kept.getsockname()
    alice = QQFriend(f"http://{host}:{port}", 10001, "correct horse")
    bot = QQFriend(f"http://{host}:{port}", 10002, "battery staple")
    await alice.start()
    await bot.start()
    await alice.shows("is online")
    await deferToThread(manager.stop, first)
    sent = Deferred.fromCoroutine(alice.tell("Bot", "one"))
    await deferToThread(manager.start, *options)
    await sent
    await bot.shows("one")
    for each in (alice, bot):
        assert each.signOns.pollFailures == 0
        assert each.signOns.rejoined == 0
        assert each.signOns.succeeded == 1
        await each.stop()
    assert alice.heard == ["is online"]
