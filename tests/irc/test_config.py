"""
The configuration file of the gateway.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from txwebqq.errors import InvalidConfiguration
from txwebqq.irc.config import LISTEN, load
from txwebqq.irc.nicks import Style
from txwebqq.model import Status
from txwebqq.session import Era

PAGE = Path(__file__).parents[2] / "docs" / "irc-gateway.md"

SMALL = """
[[gateway.user]]
name = "alice"
password-file = "alice.irc"

[[gateway.user.account]]
number = 10001
password-file = "alice.qq"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """
    A folder with the passwords of somebody.
    """
    for name, secret in (("alice.irc", "oolong"), ("alice.qq", "green")):
        (tmp_path / name).write_text(f"{secret}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o600)
    return tmp_path


def read(folder: Path, text: str) -> object:
    path = folder / "irc.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def test_small(folder: Path) -> None:
    """
    A user with an account is enough, and no password shows.
    """
    path = folder / "irc.toml"
    path.write_text(SMALL, encoding="utf-8")
    settings = load(path)
    [user] = settings.users
    [account] = user.accounts
    assert settings.listen == LISTEN
    assert settings.database is None
    assert (user.name, user.password, user.style) == ("alice", "oolong", Style.UTF8)
    assert account.account.number == 10001
    assert account.era is Era.E1
    assert "oolong" not in repr(settings)
    assert "green" not in repr(settings)


def test_everything(folder: Path) -> None:
    """
    All keys of the page are read, and there are no others.
    """
    text = PAGE.read_text(encoding="utf-8")
    example = re.findall(r"```toml\n(.*?)```", text, re.S)[-1]
    (folder / "ours.pem").write_text("", encoding="utf-8")
    example = re.sub("(?m)^ca-file = .*\n", "", example)
    path = folder / "irc.toml"
    path.write_text(example, encoding="utf-8")
    settings = load(path)
    assert settings.database == folder / "gateway.sqlite"
    assert settings.users[0].style is Style.PINYIN
    assert settings.users[0].accounts[0].account.status is Status.BUSY
    code = (Path(__file__).parents[2] / "txwebqq/irc/config.py").read_text("utf-8")
    keys = set(re.findall(r'\.(?:text|number|path|secret|texts)\("([a-z-]+)"', code))
    table = text.split("## All keys")[1]
    rows = set(re.findall(r"(?m)^\| `([a-z-]+)` \|", table))
    assert keys == rows


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x = ", "not TOML"),
        ("[gate]", "'gate' is not known here"),
        ("", "gateway: user is missing"),
        ("[gateway]\ncolour = 1" + SMALL, "gateway: 'colour' is not known here"),
        (SMALL.replace('"alice"', '"a b"'), "user 1: name cannot be a nick"),
        (SMALL.replace("alice.irc", "none"), "user 1: password-file cannot be used"),
        (SMALL.replace("10001", '"x"'), "account 1: number is not a number from 1"),
        (SMALL + 'status = "gone"', "account 1: status is none"),
        (SMALL + 'era = "E9"', "account 1: era is none"),
        (SMALL + 'server = "ftp://x"', "account 1: server or ca-file cannot be used"),
        (SMALL + SMALL, "user has two of one name"),
        (SMALL + SMALL.replace('"alice"', '"bob"'), "user has an account twice"),
        ('[gateway]\nlisten = "x"' + SMALL, "listen is not a list of texts"),
        ("[gateway]\nhistory-days = 0" + SMALL, "history-days is not a number from"),
        ('[gateway]\nname = "a b"' + SMALL, "name is no name"),
        ('[gateway]\nname = "a\\nb"' + SMALL, "name is no name"),
        ("[[gateway.user]]\nname = 5", "user 1: name is not a text"),
        ('[gateway]\nuser = "x"', "gateway: user is written"),
    ],
)
def test_wrong(folder: Path, text: str, problem: str) -> None:
    """
    Each mistake is named by its table and its key.
    """
    with pytest.raises(InvalidConfiguration, match=re.escape(problem)):
        read(folder, text)


def test_readable(folder: Path) -> None:
    """
    A password that others can read is refused.
    """
    (folder / "alice.qq").chmod(0o644)
    with pytest.raises(InvalidConfiguration, match="others can read"):
        read(folder, SMALL)
