"""
C{webqq-admin check-config}, and the files of the daemons that start with C{--config}.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from twisted.python.usage import UsageError

from txwebqq.commands import onebottap, tap
from txwebqq.commands.admin import main
from txwebqq.commands.configcheck import DAEMONS, checkConfig, daemonOf
from txwebqq.commands.tap import OWN_OPTIONS, PROCESS_OPTIONS
from txwebqq.config.fileoptions import NEVER, FileOptions
from txwebqq.config.passwordfile import PASSWORD_VARIABLE
from txwebqq.errors import InvalidConfiguration
from txwebqq.irc import tap as irctap
from txwebqq.server import tap as servertap
from txwebqq.server.sessions.captchas import CaptchaMode

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
PAGE = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")

SECRET = "correct horse"

OPTIONS: dict[str, Any] = {
    "webqq": tap.Options,
    "webqq-server": servertap.Options,
    "webqq-irc": irctap.Options,
    "webqq-onebot": onebottap.Options,
}

BOT = """
from txwebqq.protocol import WebQQFactory

class Bots(WebQQFactory):
    def __init__(self, greeting="hello"):
        if not greeting:
            raise ValueError("no greeting")
        self.greeting = greeting
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    A folder with secrets and an application, apart from the current one.
    """
    for name in ("alice.password", "bot.password", "alice.irc", "bot.token"):
        (tmp_path / name).touch(mode=0o600)
        (tmp_path / name).write_text(f"{SECRET}\n", encoding="utf-8")
    here = tmp_path / "here"
    here.mkdir()
    (here / "conf_bots.py").write_text(BOT, encoding="utf-8")
    shutil.copy(EXAMPLES / "echo.py", here)
    monkeypatch.chdir(here)
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "q.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str, daemon: str | None = None) -> list[str]:
    """
    Return the errors of a file, without its path.
    """
    path = write(folder, text)
    found = checkConfig(path, daemon)
    assert all(each.startswith(f"{path}:") for each in found)
    assert not any(SECRET in each for each in found)
    return [each.removeprefix(f"{path}:") for each in found]


@pytest.mark.parametrize("daemon", DAEMONS)
def test_examples(folder: Path, daemon: str) -> None:
    """
    The example of each daemon has no errors, also when the daemon starts with it.
    """
    path = folder / f"{daemon}.toml"
    shutil.copy(EXAMPLES / path.name, path)
    assert checkConfig(path) == checkConfig(path, daemon) == []
    if daemon != "webqq-server":
        OPTIONS[daemon]().parseOptions(["--config", str(path)])
    assert not (folder / "webqq.db").exists()


@pytest.mark.parametrize(
    ("text", "daemon"),
    [
        ("[server]", "webqq-server"),
        ("[webqq]\n[[account]]", "webqq"),
        ("[[account]]\nnumber = 1", "webqq"),
        ("[[account]]\n[[account.post]]", "webqq-onebot"),
        ("[onebot]\n[[account]]", "webqq-onebot"),
        ("[gateway]", "webqq-irc"),
        ("[relay]\n[irc]", "webqq-irc"),
    ],
)
def test_daemonOf(folder: Path, text: str, daemon: str) -> None:
    """
    The tables tell which daemon a file is for.
    """
    path = write(folder, text)
    assert checkConfig(path) == checkConfig(path, daemon)


def test_noDaemon(folder: Path) -> None:
    """
    A file of no daemon, or of two, is refused.
    """
    for text, words in (
        ("", "it has none of [webqq], [server]"),
        ("[sever]", "did you mean server?"),
        ("history = 5", "; keys are below the line of their table"),
        ("[[account]]\nnick = '小明'", "it is a population file"),
        ("[[group]]\n[[account]]\nnumber = 10001", "it is a population file"),
        ("[server]\n[relay]", "several daemons (webqq-irc, webqq-server)"),
    ):
        [problem] = problems(folder, text)
        assert words in problem
    with pytest.raises(InvalidConfiguration):
        daemonOf({})


@pytest.mark.parametrize("daemon", DAEMONS)
def test_empty(folder: Path, daemon: str) -> None:
    """
    No daemon starts with an empty file, such as one that is just being written.
    """
    path = write(folder, "# nothing")
    [problem] = checkConfig(path, daemon)
    assert re.search("it is empty|there is (no|neither) ", problem)
    with pytest.raises(UsageError):
        OPTIONS[daemon]().parseOptions(["--config", str(path)])


def test_keyOutside(folder: Path) -> None:
    """
    For a key of the daemon that is in no table, the table is told.
    """
    assert problems(folder, "history = 5\nhistroy = 6\n[server]") == [
        "1: history is in no table; write it below [server]",
        "2: 'histroy' is not known here; known are server",
    ]


def test_server(folder: Path) -> None:
    """
    All errors of a server's file are told, each with the line of its key, and no
    database is made.
    """
    text = """[server]
listen = "tcp:8890"
databse = "q.db"
population = "people.toml"
captcha = "allways"
message-rate = -5
poll-timeout = "long"
trusted-proxy = ["10.0.0.1", "proxy.local"]
operate = "tcp:9199"
operate-token-file = "correct horse"
faults-seed = 5
signup = true
history = [5]
max-file = 1979-05-27
database = "q.db"
log-level = "loud"
daily-uploads = ""
[acount]
"""
    expected = """\
2: server: listen is not a list of texts; write listen = ["tcp:8890"]
3: server: 'databse' is not known here; did you mean database?
4: server: population cannot be used: FOLDER/people.toml: No such file or directory
5: server: captcha is none of never, always, suspicious: allways; did you mean always?
6: server: message-rate is not from 0 to 1000000: -5
7: server: poll-timeout is not from 0 to 3600: long
8: server: trusted-proxy is not an IP address: proxy.local
9: server: operate tcp:9199: others can reach the endpoint, so a token is needed:
10: server: operate-token-file cannot be used: there is no such file; paths are
11: server: faults-seed needs faults
12: server: signup is not a text; write signup = "..."
13: server: history takes one value, not a list
14: server: max-file is not a number
16: server: log-level is none of debug, info, warn, error: loud
17: server: daily-uploads is empty
18: 'acount' is not known here; known are server
"""
    found = problems(folder, text)
    for line, problem in zip(expected.splitlines(), found, strict=True):
        assert problem.startswith(line.replace("FOLDER", str(folder)))
    assert not (folder / "q.db").exists()
    with pytest.raises(UsageError) as caught:
        servertap.Options().parseOptions(["--config", str(folder / "q.toml")])
    first = f"{folder}/q.toml:2: server: listen is not a list of texts"
    assert str(caught.value).startswith(first)
    assert "(and 15 more: webqq-admin check-config " in str(caught.value)
    assert not (folder / "q.db").exists()


def test_lists(folder: Path) -> None:
    """
    All errors in a list are told, each with the line of its entry.
    """
    text = """[server]
listen = ["tcp:x", "tcp:8890",
  "tcp:70000",
  5]
trusted-proxy = [
  "proxy.local",
  "10.0.0.1",
  "other.local",
]
"""
    assert problems(folder, text) == [
        "2: server: listen tcp:x: 'x' is not a number",
        "3: server: listen tcp:70000: a port is from 0 to 65535, not 70000",
        "4: server: listen has 5, which is not a text; write it in quotes",
        "6: server: trusted-proxy is not an IP address: proxy.local",
        "8: server: trusted-proxy is not an IP address: other.local",
    ]
    with pytest.raises(UsageError, match=r":2: .*\(and 4 more"):
        servertap.Options().parseOptions(["--config", str(folder / "q.toml")])


def test_listsOfIRC(folder: Path) -> None:
    """
    All errors in the lists of a gateway and a relay are told, each with the line of
    its entry, and so are all accounts, users and networks that are there twice.
    """
    user = """[[gateway.user]]
name = "alice"
password-file = "alice.irc"
[[gateway.user.account]]
number = 10001
password-file = "bot.password"
"""
    account = """[[relay.account]]
number = 10001
password-file = "bot.password"
"""
    network = """[[relay.network]]
name = "home"
endpoint = "tls:irc.example.org:6697"
"""
    room = """[[relay.room]]
groups = ["cats", "10009/1",
"10008/2", "dogs"]
discussions = ["10007/1"]
channels = ["home", "#a", "hom/#a",
"away/#b", "home/#c", "home/#C"]
ignore-text = ["(", "x", "["]
"""
    listen = '[gateway]\nlisten = ["6667", "tcp:1", "6668"]\n'
    expected = """\
2: gateway: listen has '6667', which is no endpoint
2: gateway: listen has '6668', which is no endpoint
10: gateway.user 2: name alice is there twice
13: gateway.user 2.account 1: number 10001 is there twice
16: relay.account 1: number 10001 is an account of the gateway, too
22: relay.account 3: number 10002 is there twice
28: relay.network 2: name home is there twice
31: relay.room 1: groups has 'cats', which is not
31: relay.room 1: groups has 10009, which is no relay.account
32: relay.room 1: groups has 'dogs', which is not
32: relay.room 1: groups has 10008, which is no relay.account
33: relay.room 1: discussions has 10007, which is no relay.account
34: relay.room 1: channels has '#a', which is not
34: relay.room 1: channels has 'hom', which is no relay.network; did you mean home?
34: relay.room 1: channels has 'home', which is not
35: relay.room 1: channels has 'away', which is no relay.network
35: relay.room 1: channels has an endpoint that is in a room already: home/#C
36: relay.room 1: ignore-text has '(', which is no
36: relay.room 1: ignore-text has '[', which is no
"""
    other = 2 * account.replace("10001", "10002")
    text = listen + 2 * user + account + other + 2 * network + room
    found = problems(folder, text)
    for line, problem in zip(expected.splitlines(), found, strict=True):
        assert problem.startswith(line)


def test_consequence(folder: Path) -> None:
    """
    An option that depends on a wrong one is not told of.
    """
    text = '[server]\nfaults = "none.toml"\nfaults-seed = 5\n'
    [problem] = problems(folder, text)
    assert problem.startswith("2: server: faults cannot be used: ")


def test_serverOptions(folder: Path) -> None:
    """
    The options of a file are those of the command line, which wins; paths are
    relative to the file.
    """
    (folder / "people.toml").write_text("", encoding="utf-8")
    path = write(
        folder,
        """
        server.listen = ["tcp:1", "tcp:2"]
        server.database = "q.db"
        server.population = "people.toml"
        server.history = 7
        server.poll-timeout = 20.5
        server.captcha = "never"
        server.trusted-proxy = ["127.0.0.1"]
        """,
    )
    options = servertap.Options()
    options.parseOptions(["--config", str(path)])
    assert [text for text, _ in options["endpoints"]] == ["tcp:1", "tcp:2"]
    assert options["database"] == str(folder / "q.db")
    assert options["population"] == str(folder / "people.toml")
    assert (options["keep"], options["timeout"]) == (7, 20.5)
    assert (options["mode"], options["proxies"]) == (CaptchaMode.NEVER, {"127.0.0.1"})
    options = servertap.Options()
    options.parseOptions(
        ["--config", str(path), "--listen=tcp:3", "--history=8", "--database=r.db"]
    )
    assert [text for text, _ in options["endpoints"]] == ["tcp:3"]
    assert (options["keep"], options["timeout"]) == (8, 20.5)
    assert options["database"] == str(folder / "here/r.db")
    with pytest.raises(UsageError, match=r"^--history is not from 0"):
        servertap.Options().parseOptions(["--config", str(path), "--history=x"])
    with pytest.raises(UsageError, match="--config is given 2 times"):
        servertap.Options().parseOptions(["--config=a", "--config=b"])
    with pytest.raises(UsageError, match="/none: No such file"):
        servertap.Options().parseOptions(["--config", str(folder / "none")])


def test_accounts(folder: Path) -> None:
    """
    Several accounts have options of their own, and those that they share; the
    command line wins.
    """
    path = write(
        folder,
        """
        [webqq]
        server = "http://127.0.0.1:1"
        status = "away"
        log-level = "warn"
        [[account]]
        number = 10001
        password-file = "alice.password"
        [[account]]
        number = 10002
        password-file = "bot.password"
        status = "hidden"
        app = "conf_bots.Bots"
        app-options = {greeting = "ni hao"}
        [[account]]
        number = 10003
        onebot = "ws://127.0.0.1:3001"
        token-file = "bot.token"
        send-seconds = 2
        """,
    )
    options = tap.Options()
    options.parseOptions(["--config", str(path)])
    alice, bot, today = options.accounts
    assert (alice.account.number, alice.account.password) == (10001, SECRET)
    assert (alice.account.status.value, bot.account.status.value) == ("away", "hidden")
    assert bot.access.server == "http://127.0.0.1:1"  # type: ignore[union-attr]
    made: Any = bot.factory
    assert made.greeting == "ni hao"
    access: Any = today.access
    assert (access.token, access.seconds) == (SECRET, 2.0)
    assert options.logs.levels is not None
    options = tap.Options()
    options.parseOptions(["--config", str(path), "--status=busy"])
    assert {each.account.status.value for each in options.accounts} == {"busy"}
    for option in ("--account=10001", "--password-file=x"):
        with pytest.raises(UsageError, match=r"is not for --config"):
            tap.Options().parseOptions(["--config", str(path), option])
    with pytest.raises(UsageError, match=r"^--status is none of"):
        tap.Options().parseOptions(["--config", str(path), "--status=x"])


def test_passwordVariables(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Passwords may be in the environment: of one account as without a file, of several
    with their numbers. They are removed there.
    """
    account = "[[account]]\nnumber = 1000"
    path = write(folder, f"{account}1\n{account}2")
    for number in (1, 2):
        monkeypatch.setenv(f"{PASSWORD_VARIABLE}_1000{number}", f"the {number}")
    options = tap.Options()
    options.parseOptions(["--config", str(path)])
    passwords = [each.account.password for each in options.accounts]
    assert passwords == ["the 1", "the 2"]
    with pytest.raises(UsageError, match=f"use password-file or {PASSWORD_VARIABLE}_"):
        tap.Options().parseOptions(["--config", str(path)])
    again = options.again()
    assert [each.account.password for each in again.accounts] == passwords
    monkeypatch.setenv(PASSWORD_VARIABLE, "one")
    options = tap.Options()
    options.parseOptions(["--config", str(write(folder, f"{account}1"))])
    assert options.accounts[0].account.password == "one"


def test_accountErrors(folder: Path) -> None:
    """
    All errors of a file of accounts are told, and a wrong value that accounts share
    once.
    """
    text = """[webqq]
server = "ftp://127.0.0.1:8899"
log-text = "yes"
status = "awya"
[[account]]
number = 10001
password = "correct horse"
[[account]]
number = "10002"
password-file = "none"
app = "no.Such"
[[account]]
number = 10001
onebot = "http://x"
send-burst = 0
[[account]]
number = 10005
password-file = "bot.password"
app = "conf_bots.Bots"
app-options = {greeting = ""}
heartbeat = 9999
operate = "tcp:1"
[[accont]]
"""
    found = problems(folder, text)
    assert [int(each.partition(":")[0]) for each in found] == [
        *(2, 3, 4, 5, 7, 9, 10, 11, 13, 14, 15, 19, 21, 22, 23)
    ]
    assert "app conf_bots.Bots cannot be used: ValueError: no greeting" in found[11]
    assert "'operate' is not known here" in found[13]
    with pytest.raises(UsageError, match=r":2: .*\(and 14 more"):
        tap.Options().parseOptions(["--config", str(folder / "q.toml")])
    assert problems(folder, "[webqq]\n") == [" there is no [[account]]"]
    assert "1: account 1: number is missing" in problems(folder, "[[account]]\n")


@pytest.mark.parametrize("name", ["queue", "seen-file", "session-file"])
def test_sharedFiles(folder: Path, name: str) -> None:
    """
    Two accounts cannot have one file, however it is written.
    """
    [problem] = problems(
        folder,
        f"""
[[account]]
number = 10001
password-file = "bot.password"
{name} = "kept"
[[account]]
number = 10002
password-file = "bot.password"
{name} = "./kept"
""",
    )
    assert problem == (
        f"9: account 2 (number 10002): {name} is that of account 10001, too: each"
        " account needs its own"
    )


@pytest.mark.parametrize(
    ("table", "name"),
    [
        ("[server]", "database"),
        ("[webqq]", "captcha-folder"),
        ("[[account]]", "session-file"),
        ("[[account]]", "seen-file"),
        ("[[account]]", "queue"),
        ("[gateway]", "database"),
        ("[relay]", "database"),
        ("[[relay.account]]", "session-file"),
    ],
)
def test_noFolder(folder: Path, table: str, name: str) -> None:
    """
    A file in a folder that does not exist is an error, which names the folder.
    """
    text = f'{table}\n{name} = "nowhere/x"\n'
    if "account" in table:
        text += 'number = 10001\npassword-file = "bot.password"\n'
    [problem] = [each for each in problems(folder, text) if name in each]
    assert problem.startswith("2: ")
    assert str(folder / "nowhere") in problem
    assert not (folder / "nowhere").exists()


IRC = """[irc]
operat = "x"
[gateway]
listen = ["6667"]
history-days = 0
[[gateway.user]]
name = "a b"
password-file = "alice.irc"
nicks = "utf8"
[[gateway.user.account]]
number = 10001
server = "x"
[[relay.account]]
number = 10002
password-file = "bot.password"
[[relay.network]]
name = "home"
endpoint = "ssl:irc.example.org:6697"
nick = "a b"
[[relay.room]]
groups = ["10009/1", "cats"]
channels = ["hom/#a"]
long = "link"
"""


def test_irc(folder: Path) -> None:
    """
    All errors of a file for IRC are told.
    """
    assert [
        (int(each.partition(":")[0]), words in each)
        for each, words in zip(
            problems(folder, IRC),
            [
                "did you mean operate?",
                "write tcp:6667:interface=127.0.0.1",
                "history-days is not a number from 1",
                "gateway.user 1: name is not a valid nick",
                "nicks is none of",
                "password-file is missing",
                "server or ca-file cannot be used",
                "use tls: instead",
                "nick is not a valid nick",
                "groups has 'cats', which is not ACCOUNT/NUMBER",
                "groups has 10009, which is no relay.account",
                "did you mean home?",
                "needs pictures-listen",
            ],
            strict=True,
        )
    ] == [(line, True) for line in (2, 4, 5, 7, 9, 10, 12, 18, 19, 21, 21, 22, 23)]


def test_oneBot(folder: Path) -> None:
    """
    All errors of a file for bots are told.
    """
    text = """[[account]]
number = 10002
password-file = "bot.password"
server = "x"
[[account.forward]]
listen = "tcp:3001"
format = "strin"
[[account.reverse]]
url = "http://x"
token = "correct horse"
[[account]]
number = 10002
password-file = "bot.password"
[[account.htp]]
"""
    found = problems(folder, text)
    assert [int(each.partition(":")[0]) for each in found] == [4, 5, 7, 9, 10, 12, 14]
    assert "did you mean http?" in found[-1]


def test_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    The command prints a line for each error and exits with 1, or says that there is
    none.
    """
    path = write(folder, "[server]\nhistory = 0\n")
    assert main(["check-config", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}: no errors\n"
    write(folder, "[server]\nhistory = -1\ncaptcha = 'x\x07'\n")
    write(folder, '[server]\nhistory = -1\ncaptcha = "x\\u0007"\n')
    assert main(["check-config", str(path)]) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"{path}:2: server: history is not from 0 to 1000000: -1",
        f"{path}:3: server: captcha is none of never, always, suspicious: x\\x07",
    ]
    assert main(["check-config", "--daemon", "webqq", str(path)]) == 1
    assert "'server' is not known here" in capsys.readouterr().err
    assert main(["check-config", str(folder / "none.toml")]) == 1
    assert main(["check-config", "--daemon", "qq", str(path)]) == 1
    assert "invalid choice: 'qq'" in capsys.readouterr().err


def test_sockets(folder: Path) -> None:
    """
    The sockets of a unit are not looked for, since only the daemon has them.
    """
    text = '[server]\nlisten = ["systemd:domain=INET:name=web"]\nhistory = -1'
    [problem] = problems(folder, text)
    assert "history" in problem


def rows(heading: str) -> set[str]:
    """
    Return the keys that a section of the page lists.
    """
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"(?m)^\| `([a-z-]+)` \|", section))


def test_page() -> None:
    """
    The page lists all keys.
    """
    assert rows("All daemons") == PROCESS_OPTIONS - NEVER
    server = servertap.Options().names() - PROCESS_OPTIONS
    assert rows("`[server]`") == server
    account = tap.Options().names() - PROCESS_OPTIONS - {"account"}
    assert rows("`[webqq]` and `[[account]]`") == {*account, "number", "app-options"}


@pytest.mark.parametrize("make", OPTIONS.values(), ids=OPTIONS)
def test_paths(make: type[FileOptions]) -> None:
    """
    Options whose values are files or folders are known as such.
    """
    options: Any = make()
    paths = {
        path for each in make.__mro__ for path in vars(each).get("pathOptions", ())
    }
    named = re.compile(r"\b(file|folder)\b", re.I)
    described = {
        name
        for each in make.__mro__
        for name, _, _, text in vars(each).get("optParameters", ())
        if named.search(text)
    }
    assert described - {"config", "max-file", "log-size", "faults-seed"} == paths
    assert paths <= options.names()


def test_shared() -> None:
    """
    Accounts do not share files that are written.
    """
    paths = {
        path
        for each in tap.Options.__mro__
        for path in vars(each).get("pathOptions", ())
    }
    assert paths - OWN_OPTIONS == {
        "ca-file",
        "captcha-folder",
        "operate-token-file",
        "token-file",
    }
    options = tap.Options()
    assert not options.tableKeys() & OWN_OPTIONS
