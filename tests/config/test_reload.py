"""
Configuration files that are read again.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any
from weakref import WeakSet

import pytest
from twisted.application.service import MultiService
from twisted.logger import LogLevel, capturedLogs, formatEvent

from txwebqq.commands import onebottap, tap
from txwebqq.config.labels import labelled
from txwebqq.config.passwordfile import PASSWORD_VARIABLE
from txwebqq.config.reload import ConfigReloader, differences
from txwebqq.irc import tap as irctap
from txwebqq.net import certificates
from txwebqq.operation.reload import daemonReloader
from txwebqq.server import tap as servertap

EXAMPLE = Path(__file__).parents[2] / "examples/webqq-irc.toml"


class FakeOperation:
    """
    An endpoint for operators.
    """

    token = ""

    def setToken(self, token: str) -> None:
        self.token = token


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    A folder with a secret, in a process without certificates: those of other tests may
    not be collected yet, and their files are gone.
    """
    monkeypatch.setattr(certificates, "_reloaders", WeakSet())
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)
    (tmp_path / "secret").touch(mode=0o600)
    (tmp_path / "secret").write_text("green tea\n", encoding="utf-8")
    return tmp_path


def write(folder: Path, text: str) -> str:
    path = folder / "q.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def said(reload: Any) -> list[str]:
    """
    Reload, and return the lines of the log without the name of the file.
    """
    assert reload is not None
    with capturedLogs() as events:
        reload()
    return [re.sub(r" \(/\S+\)|/\S*/", "", formatEvent(event)) for event in events]


def test_differences() -> None:
    """
    Keys and whole tables that differ are found, in both directions.
    """
    old = {"a": 1, "b": {"c": 1, "d": {"e": 1}}, "f": {"g": 1}}
    new = {"a": 1, "b": {"c": 2, "d": {"e": 1, "h": 2}}, "i": {"j": 1}}
    assert list(differences(old, new)) == [
        ("b", "c"),
        ("b", "d", "h"),
        ("f",),
        ("i",),
    ]


def test_labelled() -> None:
    """
    Tables of an array are named by number or name where all have different ones, by
    position otherwise.
    """
    assert labelled(
        {
            "x": {"user": [{"name": "a", "account": [{"number": 1}]}, {"name": "b"}]},
            "room": [{"name": "c"}, {}],
            "two": [{"number": 1}, {"number": 1}],
            "list": ["x"],
        }
    ) == {
        "x": {
            "user a": {"name": "a", "account 1": {"number": 1}},
            "user b": {"name": "b"},
        },
        "room 1": {"name": "c"},
        "room 2": {},
        "two 1": {"number": 1},
        "two 2": {"number": 1},
        "list": ["x"],
    }


def test_reload(folder: Path) -> None:
    """
    Keys that were reloaded or need a restart are logged, the latter again each time;
    the command line still wins, and a file that is wrong changes nothing.
    """
    path = write(folder, '[server]\nhistory = 1\ndatabase = "q.db"\n')
    options = servertap.Options()
    options.parseOptions(["--config", path, "--poll-timeout", "7"])
    applied: list[Any] = []

    def apply(new: servertap.Options) -> dict[str, bool]:
        applied.append((new["keep"], new["timeout"], new["mode"].value))
        return {"server.history": False, "server.poll-timeout": False}

    reload = ConfigReloader(options, apply, MultiService())
    assert said(reload) == ["Read q.toml again: nothing has changed."]
    write(folder, '[server]\nhistory = 2\ncaptcha = "never"\npoll-timeout = 9\n')
    database = "Needs a restart: server.database; the former value stays in force."
    captcha = "Needs a restart: server.captcha; the former value stays in force."
    assert sorted(said(reload)) == [captcha, database, "Reloaded server.history."]
    assert sorted(said(reload)) == [captcha, database]
    assert applied[-1] == (2, 7.0, "never")
    count = len(applied)
    write(folder, '[server]\nhistory = 3\ncaptcha = "neve"\nhistry = 1\n')
    [line] = said(reload)
    assert line.startswith("Not reloaded, nothing is changed: q.toml:3: server: capt")
    assert "(and 1 more" in line
    (folder / "q.toml").unlink()
    [line] = said(reload)
    assert line == "Not reloaded, nothing is changed: q.toml: No such file or directory"
    assert len(applied) == count
    write(folder, "server.history = 4")
    assert "Reloaded server.history." in said(reload)


def test_otherFolder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The file is found after the process has gone to another folder, and is not read
    without one.
    """
    monkeypatch.chdir(folder)
    write(folder, "[server]\nhistory = 1")
    options = servertap.Options()
    options.parseOptions(["--config", "q.toml"])
    monkeypatch.chdir("/")
    assert options.again()["keep"] == 1
    assert daemonReloader(servertap.Options(), MultiService(), None) is None


def test_process(folder: Path) -> None:
    """
    Each daemon takes a new log level, after the lines about it, and the token of its
    endpoint for operators while that endpoint stays the same.
    """
    text = """[server]
log-level = "info"
operate = "tcp:9100:interface=127.0.0.1"
operate-token-file = "secret"
"""
    options = servertap.Options()
    options.parseOptions(["--config", write(folder, text)])
    operation, namespace = FakeOperation(), "txwebqq"
    predicate = options.logs.levels.predicate
    reload = daemonReloader(options, MultiService(), operation)
    (folder / "secret").write_text("black tea", encoding="utf-8")
    write(folder, text.replace("info", "warn"))
    assert said(reload) == [
        "Reloaded server.operate-token-file.",
        "Reloaded server.log-level.",
    ]
    assert operation.token == "black tea"
    assert predicate.logLevelForNamespace(namespace) is LogLevel.warn
    (folder / "secret").write_text("white tea", encoding="utf-8")
    write(folder, text.replace("9100", "9101").replace("info", "warn"))
    [line] = said(reload)
    assert line.startswith("Needs a restart: server.operate;")
    assert operation.token == "black tea"


def test_accounts(folder: Path) -> None:
    """
    Accounts that are added, removed or changed need a restart; the application is not
    made again.
    """
    account = '[[account]]\nnumber = 1000{}\npassword-file = "secret"\n'
    text = account.format(1) + account.format(2)
    options = tap.Options()
    options.parseOptions(["--config", write(folder, text)])
    reload = daemonReloader(options, MultiService(), None)
    assert said(reload) == ["Read q.toml again: nothing has changed."]
    write(
        folder,
        '[webqq]\nlog-level = "warn"\nserver = "http://x"\napp = "no.Such"\n'
        f'{account.format(1)}status = "busy"\nserver = "http://127.0.0.1:8890"'
        f"\n{account.format(3)}",
    )
    assert {line.partition(";")[0] for line in said(reload)} == {
        "Reloaded webqq.log-level.",
        "Needs a restart: account 10001.app",
        "Needs a restart: account 10001.server",
        "Needs a restart: account 10001.status",
        "Needs a restart: account 10002",
        "Needs a restart: account 10003",
    }


def test_ircFile(folder: Path) -> None:
    """
    The file of the gateway and the relay is compared by its own names.
    """
    text = EXAMPLE.read_text(encoding="utf-8")
    for name in ("alice.irc", "alice.password", "bot.password"):
        shutil.copy(folder / "secret", folder / name)
    options = irctap.Options()
    options.parseOptions(["--config", write(folder, text)])
    rooms: list[Any] = []

    def apply(new: irctap.Options) -> dict[str, bool]:
        rooms.append(new["configuration"].relay.rooms[0])
        return {
            "relay.room 1.ignore-nicks": False,
            "gateway.user alice.password-file": True,
        }

    reload = daemonReloader(options, MultiService(), None, apply)
    text = text.replace('"otherbot"', '"otherbot", "Eve"')
    write(folder, text.replace("irc.example.org", "irc.example.net"))
    assert {line.partition(";")[0] for line in said(reload)} == {
        "Reloaded gateway.user alice.password-file.",
        "Reloaded relay.room 1.ignore-nicks.",
        "Needs a restart: relay.network home.endpoint",
    }
    assert rooms[0].ignoredNicks == {"otherbot", "eve"}


def test_oneBotFile(folder: Path) -> None:
    """
    The file of accounts for bots is compared by the numbers of the accounts.
    """
    text = """[[account]]
number = 10002
password-file = "secret"
[[account.forward]]
listen = "tcp:3001:interface=127.0.0.1"
token-file = "secret"
"""
    options = onebottap.Options()
    options.parseOptions(["--config", write(folder, text)])
    reload = daemonReloader(options, MultiService(), None)
    write(folder, text.replace("3001", "3002"))
    [line] = said(reload)
    assert line.startswith("Needs a restart: account 10002.forward 1.listen;")


def test_bug(folder: Path, flushLoggedErrors: Any) -> None:
    """
    An error of our own is logged, and the daemon goes on.
    """
    options = servertap.Options()
    options.parseOptions(["--config", write(folder, "[server]")])

    def apply(new: servertap.Options) -> dict[str, bool]:
        raise RuntimeError("our own")

    ConfigReloader(options, apply, MultiService())()
    assert len(flushLoggedErrors(RuntimeError)) == 1
