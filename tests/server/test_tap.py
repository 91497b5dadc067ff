"""
Options and service of C{twistd webqq-server}.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from twisted.internet import error
from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IListeningPort
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogEvent, capturedLogs, formatEvent
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from tests.net.test_certificates import serialOf
from tests.network.authority import LOCALHOST, Authority
from tests.server.harness import ServerHarness
from txwebqq.model import Number
from txwebqq.server.domain.authenticator import LoginFailure
from txwebqq.server.faults.injection import FaultyResource
from txwebqq.server.limits import ConnectionLimits
from txwebqq.server.resource import WebQQResource
from txwebqq.server.sessions.captchas import CaptchaMode, captchaRenderer
from txwebqq.server.storage.store import Store
from txwebqq.server.tap import FLUSH_TIME, Options, ServerService

ACCOUNT = '[[account]]\nnumber = 10001\npassword = "x"\n'


def parsed(*arguments: str) -> Options:
    options = Options()
    options.parseOptions(list(arguments))
    return options


def test_defaults() -> None:
    """
    Without options the server listens on loopback, keeps its data in memory, and
    asks for captchas after wrong passwords.
    """
    options = parsed()
    listen = "tcp:8890:interface=127.0.0.1"
    assert options["endpoints"] == [(listen, f"{listen}:backlog=1024")]
    assert options["timeout"] == 50
    assert options["mode"] is CaptchaMode.SUSPICIOUS
    assert isinstance(options["store"], Store)


def test_maxFile() -> None:
    """
    C{--max-file} sets the maximum size of an offline file.
    """
    assert parsed()["limits"].file == 100 * 1024 * 1024
    limits = parsed("--max-file", "2048")["limits"]
    assert (limits.file, limits.daily) == (2**31, 2**31)
    for wrong in ("0", "-1", "x", "nan", "inf"):
        with pytest.raises(UsageError, match="--max-file"):
            parsed("--max-file", wrong)


def test_dailyUploads() -> None:
    """
    C{--daily-uploads} sets what an account may upload in a day, at least one file of
    the maximum size.
    """
    assert parsed()["limits"].daily == 1024 * 1024 * 1024
    assert parsed("--daily-uploads", "200")["limits"].daily == 200 * 1024 * 1024
    limits = parsed("--max-file", "300", "--daily-uploads", "200")["limits"]
    assert limits.daily == limits.file
    with pytest.raises(UsageError, match="--daily-uploads"):
        parsed("--daily-uploads", "much")


def test_wrongPasswords() -> None:
    """
    C{--wrong-passwords} sets how many an address may send.
    """
    assert parsed()["guesses"] == 20
    assert parsed("--wrong-passwords", "7")["guesses"] == 7
    with pytest.raises(UsageError, match="--wrong-passwords"):
        parsed("--wrong-passwords", "none")


def test_addresses() -> None:
    """
    C{--address-connections} and C{--address-requests} set what an address may do.
    """
    limits = parsed()["connections"]
    assert limits == ConnectionLimits()
    options = ["--address-connections", "9000", "--address-requests", "50"]
    limits = parsed(*options)["connections"]
    assert (limits.connections, limits.rate, limits.burst) == (9000, 50, 500)
    for option in options[::2]:
        for wrong in ("0", "-1", "many"):
            with pytest.raises(UsageError, match=option):
                parsed(option, wrong)


@pytest.mark.parametrize(
    ("listen", "expected"),
    [
        ("tcp:0", "tcp:0:backlog=1024"),
        ("tcp6:0", "tcp6:0:backlog=1024"),
        ("tcp:0:backlog=7", "tcp:0:backlog=7"),
        ("unix:nowhere/q", "unix:nowhere/q"),
    ],
)
def test_backlog(listen: str, expected: str) -> None:
    """
    The backlog is 1024 connections unless the endpoint sets one.
    """
    assert parsed("--listen", listen)["endpoints"] == [(listen, expected)]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--listen", "nonsense"], "--listen nonsense: "),
        (["--listen", "tcp:x"], "--listen tcp:x: "),
        (["--listen", "tcp:0", "--listen", "tcp:x"], "--listen tcp:x: "),
        (["--captcha", "maybe"], "--captcha is none of never, always, suspicious"),
        (["--captcha-text", "a b"], "--captcha-text is not 4 to 16 of"),
        (["--poll-timeout", "0"], "--poll-timeout is not from 0 to 3600: 0"),
        (["--poll-timeout", "nan"], "--poll-timeout is not from 0 to 3600: nan"),
        (["--history", "-1"], "--history is not from 0 to 1000000: -1"),
        (["--history", "many"], "--history is not from 0 to 1000000: many"),
        (["--history-days", "0"], "--history-days is not from 1 to 36500: 0"),
        (["--signup", "ajar"], "--signup is none of open, closed: ajar"),
        (
            ["--trusted-proxy", "proxy.local"],
            "--trusted-proxy is not an IP address: proxy",
        ),
        (["--population", "/no/people.toml"], "/no/people.toml: No such file"),
        (
            ["--database", "/no/q.db"],
            "--database cannot be used: there is no folder /no",
        ),
        (["--nonsense"], "nonsense"),
        (["stray"], ""),
        (["--database", "postgresql://x@y/z"], "--files is needed with PostgreSQL"),
        (
            ["--database", "q.db", "--database-password-file", "p"],
            "--database-password-file needs --database postgresql://",
        ),
    ],
)
def test_problems(arguments: list[str], problem: str) -> None:
    """
    Invalid options are errors of one line.
    """
    with pytest.raises(UsageError) as raised:
        parsed(*arguments)
    assert problem in str(raised.value)
    assert "\n" not in str(raised.value)


def test_population(tmp_path: Path) -> None:
    """
    An error in a population names its file, also when it is an error only
    together with the database.
    """
    population = tmp_path / "people.toml"
    population.write_text("[[friendship]]\nbetween = [10001, 10002]")
    with pytest.raises(UsageError, match=r"people\.toml: friendship between 10001"):
        parsed("--population", str(population))


def test_database(tmp_path: Path) -> None:
    """
    A population is imported into the database, which is enough for the next
    start.
    """
    population, file = tmp_path / "people.toml", tmp_path / "q.db"
    population.write_text(ACCOUNT)
    for _ in range(2):
        parsed("--population", str(population), "--database", str(file))
    population.unlink()
    assert parsed("--database", str(file))["store"] is None
    store = Store(file)
    assert store.accounts.get(10001) is not None  # type: ignore[arg-type]
    store.close()


def test_damaged(tmp_path: Path) -> None:
    """
    A damaged database is an error of one line.
    """
    file = tmp_path / "q.db"
    parsed("--database", str(file))
    content = file.read_bytes()
    file.write_bytes(content[:4096] + b"\x5a" * 4096 + content[8192:])
    with pytest.raises(UsageError, match=r"q\.db: the database is damaged") as raised:
        parsed("--database", str(file))
    assert "\n" not in str(raised.value)


def test_withoutCaptcha(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without the package C{captcha} only C{--captcha never} starts; the error names
    the package to install.
    """
    monkeypatch.setitem(sys.modules, "captcha.image", None)
    for mode in ("always", "suspicious"):
        with pytest.raises(UsageError, match=r"pip install \. in the checkout"):
            parsed("--captcha", mode)
    assert parsed("--captcha", "never")["draw"] is None
    with pytest.raises(UsageError, match="--signup closed"):
        parsed("--captcha", "never", "--signup", "open")


def test_pictures() -> None:
    """
    A captcha is a JPEG picture, and no two are equal.
    """
    draw = captchaRenderer()
    first, second = draw("AC34"), draw("AC34")
    assert first.startswith(b"\xff\xd8\xff")
    assert first.endswith(b"\xff\xd9")
    assert first != second


def test_faults(tmp_path: Path) -> None:
    """
    C{--faults} is checked before the server starts; C{--faults-seed} has priority
    over the seed of the file.
    """
    assert parsed()["plan"] is None
    file = tmp_path / "faults.toml"
    file.write_text('seed = 3\n[[fault]]\nkind = "reset"\nevery = 9', encoding="utf-8")
    assert parsed("--faults", str(file))["plan"].seed == 3
    assert parsed("--faults", str(file), "--faults-seed", "7")["plan"].seed == 7
    with pytest.raises(UsageError, match="--faults-seed is not from 0"):
        parsed("--faults", str(file), "--faults-seed", "x")
    with pytest.raises(UsageError, match="--faults-seed needs --faults"):
        parsed("--faults-seed", "7")
    file.write_text('[[fault]]\nkind = "rest"', encoding="utf-8")
    with pytest.raises(UsageError, match=r"faults\.toml: fault 1 \(kind rest\): kind"):
        parsed("--faults", str(file))


class ServiceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor: Any = MemoryReactorClock()

    def service(self, *arguments: str) -> ServerService:
        return ServerService(parsed(*arguments), self.reactor)

    def started(self, *arguments: str) -> tuple[ServerService, list[str]]:
        service = self.service(*arguments)
        with capturedLogs() as events:
            service.privilegedStartService()
            service.startService()
        return service, [line(event) for event in events]

    def test_faults(self) -> None:
        """
        With faults, a warning names the file and the seed, and the site has them;
        without, the site has the server itself.
        """
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        file = Path(folder.name) / "faults.toml"
        file.write_text('[[fault]]\nkind = "reset"\nevery = 1', encoding="utf-8")
        service, lines = self.started("--faults", str(file))
        (warning,) = [text for text in lines if "FAULTS" in text]
        assert (
            f"FAULTS ON PURPOSE ARE ON (--faults {file}, rules: 1, seed: 1)" in warning
        )
        assert isinstance(self.reactor.tcpServers[0][1].resource, FaultyResource)
        stopping = service.stopService()
        self.reactor.advance(FLUSH_TIME)
        self.successResultOf(stopping)
        _, lines = self.started()
        assert not [text for text in lines if "FAULTS" in text]
        assert isinstance(self.reactor.tcpServers[1][1].resource, WebQQResource)

    def test_inMemory(self) -> None:
        """
        The log has the address of the server, and says that the data is in
        memory.
        """
        _, lines = self.started("--listen", "tcp:8890")
        self.assertTrue(
            any("listens on 0.0.0.0:8890." in each for each in lines), lines
        )
        self.assertTrue(any("All data is in memory" in each for each in lines))
        self.assertEqual(self.reactor.tcpServers[0][0], 8890)
        self.assertEqual(self.reactor.tcpServers[0][2], 1024)

    @pytest.mark.filterwarnings("ignore:Passing pyOpenSSL:DeprecationWarning")
    def test_renewedCertificate(self) -> None:
        """
        A certificate that was renewed is used without a restart.
        """
        temporary = TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        folder = Path(temporary.name)
        authority = Authority(folder, "ours")
        file = authority.issue(LOCALHOST)
        self.started("--listen", f"ssl:8443:privateKey={file}")
        creator = self.reactor.sslServers[0][2]
        first = serialOf(creator)
        authority.issue(LOCALHOST)
        self.assertNotEqual(serialOf(creator), first)

    def test_twoEndpoints(self) -> None:
        """
        C{--listen} may be given repeatedly: old clients need HTTP and HTTPS in one
        sign-on.
        """
        ports: list[int] = []

        @implementer(IListeningPort)
        class Port:
            def __init__(self, number: int, *_: object, **__: object) -> None:
                self.number = number
                self.startListening()

            def startListening(self) -> None:
                ports.append(self.number)

            def stopListening(self) -> None:
                ports.remove(self.number)

            def getHost(self) -> IPv4Address:
                return IPv4Address("TCP", "0.0.0.0", self.number)

        self.reactor.listenTCP = Port
        service, lines = self.started("--listen", "tcp:80", "--listen", "tcp:443")
        self.assertEqual(ports, [80, 443])
        for port in ports:
            self.assertIn(f"The WebQQ server listens on 0.0.0.0:{port}.", lines)
        stopping = service.stopService()
        self.reactor.advance(FLUSH_TIME)
        self.successResultOf(stopping)
        self.assertEqual(ports, [])

    def test_startLine(self) -> None:
        """
        The lines of Twisted name the server, not a class.
        """
        site = ServerHarness().server.site()
        self.assertEqual(site.logPrefix(), "WebQQ server")

    def test_captchaText(self) -> None:
        """
        The log warns of a fixed captcha text.
        """
        _, lines = self.started("--captcha-text", "ABCD")
        self.assertTrue(any("--captcha-text" in each for each in lines))
        _, lines = self.started()
        self.assertFalse(any("--captcha-text" in each for each in lines))

    def test_limits(self) -> None:
        """
        The server has the limits of the options, and at most as many connections
        as the system lets it open.
        """
        options = {"message-rate": 7, "address-connections": 9, "wrong-passwords": 1}
        service, _ = self.started(*(f"--{k}={v}" for k, v in options.items()))
        server: Any = service._server
        self.assertEqual(server._state.sendingLimiter.limits.messages, 7)
        limits = server._addresses.limits
        self.assertEqual(limits.connections, 9)
        self.assertGreater(limits.total, 0)
        authenticator, alice = server._state.authenticator, Number(10001)
        code = authenticator.verifyCode(alice, "192.0.2.1")
        reasons = [
            authenticator.logIn(alice, "x", code, "", "192.0.2.1") for _ in range(2)
        ]
        self.assertEqual(reasons, [LoginFailure.WRONG_PASSWORD, LoginFailure.TOO_MANY])
        service, _ = self.started("--message-rate=0")
        unlimited: Any = service._server
        self.assertIsNone(unlimited._state.sendingLimiter.limits)

    def test_signup(self) -> None:
        """
        The log says whether sign-up is open, also with C{--captcha never}.
        """
        _, lines = self.started("--captcha", "never", "--signup", "open")
        self.assertIn(
            "Everyone can create an account at /signup (--signup open).", lines
        )
        _, lines = self.started()
        self.assertNotIn(
            "Everyone can create an account at /signup (--signup open).", lines
        )

    @unittest.skipIf(os.geteuid() != 0, "only root can switch users")
    def test_daemonUser(self) -> None:
        """
        Files belong to the user of C{twistd --uid}, also those that are written
        before twistd switches to that user.
        """
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        os.chown(folder, 65534, 65534)
        options = Options()
        twistd: Any = {"uid": 65534, "gid": 65534}
        options.parent = twistd
        options.parseOptions(["--database", str(folder / "q.db")])
        service = ServerService(options, self.reactor)
        service.privilegedStartService()
        files = list(folder.rglob("*"))
        self.assertIn(folder / "q.db-wal", files)
        for path in (folder, *files):
            owner = path.stat()
            self.assertEqual((owner.st_uid, owner.st_gid), (65534, 65534), path)
        self.assertEqual((os.geteuid(), os.getegid()), (0, 0))
        stopping = service.stopService()
        self.reactor.advance(FLUSH_TIME)
        self.successResultOf(stopping)

    def test_portInUse(self) -> None:
        """
        A port in use ends the process with an error of one line.
        """

        def inUse(*_: object, **__: object) -> None:
            raise error.CannotListenError(
                "127.0.0.1", 8890, OSError(98, "Address already in use")
            )

        self.reactor.listenTCP = inUse
        with self.assertRaises(SystemExit) as raised:
            self.service().privilegedStartService()
        # A twistd in the background reports this to the one in the foreground.
        self.assertIsInstance(raised.exception, Exception)
        self.assertEqual(
            raised.exception.code,
            "Cannot listen on tcp:8890:interface=127.0.0.1: Address already in use",
        )

    def test_secondPortInUse(self) -> None:
        """
        The error names the endpoint that cannot be listened on.
        """
        listen = self.reactor.listenTCP

        def inUse(port: int, *args: object, **kwargs: object) -> object:
            if port == 443:
                reason = OSError(98, "Address already in use")
                raise error.CannotListenError("0.0.0.0", port, reason)
            return listen(port, *args, **kwargs)

        self.reactor.listenTCP = inUse
        with self.assertRaises(SystemExit) as raised:
            self.started("--listen", "tcp:80", "--listen", "tcp:443")
        self.assertEqual(
            raised.exception.code, "Cannot listen on tcp:443: Address already in use"
        )

    def test_stop(self) -> None:
        """
        Stopping takes less than two seconds and leaves no delayed calls.
        """
        service, _ = self.started()
        stopping = service.stopService()
        self.assertNoResult(stopping)
        self.reactor.advance(FLUSH_TIME)
        self.successResultOf(stopping)
        self.assertLess(FLUSH_TIME, 2)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_child(self) -> None:
        """
        The service also starts when privilegedStartService is not called.
        """
        service = self.service()
        service.startService()
        self.assertEqual(len(self.reactor.tcpServers), 1)
        stopping = service.stopService()
        self.reactor.advance(FLUSH_TIME)
        self.successResultOf(stopping)


@pytest.mark.parametrize(("mode", "isWarned"), [(0o644, True), (0o600, False)])
def test_rundir(
    mode: int, isWarned: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The population may be given by a relative path, although twistd has gone to
    C{--rundir} when the service starts; the log warns when others can read it.
    """
    population = tmp_path / "people.toml"
    population.write_text(ACCOUNT)
    population.chmod(mode)
    monkeypatch.chdir(tmp_path)
    service = ServerService(parsed("--population", "people.toml"), MemoryReactorClock())
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path / "run")
    with capturedLogs() as events:
        service.startService()
    lines = [each for each in map(line, events) if "people.toml" in each]
    assert [each.partition(":")[2] for each in lines] == [
        " others can read the passwords in this file: chmod 600 people.toml"
    ] * isWarned


def line(event: LogEvent) -> str:
    return formatEvent(event)
