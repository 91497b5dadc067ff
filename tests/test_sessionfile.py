"""
The file of a session.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.rig import CapturedLog
from txwebqq.model import Account, Number, Status
from txwebqq.net.cookies import StoredCookie
from txwebqq.sessionfile import Acknowledged, KeptSession, SessionFile
from txwebqq.wire.form import Ticket

ALICE = Account(Number(10001), "correct horse")
SESSION = KeptSession(
    Ticket("12345678", "ps", "vf", "pt"),
    Status.BUSY,
    (
        StoredCookie(".qq.com", "/", "ptwebqq", "pt", False, None),
        StoredCookie("d.web2.qq.com", "/channel", "é", None, True, 2e9),
    ),
    Acknowledged(7, 8, 2, 1),
    ("17", "18"),
)


def opened(path: Path, account: Account = ALICE, server: str = "ours") -> SessionFile:
    return SessionFile(path, account, server, lambda: 1000.0)


def test_again(tmp_path: Path) -> None:
    """
    A session that is written is read again, and forgotten.
    """
    path = tmp_path / "session"
    writer = opened(path)
    assert writer.load() is None
    writer.save(SESSION)
    reader = opened(path)
    assert reader.load() == SESSION
    assert list(tmp_path.iterdir()) == [path]
    reader.touch()
    assert path.stat().st_mtime == 1000.0
    reader.forget()
    assert not path.exists()
    reader.forget()
    writer.forget()


@pytest.mark.parametrize(
    ("account", "server"),
    [
        (Account(Number(10002), "correct horse"), "ours"),
        (Account(Number(10001), "correct horses"), "ours"),
        (Account(Number(10001), "correct horse", Status.BUSY), "ours"),
        (ALICE, "theirs"),
    ],
)
def test_others(tmp_path: Path, account: Account, server: str) -> None:
    """
    A session of another account, password, status or server is not used.
    """
    path = tmp_path / "session"
    opened(path).save(SESSION)
    with CapturedLog() as logged:
        assert opened(path, account, server).load() is None
    assert "it is for another account, password, server or status" in logged.text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"s3krit",
        b"{}",
        b"[" * 100_000,
        b'{"version":1,"salt":"","owner":"","session":{"ticket":"s3krit"}}',
        b'{"version":2,"salt":"s3krit","owner":"","session":null}',
        b'{"x":' + b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_malformed(tmp_path: Path, content: bytes) -> None:
    """
    A file that is none of a session is one line in the log, without its content.
    """
    path = tmp_path / "session"
    path.touch(mode=0o600)
    path.write_bytes(content)
    os.utime(path, (1000, 1000))
    with CapturedLog() as logged:
        assert opened(path).load() is None
    assert str(path) in logged.text
    assert len(logged.events) == 1
    assert "s3krit" not in logged.text.replace(str(path), "")


def test_exposed(tmp_path: Path) -> None:
    """
    A file that others can read is not used, nor a link or a folder.
    """
    path = tmp_path / "session"
    opened(path).save(SESSION)
    path.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(path)
    with CapturedLog() as logged:
        for each in (path, link, tmp_path):
            assert opened(each).load() is None
    assert "others can read or write it" in logged.text
    assert len(logged.events) == 3
    opened(path).save(SESSION)
    assert path.stat().st_mode & 0o777 == 0o600
    opened(link).save(SESSION)
    assert not link.is_symlink()


def test_cannotWrite(tmp_path: Path) -> None:
    """
    A file that cannot be written is one line in the log.
    """
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "session"
    writer = opened(path)
    with CapturedLog() as logged:
        for _ in range(3):
            writer.save(SESSION)
        writer.touch()
        writer.forget()
    assert len(logged.events) == 1
    assert "The session is not kept in" in logged.text
    assert "correct horse" not in logged.text
