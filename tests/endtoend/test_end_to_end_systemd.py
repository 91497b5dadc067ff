"""
A real server under a service manager: notification, and a socket that stays.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.endtoend.daemons import PATIENCE, ROOT, TWISTD

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

    def hears(self, text: str) -> None:
        """
        Wait for a notification.
        """
        while text not in self._notified.recv(1000).decode():
            pass

    @contextmanager
    def server(self) -> Iterator[None]:
        """
        Run a server until the end of the block.
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
        with subprocess.Popen(
            [sys.executable, "-c", START, str(descriptor), *command],
            pass_fds=[descriptor],
            env=environment,
            cwd=self._folder,
        ) as process:
            try:
                self.hears("READY=1\nSTATUS=0 accounts online")
                self.hears("WATCHDOG=1")
                yield
                process.terminate()
                self.hears("STOPPING=1")
                assert process.wait(PATIENCE) == 0
            finally:
                process.kill()

    def asks(self) -> socket.socket:
        """
        Connect to the server, whether it runs or not, and send a request.
        """
        client = socket.create_connection(self.kept.getsockname(), PATIENCE)
        client.sendall(b"GET /check?uin=10001 HTTP/1.0\r\n\r\n")
        return client

    def close(self) -> None:
        """
        Close the sockets.
        """
        self.kept.close()
        self._notified.close()


def test_life(tmp_path: Path) -> None:
    """
    The server tells that it is ready, that it lives, and that it stops. Its socket
    refuses no connection before it runs, and answers that one then, nor after it.
    """
    manager = Manager(tmp_path)
    with manager.asks() as client, manager.server():
        assert client.recv(100).startswith(b"HTTP/1.0 200 OK")
    manager.asks().close()
    manager.close()
