"""
The options of C{twistd webqq}, and the default application.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.application.service import Service
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import CannotListenError
from twisted.python.usage import UsageError

from tests.rig import POLL, CapturedLog, Rig, batch, message
from txwebqq.accounts import OneBotAccess, WebQQAccess
from txwebqq.commands import tap
from txwebqq.commands.application import LoggingFactory
from txwebqq.commands.tap import Options
from txwebqq.config.passwordfile import PASSWORD_VARIABLE
from txwebqq.daemon import Daemon, StartupError
from txwebqq.errors import CaptchaUnsolved, Kicked
from txwebqq.model import Number, Status
from txwebqq.protocol import WebQQFactory
from txwebqq.server.sessions.captchas import CaptchaMode
from txwebqq.session.interfaces import Era
from txwebqq.testing import MemoryWebQQ

APPS = '''
"""
Applications, good and bad.
"""

import os

from txwebqq.protocol import WebQQFactory, WebQQProtocol

class Bot(WebQQProtocol):
    pass

class Bots(WebQQFactory):
    protocol = Bot

class Lone(WebQQProtocol):
    pass

class Good(WebQQFactory):
    pass

class Dear(WebQQFactory):
    def __init__(self, price):
        pass

class Broken(WebQQFactory):
    def __init__(self):
        raise KeyError("no configuration")

class Stranger:
    pass

NUMBER = 5
PASSWORD = os.environ.get("TXWEBQQ_PASSWORD")
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    Make the folder in which twistd is started, with a password and
    applications.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    secret.write_text("correct horse\n", encoding="utf-8")
    lines = tmp_path / "lines"
    lines.touch(mode=0o600)
    lines.write_text("s3cret\nlines\n", encoding="utf-8")
    (tmp_path / "tap_apps.py").write_text(APPS, encoding="utf-8")
    (tmp_path / "tap_typo.py").write_text("import nothing_of_this_name\n")
    (tmp_path / "tap_syntax.py").write_text("def\n")
    return tmp_path


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """
    Forget the application modules, which each test imports.
    """
    yield
    for name in [name for name in sys.modules if name.startswith("tap_")]:
        del sys.modules[name]


GOOD = {"--account": "10001", "--password-file": "secret"}


def parse(**changes: str | None) -> Options:
    """
    Parse options, some of them changed, added or left out.
    """
    given: dict[str, str | None] = dict(GOOD)
    given.update({f"--{name.replace('_', '-')}": v for name, v in changes.items()})
    options = Options()
    options.parseOptions([f"{k}={v}" for k, v in given.items() if v is not None])
    return options


def usageError(**changes: str | None) -> str:
    """
    Get the error text for bad usage.
    """
    with pytest.raises(UsageError) as caught:
        parse(**changes)
    text = str(caught.value)
    assert "\n" not in text
    assert "correct horse" not in text
    return text


def test_defaults(folder: Path) -> None:
    """
    An account and a password are enough.
    """
    options = parse()
    account = options.account
    assert (account.number, account.password) == (Number(10001), "correct horse")
    assert account.status is Status.ONLINE
    assert options["server"] == "http://127.0.0.1:8890"
    assert options.access == WebQQAccess()
    assert isinstance(options.factory, LoggingFactory)
    assert not options.factory.logText


def test_everything(folder: Path) -> None:
    """
    Each option can be given.
    """
    options = parse(
        server="tencent", status="busy", heartbeat="10.5", era="E3", app="tap_apps.Good"
    )
    assert options.account.status is Status.BUSY
    assert options.access == WebQQAccess("tencent", None, Era.E3, 10.5)
    assert isinstance(options.factory, WebQQFactory)
    assert type(options.factory).__name__ == "Good"


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (None, "--account is missing"),
        ("", "--account is not a QQ number: "),
        ("x", "--account is not a QQ number: x"),
        ("0", "--account is not a QQ number: 0"),
        ("-5", "--account is not a QQ number: -5"),
        ("1.5", "--account is not a QQ number: 1.5"),
        (" 10001", "--account is not a QQ number:  10001"),
        ("१००", "--account is not a QQ number: १००"),
        ("4294967296", "--account is not a QQ number: 4294967296"),
        ("9" * 5000, "--account is not a QQ number: 99"),
    ],
)
def test_number(folder: Path, number: str | None, expected: str) -> None:
    """
    An account is a decimal number.
    """
    assert usageError(account=number).startswith(expected)


def test_passwordFile(folder: Path) -> None:
    """
    The password is the content of the file without the line end, including
    spaces.
    """
    (folder / "secret").write_text(" a b 密 \r\n", encoding="utf-8")
    assert parse().account.password == " a b 密 "


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "secret is empty"),
        (b"\n", "secret is empty"),
        (b"\xff\xfe\n", "secret is not UTF-8"),
    ],
)
def test_badPassword(folder: Path, content: bytes, expected: str) -> None:
    """
    A password file that is empty or not UTF-8 is named in the error.
    """
    (folder / "secret").write_bytes(content)
    assert expected in usageError()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601])
def test_openPassword(folder: Path, mode: int) -> None:
    """
    A password file that others can access is refused, with the command that
    corrects it.
    """
    (folder / "secret").chmod(mode)
    folder.chmod(0o755)
    assert "chmod 600 secret, or keep it in a folder" in usageError()


@pytest.mark.parametrize("mode", [0o644, 0o444, 0o440])
def test_protectedPassword(folder: Path, mode: int) -> None:
    """
    A file that others could read is accepted in a folder that they may not
    enter; the folder is that of the file, and not of a link to it.
    """
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700)
    (folder / "secret").rename(secrets / "bot")
    (secrets / "bot").chmod(mode)
    folder.chmod(0o755)
    (folder / "link").symlink_to(secrets / "bot")
    for name in ("secrets/bot", "link"):
        assert parse(password_file=name).account.password == "correct horse"
    for others in (0o750, 0o711):
        secrets.chmod(others)
        assert "chmod 600 link" in usageError(password_file="link")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can enter such a folder")
def test_passwordOfOthers(folder: Path) -> None:
    """
    A folder that only another user may enter does not protect the file.
    """
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700)
    (folder / "secret").rename(secrets / "bot")
    (secrets / "bot").chmod(0o444)
    os.chown(secrets, 65534, 65534)
    assert "chmod 600 secrets/bot" in usageError(password_file="secrets/bot")


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_ownPassword(folder: Path, mode: int) -> None:
    """
    A password file that only its owner can read is accepted.
    """
    (folder / "secret").chmod(mode)
    assert parse().account.password == "correct horse"


def test_noPasswordFile(folder: Path) -> None:
    """
    A password file that cannot be read is named in the error, with the reason.
    """
    expected = usageError(password_file="none")
    assert expected == "cannot read none: No such file or directory"
    (folder / "den").mkdir(mode=0o700)
    assert usageError(password_file="den") == "cannot read den: Is a directory"


def test_noPassword(folder: Path) -> None:
    """
    Without a password, the error names both ways to give one.
    """
    expected = usageError(password_file=None)
    assert "--password-file" in expected
    assert "TXWEBQQ_PASSWORD" in expected


def test_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A password from the environment is taken out of it, so that neither the
    application nor a process that we start can find it there.
    """
    monkeypatch.setenv("TXWEBQQ_PASSWORD", "battery staple")
    options = parse(password_file=None, app="tap_apps.Good")
    assert options.account.password == "battery staple"
    assert "TXWEBQQ_PASSWORD" not in os.environ
    assert sys.modules["tap_apps"].PASSWORD is None
    child = [sys.executable, "-c", "import os; print('TXWEBQQ_PASSWORD' in os.environ)"]
    assert subprocess.run(child, capture_output=True, check=True).stdout == b"False\n"


def test_bothPasswords(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The password file has precedence, and the environment variable is removed.
    """
    monkeypatch.setenv("TXWEBQQ_PASSWORD", "battery staple")
    assert parse().account.password == "correct horse"
    assert "TXWEBQQ_PASSWORD" not in os.environ


def test_oddEnvironment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    An empty environment variable, or one that is no UTF-8, is refused.
    """
    monkeypatch.setenv("TXWEBQQ_PASSWORD", "")
    assert "no password" in usageError(password_file=None)
    monkeypatch.setitem(os.environb, b"TXWEBQQ_PASSWORD", b"\xff\xfe")
    expected = usageError(password_file=None)
    assert "TXWEBQQ_PASSWORD" in expected
    assert "UTF-8" in expected


def test_oneBot(folder: Path) -> None:
    """
    An account of today's QQ needs no password; its token is in no repr.
    """
    access = parse(
        password_file=None, onebot="ws://127.0.0.1:3001", token_file="secret"
    ).access
    assert access == OneBotAccess("ws://127.0.0.1:3001", token="correct horse")
    assert "horse" not in repr(access)
    access = parse(
        password_file=None,
        onebot_listen="tcp:8080:interface=127.0.0.1",
        send_burst="1",
        send_seconds="4",
    ).access
    assert access == OneBotAccess(
        listen="tcp:8080:interface=127.0.0.1", burst=1, seconds=4.0
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"onebot": "ws://h:1", "onebot_listen": "tcp:1"}, "give either the address"),
        ({"onebot_listen": "tcp:8080"}, "there is no token"),
        ({"onebot_listen": "tcp:8080:interface=0.0.0.0"}, "there is no token"),
        ({"onebot": "http://h:1"}, "not of the form ws://HOST:PORT/PATH"),
        ({"onebot": "ws://h:x"}, "not of the form ws://HOST:PORT/PATH"),
        ({"onebot": "ws://[::1"}, "not of the form ws://HOST:PORT/PATH"),
        ({"onebot": "ws://a..b:1"}, "not of the form ws://HOST:PORT/PATH"),
        ({"onebot": f"ws://{'a' * 64}:1"}, "not of the form ws://HOST:PORT/PATH"),
        ({"onebot": "ws://a b:1"}, "not of the form ws://HOST:PORT/PATH"),
        ({"onebot": "ws://\u00e9:1"}, "not of the form ws://HOST:PORT/PATH"),
        ({"onebot": ""}, "give either the address"),
        ({"onebot": "ws://h:1", "token_file": "lines"}, "has a control character"),
        ({"onebot": "ws://h:1", "send_burst": "0001000"}, "--send-burst is not from"),
        ({"onebot": "ws://h:1", "password_file": "secret"}, "--password-file is for"),
        ({"onebot": "ws://h:1", "session_file": "kept"}, "--session-file is for WebQQ"),
        ({"onebot": "ws://h:1", "token_file": "none"}, "cannot read none"),
        ({"onebot": "ws://h:1", "send_burst": "0"}, "--send-burst is not from 1 to"),
        ({"onebot": "ws://h:1", "send_seconds": "x"}, "--send-seconds is not from 0"),
        ({"onebot": "ws://h:1/?access_token=s3cret"}, "a user or a query"),
    ],
)
def test_wrongOneBot(
    folder: Path, changes: dict[str, str | None], expected: str
) -> None:
    """
    Options of today's QQ that do not fit are refused, without a secret.
    """
    error = usageError(**{"password_file": None, **changes})
    assert expected in error
    assert "s3cret" not in error


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": "drowsy"}, "--status is none of online, offline, away,"),
        ({"status": "drowsy"}, ": drowsy"),
        ({"status": "ONLINE"}, ": ONLINE"),
        ({"era": "E4"}, "--era is none of E1, E2, E3: E4"),
        ({"heartbeat": "often"}, "--heartbeat is not from 1 to 3600: often"),
        ({"heartbeat": "0"}, "--heartbeat is not from 1 to 3600: 0"),
        ({"heartbeat": "-60"}, "--heartbeat is not from 1 to 3600: -60"),
        ({"heartbeat": "nan"}, "--heartbeat is not from 1 to 3600: nan"),
        ({"heartbeat": "inf"}, "--heartbeat is not from 1 to 3600: inf"),
        ({"heartbeat": ""}, "--heartbeat is not from 1 to 3600: "),
        ({"server": "example.org"}, "server is neither"),
        ({"server": "ftp://example.org"}, ": ftp://example.org"),
        ({"server": ""}, "server is neither"),
        ({"token_file": "secret"}, "--token-file is for --onebot only"),
        ({"ca_file": "none.pem"}, "cannot read none.pem: No such file"),
        ({"ca_file": "secret"}, "secret holds no certificate"),
        ({"app": "tap_none.Factory"}, "--app tap_none.Factory cannot be used: "),
        ({"app": "tap_none.Factory"}, "tap_none"),
        ({"app": "tap_apps.Missing"}, "--app tap_apps.Missing cannot be used: "),
        ({"app": "tap_apps.Missing"}, "Missing"),
        ({"app": "tap_typo.Factory"}, "No module named 'nothing_of_this_name'"),
        ({"app": "tap_syntax.Factory"}, "SyntaxError"),
        ({"app": "tap_apps.Broken"}, "KeyError: 'no configuration'"),
        ({"app": "tap_apps.Dear"}, "price"),
        ({"app": "tap_apps.NUMBER"}, "not callable"),
        ({"app": "tap_apps"}, "not callable"),
        ({"app": "tap_apps.Stranger"}, "does not return a WebQQFactory"),
        ({"app": "tap_apps:Good"}, "joined by a dot, as in --app tap_apps.Good"),
        ({"app": "tap_apps.Bot"}, "is a protocol; name its factory: "),
        ({"app": "tap_apps.Bot"}, "--app tap_apps.Bots"),
        ({"app": "tap_apps.Lone"}, "a WebQQFactory whose attribute protocol is Lone"),
        ({"app": ""}, "--app  cannot be used"),
        ({"app": "a b"}, "--app a b cannot be used"),
        ({"app": ".x"}, "--app .x cannot be used"),
    ],
)
def test_bad(folder: Path, changes: dict[str, str], expected: str) -> None:
    """
    Each other bad value is named in the error.
    """
    assert expected in usageError(**changes)


def test_unknownOption(folder: Path) -> None:
    """
    An unknown option or an extra argument is refused.
    """
    assert "shout" in usageError(shout="1")
    with pytest.raises(UsageError):
        Options().parseOptions(["--account=10001", "--password-file=secret", "more"])


def test_noPasswordOption() -> None:
    """
    All users of a machine can read a command line, so it has no option for a password.
    """
    assert "password" not in Options().longOpt
    assert "password=" not in Options().longOpt


# The default application.


def test_logs(folder: Path) -> None:
    """
    The default application logs the kinds and ids of events, but not the
    text of messages.
    """
    text = loggedBy([])
    assert "Roster loaded (account 10001): 1 friends, 0 groups." in text
    assert "Message from 2963008411, id 5" in text
    assert "the tea is ready" not in text


def test_logText(folder: Path) -> None:
    """
    The text of messages is logged on demand.
    """
    assert "Text: the tea is ready" in loggedBy(["--log-text"])


def loggedBy(flags: list[str]) -> str:
    """
    Get the log of a short run of the default application.
    """
    options = Options()
    options.parseOptions(["--account=10001", "--password-file=secret", *flags])
    rig = Rig()
    service = rig.serve(rig.alice.account, options.factory)
    rig.server.replies[POLL] = [batch(message(1, 5, "the tea is ready"))]
    with CapturedLog() as logged:
        service.startService()
        rig.web.settle()
        rig.web.result(service.stopService())
    rig.web.stop()
    return logged.text


@pytest.mark.parametrize(("kicked", "code"), [((), []), ((1,), [1]), ((0, 2), [1])])
def test_severalAccounts(
    kicked: tuple[int, ...], code: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The process ends when all its accounts are offline for good, with exit code 1 if
    one of them was kicked.
    """
    stops: list[None] = []
    codes: list[int] = []
    ends: list[Deferred[None]] = [Deferred() for _ in range(3)]
    monkeypatch.setattr(tap, "_exitWith", codes.append)
    reactor: Any = SimpleNamespace(stop=lambda: stops.append(None))
    services: list[Any] = []
    for end in ends:
        service: Any = Service()
        service.whenSignedOff = partial(_same, end)
        services.append(service)
    tap.stopAfter(services, reactor)
    for position, end in enumerate(ends):
        assert stops == []
        if position in kicked:
            end.errback(Kicked("another sign-on took over"))
        else:
            end.callback(None)
    assert (len(stops), codes) == (1, code)


def _same(end: Deferred[None]) -> Deferred[None]:
    return end


def test_captchaUnsolved() -> None:
    """
    The process goes on when a captcha was not solved, and ends after a sign-off.
    """

    class StoppableReactor:
        stops = 0

        def stop(self) -> None:
            self.stops += 1

    rig, reactor = Rig(CaptchaMode.ALWAYS), StoppableReactor()
    rig.factory.captchaTexts = [
        fail(CaptchaUnsolved("nobody reads it")),
        succeed("ABCD"),
    ]
    tap.stopAfter([rig.service], reactor)
    rig.start()
    assert rig.factory.logs == [["made", "CaptchaUnsolved"]]
    assert reactor.stops == 0
    rig.service.signOn()
    rig.web.settle()
    assert rig.factory.logs[1:] == [["made", "on"]]
    rig.web.result(rig.service.signOff())
    assert reactor.stops == 1
    rig.finish()


def test_statusLogged() -> None:
    """
    The default application logs a new status of a friend with the friend's nick
    and number.
    """
    web = MemoryWebQQ()
    alice, bob = web.friends("Alice", "Bob")
    bob.run()
    with CapturedLog() as logged:
        alice.run(LoggingFactory())
        web.settle()
        bob.appear(Status.AWAY)
        web.settle(1)
        bob.stop()
        web.settle(1)
    assert f"Bob ({bob.number}) is away." in logged.text
    assert f"Bob ({bob.number}) is offline." in logged.text
    assert "StatusChange" not in logged.text


def test_portTaken() -> None:
    """
    A port that is taken ends the process with one line.
    """

    class Taken(Service):
        def privilegedStartService(self) -> None:
            raise CannotListenError("127.0.0.1", 8080, OSError(98, "in use"))

    daemon = Daemon({})
    Taken().setServiceParent(daemon)
    with pytest.raises(StartupError, match="Cannot listen on"):
        daemon.privilegedStartService()
