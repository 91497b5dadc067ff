"""
The lines that docs/troubleshooting.md quotes are those that users see.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet import error
from twisted.internet.defer import Deferred, fail
from twisted.internet.testing import MemoryReactorClock
from twisted.python.usage import UsageError
from twisted.scripts._twistd_unix import ServerOptions, checkPID

import txwebqq.server.tap
from tests.rig import CapturedLog
from txwebqq.client import Servers, WebQQClient
from txwebqq.config.passwordfile import readPasswordFile
from txwebqq.errors import InvalidConfiguration
from txwebqq.model import Account, Number
from txwebqq.server.sessions.captchas import CaptchaMode
from txwebqq.server.storage.store import Store
from txwebqq.service import WebQQService
from txwebqq.testing import PASSWORD, MemoryPerson, MemoryWebQQ, RecordingFactory

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
QUOTED = re.findall(r"^```text\n(.*)\n```$", PAGE, re.MULTILINE)


def unknownCommand(folder: Path) -> str:
    with pytest.raises(UsageError) as raised:
        ServerOptions().parseOptions(["webqq-srever"])
    return f"twistd: {raised.value}".replace("srever", "server")


def noEnsurepip(folder: Path) -> str:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return re.sub(r"' \\\n\s+'", " ", makefile).replace("$(PYTHON)", "python3")


def secondDaemon(folder: Path) -> str:
    file = folder / "twistd.pid"
    file.write_text(str(os.getppid()), encoding="ascii")
    with pytest.raises(SystemExit) as raised:
        checkPID(str(file))
    return str(raised.value).replace(str(os.getppid()), "1234")


def portInUse(folder: Path) -> str:
    def inUse(*_: object, **__: object) -> None:
        raise error.CannotListenError("", 8890, OSError(98, "Address already in use"))

    options = txwebqq.server.tap.Options()
    options.parseOptions([])
    reactor: Any = MemoryReactorClock()
    reactor.listenTCP = inUse
    with pytest.raises(SystemExit) as raised:
        txwebqq.server.tap.ServerService(options, reactor).privilegedStartService()
    return str(raised.value)


def databaseInUse(folder: Path) -> str:
    store = Store(Path("people.db"))
    with pytest.raises(UsageError) as raised:
        txwebqq.server.tap.Options().parseOptions(["--database", "people.db"])
    store.close()
    return str(raised.value)


def openPassword(folder: Path) -> str:
    folder.chmod(0o755)
    Path("password").touch(mode=0o644)
    with pytest.raises(InvalidConfiguration) as raised:
        readPasswordFile(Path("password"))
    return str(raised.value)


class NoServer:
    """
    An HTTP client that cannot reach the server.
    """

    def request(self, *_: object, **__: object) -> Deferred[object]:
        return fail(error.ConnectionRefusedError())


def noServer(folder: Path) -> str:
    web = MemoryWebQQ()
    client = WebQQClient(NoServer(), Servers("http://127.0.0.1:8890"), web.clock)
    return signOn(web, client)


def wrongPassword(folder: Path) -> str:
    web = MemoryWebQQ()
    return signOn(web, web.client(), "wrong")


def captchaNeeded(folder: Path) -> str:
    web = MemoryWebQQ(CaptchaMode.SUSPICIOUS)
    return "".join(signOn(web, web.client(), "wrong") for _ in range(4))


def kick(folder: Path) -> str:
    web = MemoryWebQQ()
    web.person("Alice")
    bot = web.person("Bot")
    with CapturedLog() as log:
        bot.run()
        MemoryPerson(web, bot.number, bot.nick).run()
        web.settle(2)
    return log.text


def signOn(web: MemoryWebQQ, client: WebQQClient, password: str = PASSWORD) -> str:
    """
    Sign account 10002 on.

    @return: its log until it gives up, or tries again.
    """
    while web.person("Bot").number < 10002:
        pass
    account = Account(Number(10002), password)
    service = WebQQService(account, RecordingFactory(), client, web.clock)
    with CapturedLog() as log:
        service.startService()
        web.settle(1)
        web.result(service.stopService())
    return log.text


SHOWN: list[Callable[[Path], str]] = [
    unknownCommand,
    noEnsurepip,
    secondDaemon,
    portInUse,
    databaseInUse,
    openPassword,
    noServer,
    wrongPassword,
    captchaNeeded,
    kick,
]
"""Each produces the line that the page quotes at its place."""


@pytest.mark.parametrize(
    ("quoted", "shown"),
    [
        pytest.param(quoted, shown, id=shown.__name__)
        for quoted, shown in zip(QUOTED, SHOWN, strict=True)
    ],
)
def test_line(
    quoted: str,
    shown: Callable[[Path], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    A quoted line is part of what users see.
    """
    monkeypatch.chdir(tmp_path)
    assert quoted in shown(tmp_path)
