"""
A PostgreSQL server for tests, in a folder of its own.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psycopg

_USERS = ("postgres", "nobody")
"""The users that the server may run as, which must not be root."""


def programs() -> Path | None:
    """
    Return the folder of C{initdb} and C{postgres} of the newest version.
    """
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: int(path.parts[-3]) if path.parts[-3].isdigit() else 0,
    )
    return folders[-1].parent if folders else None


def unprivileged() -> str | None:
    """
    Return the user to run as, L{None} for the present one.
    """
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _USERS if name in names)


FORGETFUL = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "16MB",
    "max_connections": "30",
    "autovacuum": "off",
}
"""The settings of a server that is fast, and keeps nothing over a crash."""


class PostgreSQLServer:
    """
    A server that listens on 127.0.0.1, with the users C{webqq} and C{guarded}, who
    has a password.

    @param settings: other settings than the usual ones.
    @ivar port: its port.
    """

    PASSWORD = "correct horse"

    def __init__(self, settings: Mapping[str, str] = FORGETFUL) -> None:
        self._settings = settings
        self._programs = programs()
        self._folder = Path(tempfile.mkdtemp(prefix="txwebqq-postgresql-"))
        self._user = unprivileged()
        if self._user is not None:
            shutil.chown(self._folder, self._user, -1)
        self._count = 0
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """
        Make the cluster, and start the server.
        """
        data = self._folder / "data"
        self._run(
            "initdb",
            "--no-sync",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--username=webqq",
            f"--pgdata={data}",
        )
        (data / "pg_hba.conf").write_text(
            "host all guarded 127.0.0.1/32 scram-sha-256\n"
            "host all all 127.0.0.1/32 trust\n"
        )
        self.launch()
        self._wait()
        self.execute("postgres", f"CREATE USER guarded PASSWORD '{self.PASSWORD}'")

    def launch(self) -> None:
        """
        Start the server, also again, without waiting for it.
        """
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            **self._settings,
        }
        options = [
            part for name in settings for part in ("-c", f"{name}={settings[name]}")
        ]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *self._command("postgres"),
                    *("-D", str(self._folder / "data"), "-p", str(self.port)),
                    *options,
                ],
                stdout=log,
                stderr=log,
                user=self._user,
                cwd="/",
            )

    def signal(self, number: signal.Signals) -> None:
        """
        Send a signal: SIGINT for the mode C{fast}, SIGQUIT for C{immediate}.
        """
        assert self._process is not None
        self._process.send_signal(number)

    def crash(self) -> None:
        """
        End the server as a crash does, start it again, and wait for that.
        """
        self.signal(signal.SIGQUIT)
        assert self._process is not None
        self._process.wait(30)
        self.launch()
        self._wait()

    def hasEnded(self) -> bool:
        """
        Check whether the server has ended.
        """
        return self._process is None or self._process.poll() is not None

    def isReady(self) -> bool:
        """
        Check whether the server accepts connections.
        """
        try:
            self.execute("postgres")
        except psycopg.OperationalError:
            return False
        return True

    def _command(self, name: str) -> list[str]:
        assert self._programs is not None
        return [str(self._programs / name)]

    def _run(self, name: str, *arguments: str) -> None:
        subprocess.run(
            [*self._command(name), *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            user=self._user,
            cwd="/",
            timeout=60,
        )

    def _wait(self) -> None:
        assert self._process is not None
        for _ in range(1200):
            if self.isReady():
                return
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.05)
                raise RuntimeError((self._folder / "log").read_text())
        raise RuntimeError("PostgreSQL does not start")

    def execute(self, database: str, *statements: str) -> None:
        """
        Execute statements as the owner of the cluster.
        """
        url = self.url(database)
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def url(self, database: str, user: str = "webqq") -> str:
        """
        Return the URL of a database.
        """
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def newDatabase(self) -> str:
        """
        Make a schema without tables: a database takes more time, and 8 MB.

        @return: its URL.
        """
        self._count += 1
        name = f"test{self._count}"
        self.execute("postgres", f"CREATE SCHEMA {name}")
        return f"{self.url('postgres')}?options=-csearch_path%3D{name}"

    def stop(self) -> None:
        """
        End the server, and delete its folder.
        """
        process, self._process = self._process, None
        if process is not None:
            # It closes all connections.
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)
                process.wait(30)
        shutil.rmtree(self._folder)
