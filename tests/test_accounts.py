"""
The services of accounts, and where their sessions are kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from txwebqq.accounts import (
    Access,
    OneBotAccess,
    WebQQAccess,
    keepingBeside,
    readAccess,
)
from txwebqq.config.toml import ConfigTable
from txwebqq.errors import InvalidConfiguration
from txwebqq.model import Account, Number
from txwebqq.protocol import WebQQFactory

NUMBER = Number(10001)


@pytest.mark.parametrize(
    ("access", "expected"),
    [
        (WebQQAccess(), Path("qq.db.sessions/10001")),
        (WebQQAccess(sessionFile=Path("/other")), Path("/other")),
        (WebQQAccess(isSessionKept=False), None),
        (OneBotAccess("ws://localhost:3001"), None),
    ],
)
def test_keepingBeside(tmp_path: Path, access: Access, expected: Path | None) -> None:
    """
    Sessions are kept in a folder beside the database, unless the account says
    otherwise; without a database, none is.
    """
    made: list[Any] = []

    def make(account: Account, access: Access, factory: Any, reactor: Any) -> Any:
        made.append(access)

    factory = WebQQFactory()
    for database in (tmp_path / "qq.db", None):
        keepingBeside(make, database)(Account(NUMBER, ""), access, factory, None)
    file = None if expected is None else tmp_path / expected
    assert getattr(made[0], "sessionFile", None) == file
    assert file is None or file.parent.is_dir()
    assert made[1] == access


def table(folder: Path, **more: Any) -> ConfigTable:
    file = folder / "secret"
    file.touch(mode=0o600)
    file.write_text("green", encoding="utf-8")
    return ConfigTable(
        "account", {"number": 10001, "password-file": "secret", **more}, folder
    )


def test_keys(tmp_path: Path) -> None:
    """
    The file of a session is beside the configuration file, and an account that keeps
    no session has none.
    """
    account, access = readAccess(table(tmp_path, **{"session-file": "kept"}))
    assert account.number == NUMBER
    assert access == WebQQAccess(sessionFile=tmp_path / "kept")
    _, access = readAccess(table(tmp_path, **{"keep-session": False}))
    assert access == WebQQAccess(isSessionKept=False)
    both = {"session-file": "kept", "keep-session": False}
    with pytest.raises(InvalidConfiguration, match="account: session-file is there"):
        readAccess(table(tmp_path, **both))
