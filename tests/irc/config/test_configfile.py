"""
The configuration file of webqq-irc.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from twisted.python.usage import UsageError

from tests.rig import configurationIn
from txwebqq.accounts import OneBotAccess, WebQQAccess
from txwebqq.commands.configcheck import checkConfig
from txwebqq.config.passwordhash import hashPassword
from txwebqq.irc.config.gateway import LISTEN
from txwebqq.irc.config.policies import LongTextPolicy, OverflowPolicy
from txwebqq.irc.protocol.nicknames import NickStyle
from txwebqq.irc.tap import Options
from txwebqq.model import Status

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "txwebqq"
PAGE = ROOT / "docs" / "irc-gateway.md"
RELAY_PAGE = ROOT / "docs" / "irc-relay.md"

SMALL = """
[[gateway.user]]
name = "alice"
password-file = "alice.irc"

[[gateway.user.account]]
number = 10001
password-file = "alice.qq"
"""


ONEBOT = """
kind = "onebot"
url = "ws://127.0.0.1:3001"
token-file = "alice.qq"
"""

RELAY = """
[[relay.account]]
number = 10001
password-file = "alice.qq"

[[relay.network]]
name = "home"
endpoint = "tcp:127.0.0.1:6667"

[[relay.room]]
groups = ["10001/200001"]
channels = ["home/#cats"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """
    A folder with the password files of the examples.
    """
    for name, secret in (("alice.irc", "oolong"), ("alice.qq", "green")):
        (tmp_path / name).write_text(f"{secret}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o600)
    return tmp_path


def read(folder: Path, text: str) -> object:
    path = folder / "irc.toml"
    path.write_text(text, encoding="utf-8")
    return configurationIn(Options(), path)


def test_passwordHash(folder: Path) -> None:
    """
    A user has the hash of a password in place of the password, and not both.
    """
    made = hashPassword("oolong")
    text = SMALL.replace('password-file = "alice.irc"', f'password-hash = "{made}"')
    file = folder / "irc.toml"
    file.write_text(text)
    configuration = configurationIn(Options(), file)
    assert configuration.gateway is not None
    assert configuration.gateway.users[0].password == made
    file.write_text(
        SMALL.replace('"alice.irc"', f'"alice.irc"\npassword-hash = "{made}"')
    )
    with pytest.raises(UsageError, match="exclude each other"):
        configurationIn(Options(), file)
    file.write_text(text.replace("$scrypt", "$s"))
    with pytest.raises(UsageError, match="user 1: password-hash is not a"):
        configurationIn(Options(), file)


def test_minimal(folder: Path) -> None:
    """
    A user with an account is enough; passwords are not in the repr.
    """
    path = folder / "irc.toml"
    path.write_text(SMALL, encoding="utf-8")
    settings = configurationIn(Options(), path).gateway
    assert settings is not None
    [user] = settings.users
    [account] = user.accounts
    assert settings.listen == LISTEN
    assert settings.database is None
    assert (user.name, user.password, user.style) == ("alice", "oolong", NickStyle.UTF8)
    assert account.account.number == 10001
    assert account.access == WebQQAccess()
    assert "oolong" not in repr(settings)
    assert "green" not in repr(settings)


def test_oneBot(folder: Path) -> None:
    """
    An account may be one of today's QQ.
    """
    text = SMALL.replace('password-file = "alice.qq"', ONEBOT)
    (folder / "irc.toml").write_text(text, encoding="utf-8")
    settings = configurationIn(Options(), folder / "irc.toml").gateway
    assert settings is not None
    [account] = settings.users[0].accounts
    assert account.access == OneBotAccess("ws://127.0.0.1:3001", token="green")
    assert "green" not in repr(settings)


def example(folder: Path, page: Path) -> Path:
    """
    Write the last example of a page to a file, with its password files.
    """
    text = page.read_text(encoding="utf-8")
    found = re.findall(r"```toml\n(.*?)```", text, re.S)[-1]
    path = folder / "irc.toml"
    path.write_text(re.sub("(?m)^ca-file = .*\n", "", found), encoding="utf-8")
    for name in set(re.findall('-?file = "(.*)"', found)):
        (folder / name).write_text("oolong\n", encoding="utf-8")
        (folder / name).chmod(0o600)
    return path


def keys(*modules: str) -> set[str]:
    """
    Return the keys that the code reads.
    """
    folder = PACKAGE / "irc" / "config"
    files = [PACKAGE / "accounts.py", *(folder / f"{name}.py" for name in modules)]
    code = "".join(file.read_text("utf-8") for file in files)
    names = (
        "string|number|path|writtenFile|command|passwordFile|stringList|boolean|choice"
    )
    read = rf'\.(?:{names})\(\s*"([a-z-]+)"'
    endpoints = r"(?:readEndpoints?|_parsed)\(\s*table, \"([a-z-]+)\""
    return {*re.findall(read, code), *re.findall(endpoints, code)}


def rows(page: Path) -> set[str]:
    """
    Return the keys that a page lists.
    """
    table = page.read_text(encoding="utf-8").split("## All keys")[1]
    return set(re.findall(r"(?m)^\| `([a-z-]+)` \|", table))


def test_gateway(folder: Path) -> None:
    """
    The example of the gateway's page is read, and the page lists all keys.
    """
    settings = configurationIn(Options(), example(folder, PAGE)).gateway
    assert settings is not None
    assert settings.database == folder / "gateway.sqlite"
    assert settings.users[0].style is NickStyle.PINYIN
    assert settings.users[0].accounts[0].account.status is Status.BUSY
    assert keys("gateway", "accounts") == rows(PAGE)


def test_relay(folder: Path) -> None:
    """
    The example of the relay's page is read, and the page lists all keys.
    """
    settings = configurationIn(Options(), example(folder, RELAY_PAGE)).relay
    assert settings is not None
    assert settings.database == folder / "relay.sqlite"
    home, old = settings.networks
    assert (home.saslUser, home.saslPassword) == ("qqrelay", "oolong")
    [account] = settings.accounts
    assert (account.burst, account.seconds) == (10, 0.25)
    assert (old.encoding, old.relaymsg, old.password) == ("gb18030", False, "oolong")
    [room] = settings.rooms
    assert [str(group) for group in room.groups] == ["10001/200001", "10001/30001"]
    assert [str(channel) for channel in room.channels] == ["home/#cats", "old/#猫"]
    assert room.ignores("OtherBot", "hello")
    assert room.ignores("bob", "the LOTTERY")
    assert not room.ignores("bob", "hello")
    assert (room.longText, room.overflow) == (
        LongTextPolicy.LINK,
        OverflowPolicy.DROP_OLDEST,
    )
    assert "oolong" not in repr(settings)
    assert keys("relay", "accounts") == rows(RELAY_PAGE)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x = ", "not TOML"),
        ("[gate]", "'gate' is not known here; did you mean gateway?"),
        ("", "there is neither [gateway] nor [relay]"),
        ("[gateway]", "gateway: user is missing"),
        ("[gateway]\ncolour = 1" + SMALL, "gateway: 'colour' is not known here"),
        (SMALL.replace('"alice"', '"a b"'), "user 1: name is not a valid nick"),
        (SMALL.replace("alice.irc", "none"), "user 1: password-file cannot be used"),
        (SMALL.replace("10001", '"x"'), "account 1: number is not a number from 1"),
        (SMALL + 'status = "gone"', "account 1: status is none"),
        (SMALL + 'era = "E9"', "account 1: era is none"),
        (SMALL + 'server = "ftp://x"', "account 1: server or ca-file cannot be used"),
        (SMALL + 'kind = "icq"', "account 1: kind is none of webqq, onebot"),
        (SMALL + 'kind = "onebot"', "account 1: url or listen is needed"),
        (
            SMALL + 'kind = "onebot"\nurl = "http://x"',
            "account 1: url or token-file or ca-file cannot be used: the",
        ),
        (
            SMALL + 'kind = "onebot"\nlisten = "tcp:1"',
            "account 1: listen or token-file or ca-file cannot be used: others",
        ),
        (
            SMALL + 'kind = "onebot"\nlisten = "tcp:1:interface=127.0.0.1"',
            "account 1: 'password-file' is not known here",
        ),
        (SMALL + SMALL, "user 2: name alice is there twice"),
        (SMALL + SMALL.replace('"alice"', '"bob"'), "number 10001 is there twice"),
        ('[gateway]\nlisten = "x"' + SMALL, "listen is not a list of texts"),
        ("[gateway]\nhistory-days = 0" + SMALL, "history-days is not a number from"),
        ('[gateway]\nname = "a b"' + SMALL, "name is not a valid"),
        ('[gateway]\nname = "a\\nb"' + SMALL, "name is not a valid"),
        ("[[gateway.user]]\nname = 5", "user 1: name is not a text"),
        ('[gateway]\nuser = "x"', "gateway: user is written"),
        (SMALL + RELAY, "number 10001 is an account of the gateway, too"),
        ("[relay]", "relay: room is missing"),
        (RELAY + 'long = "novel"', "room 1: long is none of burst, link"),
        (RELAY + 'long = "link"', 'room 1: long is "link", which needs'),
        (RELAY + 'joins = "yes"', "room 1: joins is neither true nor false"),
        (
            RELAY + 'ignore-text = ["("]',
            "room 1: ignore-text has '(', which is no regular",
        ),
        (
            RELAY.replace("10001/", "10009/"),
            "room 1: groups has 10009, which is no relay.account",
        ),
        (
            RELAY.replace("home/", "away/"),
            "room 1: channels has 'away', which is no relay.network",
        ),
        (RELAY.replace("home/#cats", "#cats"), "has '#cats', which is not NETWORK"),
        (RELAY.replace("10001/200001", "cats"), "has 'cats', which is not ACCOUNT"),
        (
            RELAY.replace('"home/#cats"', ""),
            "and groups must name at least two endpoints",
        ),
        (RELAY.replace('"home/#cats"', '"home/#a", "home/#A"'), "in a room already"),
        (RELAY + RELAY, "name home is there twice"),
        (RELAY + '[[relay.network]]\nname = "x"', "network 2: endpoint is missing"),
        (RELAY.replace('"home"', '"a/b"'), "name is not a valid network"),
    ],
)
def test_wrong(folder: Path, text: str, problem: str) -> None:
    """
    An error names the table and the key.
    """
    with pytest.raises(UsageError) as caught:
        read(folder, text)
    problems = checkConfig(folder / "irc.toml", "webqq-irc")
    assert problem in "\n".join(problems)
    # Others are counted.
    assert str(caught.value).startswith(problems[0])


@pytest.mark.parametrize(
    ("key", "secret", "problem"),
    [
        ("nickserv-password-file", "two words", "a password with a space"),
        ("sasl-password-file", "oolong", "needs sasl-user"),
        ("server-password-file", "a\nb", "contains a line end or a NUL"),
    ],
)
def test_unfitSecret(folder: Path, key: str, secret: str, problem: str) -> None:
    """
    A password that IRC cannot carry is refused, and is not in the error.
    """
    file = folder / "other.secret"
    file.write_text(secret, encoding="utf-8")
    file.chmod(0o600)
    text = RELAY.replace('name = "home"', f'name = "home"\n{key} = "other.secret"')
    with pytest.raises(UsageError, match=problem) as caught:
        read(folder, text)
    assert secret not in str(caught.value)


def test_unfitKey(folder: Path) -> None:
    """
    A channel key with a space is refused.
    """
    file = folder / "cats.key"
    file.write_text("open sesame", encoding="utf-8")
    file.chmod(0o600)
    with pytest.raises(UsageError, match="key-file contains a key with a space"):
        read(folder, RELAY + 'key-file = "cats.key"')


def test_noOptOut(folder: Path) -> None:
    """
    An empty opt-out disables it.
    """
    (folder / "irc.toml").write_text(RELAY + 'opt-out = ""', encoding="utf-8")
    relay = configurationIn(Options(), folder / "irc.toml").relay
    assert relay is not None
    assert relay.rooms[0].optOut == ""


def test_readable(folder: Path) -> None:
    """
    A password file that other users can read is refused.
    """
    (folder / "alice.qq").chmod(0o644)
    folder.chmod(0o755)
    with pytest.raises(UsageError, match="others can read"):
        read(folder, SMALL)
