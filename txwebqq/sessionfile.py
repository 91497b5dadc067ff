"""
The session of an account in a file, for the next process of the same daemon.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import scrypt
from hmac import compare_digest
from pathlib import Path
from stat import S_ISREG
from typing import Annotated, Protocol

import msgspec
from twisted.logger import Logger

from txwebqq.model import Account, Status
from txwebqq.net.cookies import StoredCookie
from txwebqq.values import SECRET, Value
from txwebqq.wire.form import Ticket

MAX_AGE = 3720.0
"""The seconds after its last use for which a session is resumed: the server of this
package forgets a session 3,600 seconds after it has lapsed, which takes 120."""

VERSION = 1
SALT_SIZE = 16
MAX_SIZE = 1024 * 1024


class Acknowledged(Value, gc=False):
    """
    The replies that were delivered, as L{txwebqq.session.acknowledgement} counts.

    @ivar number: the number of the last of them.
    @ivar interrupted: the number of a reply that was delivered in part, 0 for none.
    @ivar lasting: the number of its lasting events.
    @ivar delivered: the number of those up to the last one that was delivered.
    @ivar missing: the positions, from 0, of those among them that were not.
    """

    number: int = 0
    interrupted: int = 0
    lasting: int = 0
    delivered: int = 0
    missing: tuple[int, ...] = ()


class KeptSession(Value):
    """
    All that another process needs to resume a session.

    @ivar status: the presence status.
    @ivar shown: the ids of messages that were delivered, and which no poll has
        confirmed.
    """

    ticket: Ticket
    status: Status
    cookies: Annotated[tuple[StoredCookie, ...], SECRET]
    acknowledged: Acknowledged = Acknowledged()
    shown: tuple[str, ...] = ()


class SessionKeeper(Protocol):
    """
    Keeps the session of an account for a later process. Failures are logged: the
    account signs on in full then.
    """

    def load(self) -> KeptSession | None:
        """
        Return the session that an earlier process has left, L{None} if there is none
        that can be used.
        """

    def save(self, session: KeptSession) -> None:
        """
        Keep a session, in the place of the one before.
        """

    def touch(self) -> None:
        """
        Note that the session which was kept last is in use.
        """

    def forget(self) -> None:
        """
        Forget that session.
        """


class _Content(msgspec.Struct):
    """
    The content of the file, in JSON.

    @ivar owner: the scrypt of the account, its password and its server.
    """

    version: int
    salt: bytes
    owner: bytes
    session: KeptSession


class SessionFile:
    """
    Keeps a session in a file that only its owner can read
    (L{SessionKeeper}). The file is written
    when the ticket changes, not for each message.

    @param server: the URL of the server, and the login variant that it wants.
    @param now: returns the time in Unix seconds.
    """

    _log = Logger()

    def __init__(
        self, path: Path, account: Account, server: str, now: Callable[[], float]
    ) -> None:
        self._path = path
        self._account = account
        self._owner = f"{account.number}\n{server}\n{account.status.value}"
        self._now = now
        self._salt = b""
        self._digest = b""
        # The content that this process has read or written.
        self._known: bytes | None = None
        self._hasFailed = False

    def load(self) -> KeptSession | None:
        try:
            data = self._read()
        except FileNotFoundError:
            return None
        except OSError as e:
            self._refuse(e.strerror or str(e))
            return None
        if data is None:
            return None
        try:
            content = msgspec.json.decode(data, type=_Content)
        except (msgspec.DecodeError, ValueError, RecursionError):
            # The error would show the content.
            self._refuse("it is not one of a session")
            return None
        if content.version != VERSION:
            self._refuse(f"its version is {content.version}")
            return None
        self._salt = content.salt
        self._digest = self._derive()
        if not compare_digest(self._digest, content.owner):
            self._refuse("it is for another account, password, server or status")
            return None
        self._known = data
        return content.session

    def _read(self) -> bytes | None:
        descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not S_ISREG(found.st_mode):
                self._refuse("it is no file")
                return None
            if found.st_mode & 0o077 or found.st_uid != os.geteuid():
                self._refuse("others can read or write it")
                return None
            if self._now() - found.st_mtime > MAX_AGE:
                self._refuse("it was not in use for more than an hour")
                return None
            return file.read(MAX_SIZE)

    def _refuse(self, reason: str) -> None:
        self._log.info(
            "The session in {path} is not resumed (account {number}): {reason}.",
            path=str(self._path),
            number=self._account.number,
            reason=reason,
        )

    def _derive(self) -> bytes:
        secret = f"{self._owner}\n{self._account.password}".encode()
        return scrypt(secret, salt=self._salt, n=2**13, r=8, p=1, dklen=32)

    def save(self, session: KeptSession) -> None:
        if not self._digest:
            self._salt = os.urandom(SALT_SIZE)
            self._digest = self._derive()
        content = _Content(VERSION, self._salt, self._digest, session)
        data = msgspec.json.encode(content)
        with self._reporting():
            self._write(data)
            self._known = data

    def _write(self, data: bytes) -> None:
        path = self._path
        new = path.with_name(f"{path.name}.new")
        with suppress(FileNotFoundError):
            new.unlink()
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        now = self._now()
        os.utime(new, (now, now))
        new.replace(path)

    def touch(self) -> None:
        if self._known is not None:
            now = self._now()
            with self._reporting():
                os.utime(self._path, (now, now))

    def forget(self) -> None:
        known, self._known = self._known, None
        if known is None:
            return
        with self._reporting(), suppress(FileNotFoundError):
            # A newer process may have written its own.
            if self._path.read_bytes() == known:
                self._path.unlink()

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        try:
            yield
        except OSError as e:
            if not self._hasFailed:
                self._hasFailed = True
                self._log.warn(
                    "The session is not kept in {path} (account {number}): {reason};"
                    " the next start signs on in full.",
                    path=str(self._path),
                    number=self._account.number,
                    reason=e.strerror or str(e),
                )
        else:
            self._hasFailed = False
