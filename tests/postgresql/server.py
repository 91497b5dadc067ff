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
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

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


class PostgreSQLServer:
    """
    A server that listens on 127.0.0.1, with the users C{webqq} and C{guarded}, who
    has a password.

    @ivar port: its port.
    """

    PASSWORD = "correct horse"

    def __init__(self) -> None:
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
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *self._command("postgres"),
                    *("-D", str(data), "-p", str(self.port)),
                    *("-c", "listen_addresses=127.0.0.1"),
                    *("-c", "unix_socket_directories="),
                    *("-c", "fsync=off"),
                    *("-c", "full_page_writes=off"),
                    *("-c", "synchronous_commit=off"),
                    *("-c", "shared_buffers=16MB"),
                    *("-c", "max_connections=30"),
                    *("-c", "autovacuum=off"),
                ],
                stdout=log,
                stderr=log,
                user=self._user,
                cwd="/",
            )
        self._wait()
        self.execute("postgres", f"CREATE USER guarded PASSWORD '{self.PASSWORD}'")

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
            with suppress(psycopg.OperationalError):
                self.execute("postgres")
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


def startedServer() -> PostgreSQLServer:
    """
    Return a server that was started; skip the test where that is not possible, and
    fail it in continuous integration.
    """
    if programs() is None:
        reason = "PostgreSQL is not installed"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    server = PostgreSQLServer()
    try:
        server.start()
    except BaseException:
        server.stop()
        raise
    return server
