"""
The configuration file of C{twistd webqq-onebot}.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from twisted.python.usage import UsageError

from tests.rig import configurationIn
from txwebqq.accounts import WebQQAccess
from txwebqq.commands.onebottap import BotAccountSettings, Options
from txwebqq.model import Status
from txwebqq.onebot.surface.calls.dispatcher import HANDLERS

ROOT = Path(__file__).parents[3]

ACCOUNT = """
[[account]]
number = 10002
password-file = "password"
"""

FORWARD = """
[[account.forward]]
listen = "tcp:3001:interface=127.0.0.1"
"""


def _withFile(key: str) -> str:
    """
    Two accounts with one file.
    """
    first = f'{ACCOUNT}{key} = "x"{FORWARD}'
    return first + first.replace("10002", "10003").replace('"x"', '"./x"')


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """
    A folder with secrets.
    """
    for name in ("password", "token"):
        (tmp_path / name).touch(mode=0o600)
        (tmp_path / name).write_text(f"the {name}\n", encoding="utf-8")
    return tmp_path


def read(folder: Path, text: str) -> tuple[BotAccountSettings, ...]:
    """
    Read a file.
    """
    file = folder / "onebot.toml"
    file.write_text(text, encoding="utf-8")
    accounts: tuple[BotAccountSettings, ...] = configurationIn(Options(), file)
    return accounts


def test_everything(folder: Path) -> None:
    """
    All keys; no secret is in the repr.
    """
    text = f"""{ACCOUNT}
server = "https://qq.example"
files-folder = "."
remembered-messages = 50
status = "silent"
seen-file = "seen"
[[account.forward]]
listen = "tcp:3001"
token-file = "token"
format = "string"
heartbeat = 0
report-self-message = true
[[account.reverse]]
url = "wss://bot.example/onebot/v11/ws"
token-file = "token"
[[account.http]]
listen = "unix:/run/x"
[[account.post]]
url = "http://127.0.0.1:8080/?key=hidden"
secret-file = "token"
"""
    (settings,) = read(folder, text)
    assert settings.access == WebQQAccess(
        "https://qq.example", seenFile=folder / "seen"
    )
    assert settings.account.status is Status.SILENT
    assert settings.account.password == "the password"
    surface = settings.surface
    assert surface.folder == folder
    assert surface.remembered == 50
    assert read(folder, ACCOUNT + FORWARD)[0].surface.remembered == 5000
    (forward,), (reverse,), (post,) = surface.forward, surface.reverse, surface.post
    assert forward.token == reverse.token == post.secret == "the token"
    assert (forward.isArray, reverse.isArray) == (False, True)
    assert (forward.heartbeat, reverse.heartbeat) == (0, 30)
    assert post.heartbeat == 0
    assert (forward.hasOwn, reverse.hasOwn, post.hasOwn) == (True, False, False)
    for secret in ("the token", "the password", "hidden"):
        assert secret not in repr(settings)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "there is no [[account]]"),
        ("[x]", "'x' is not known here"),
        (ACCOUNT, "no bot could use the account"),
        (ACCOUNT + 'files-folder = "x"' + FORWARD, "files-folder is no folder: "),
        (
            ACCOUNT + "remembered-messages = 0" + FORWARD,
            "remembered-messages is not a number from 1 to 1000000",
        ),
        (ACCOUNT + "[[account.foward]]\n", "'foward' is not known here"),
        (ACCOUNT + FORWARD + ACCOUNT + FORWARD, "is there twice"),
        (ACCOUNT + 'seen-file = "x/y"' + FORWARD, "cannot be used: there is no folder"),
        (_withFile("session-file"), "x is there twice: each account needs its own"),
        (_withFile("seen-file"), "x is there twice: each account needs its own"),
        (ACCOUNT + "[[account.forward]]", "forward 1: listen is missing"),
        (
            ACCOUNT + '[[account.forward]]\nlisten = "tcp:3001"',
            "token-file is missing, and others can reach the port",
        ),
        (
            ACCOUNT + FORWARD.replace('.1"', '.1:interface=0.0.0.0"'),
            "token-file is missing, and others can reach the port",
        ),
        (ACCOUNT + FORWARD + 'format = "xml"', "format is none of array, string"),
        (
            ACCOUNT + FORWARD + "report-self-message = 1",
            "report-self-message is neither true nor false",
        ),
        (ACCOUNT + FORWARD + "token = 5", "'token' is not known here"),
        (ACCOUNT + FORWARD + 'token-file = "none"', "token-file cannot be used"),
        (ACCOUNT + '[[account.reverse]]\nurl = "http://x"', "url is written ws://"),
        (ACCOUNT + '[[account.reverse]]\nurl = "ws://"', "url is written ws://"),
        (ACCOUNT + '[[account.reverse]]\nurl = "ws://[x"', "url is written ws://"),
        (ACCOUNT + '[[account.reverse]]\nurl = "ws://:pw@x"', "url is written ws://"),
        (ACCOUNT + '[[account.post]]\nurl = "ws://x"', "url is written http://"),
        (ACCOUNT + '[[account.post]]\nurl = "http://x:y"', "url is written http://"),
        (ACCOUNT + 'server = "x"' + FORWARD, "server or ca-file cannot be used"),
    ],
)
def test_errors(folder: Path, text: str, error: str) -> None:
    """
    An error names the file, the table and the key.
    """
    with pytest.raises(UsageError) as raised:
        read(folder, text)
    assert str(raised.value).startswith(str(folder / "onebot.toml"))
    assert error in str(raised.value)


def test_options(folder: Path) -> None:
    """
    The command line names the file.
    """
    read(folder, ACCOUNT + FORWARD)
    options = Options()
    options.parseOptions(["--config", str(folder / "onebot.toml")])
    assert options["configuration"][0].account.number == 10002
    for argv in ([], ["--config", str(folder / "none.toml")]):
        with pytest.raises(UsageError):
            Options().parseOptions(argv)


def test_page(folder: Path) -> None:
    """
    The examples of the page are read, and it lists all keys and all calls.
    """
    page = (ROOT / "docs/onebot-bots.md").read_text(encoding="utf-8")
    examples = re.findall(r"```toml\n(.*?)```", page, re.S)
    assert [len(read(folder, each)) for each in examples if "[account." in each] == [
        1,
        1,
    ]
    code = (ROOT / "txwebqq/onebot/surface/config.py").read_text(encoding="utf-8")
    keys = set(
        re.findall(
            r'\.(?:string|passwordFile|choice|number|path|boolean)\("(.*?)"', code
        )
    )
    keys |= set(re.findall(r'readEndpoint\(table, "(.*?)"', code))
    assert keys == set(re.findall(r"(?m)^\| `([a-z-]+)` \|", page))
    listed = page.split("### Calls")[1].split("## Tokens")[0]
    for name in HANDLERS:
        assert f"`{name}`" in listed or name.startswith("mark_")
