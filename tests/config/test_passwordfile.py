"""
Password files, and credentials of systemd.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from txwebqq.config.passwordfile import (
    CREDENTIALS_VARIABLE,
    readPasswordFile,
    secretPath,
)
from txwebqq.errors import InvalidConfiguration


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    The credentials of a service: a folder with one file, which an access control list
    opens for the user of the service.
    """
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "password").write_text("green tea\n", encoding="utf-8")
    (folder / "password").chmod(0o440)
    folder.chmod(0o750)
    monkeypatch.setenv(CREDENTIALS_VARIABLE, str(folder))
    return folder


def test_credential(credentials: Path, tmp_path: Path) -> None:
    """
    A name without a slash is looked up among the credentials first; their mode is
    not that of a file of one's own.
    """
    assert secretPath("password", tmp_path) == credentials / "password"
    assert readPasswordFile(secretPath("password")) == "green tea"
    assert secretPath("other", tmp_path) == tmp_path / "other"
    assert secretPath("./password", tmp_path) == tmp_path / "password"
    assert secretPath("/etc/password", tmp_path) == Path("/etc/password")


def test_notAmongThem(
    credentials: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """
    The same file elsewhere is refused, and so is a credential that all can read.
    """
    monkeypatch.delenv(CREDENTIALS_VARIABLE)
    assert secretPath("password", tmp_path) == tmp_path / "password"
    with pytest.raises(InvalidConfiguration, match="others can read"):
        readPasswordFile(credentials / "password")
    monkeypatch.setenv(CREDENTIALS_VARIABLE, str(credentials))
    credentials.chmod(0o755)
    (credentials / "password").chmod(0o444)
    with pytest.raises(InvalidConfiguration, match="others can read"):
        readPasswordFile(credentials / "password")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_otherOwner(credentials: Path) -> None:
    """
    The folder belongs to root or to the user of the service.
    """
    os.chown(credentials, 65534, 65534)
    with pytest.raises(InvalidConfiguration, match="others can read"):
        readPasswordFile(credentials / "password")
