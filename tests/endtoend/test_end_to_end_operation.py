"""
The endpoints for operators of real daemons.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from tests.endtoend.daemons import INTERVAL, PATIENCE, ProcessFolder, freePort
from tests.irc.programs import program
from tests.rig import CapturedLog
from txwebqq.model import Account, AccountState, Number, StateChange
from txwebqq.operation.statecommand import StateCommand

TOKEN = "0123456789abcdef"

CONFIGURATION = """
[gateway]
listen = ["tcp:{irc}:interface=127.0.0.1"]

[[gateway.user]]
name = "alice"
password-file = "alice"

[[gateway.user.account]]
number = 10001
password-file = "alice"
server = "http://127.0.0.1:{qq}"
"""


def _get(url: str, token: str) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urlopen(Request(url, headers=headers), timeout=PATIENCE) as reply:
            return reply.status, reply.read().decode()
    except HTTPError as e:
        with e:
            return e.code, e.read().decode()


async def get(port: int, path: str, token: str = "") -> tuple[int, str]:
    """
    Fetch a page of an endpoint.

    @return: the status and the body.
    """
    url = f"http://127.0.0.1:{port}{path}"
    fetched: tuple[int, str] = await deferToThread(_get, url, token)
    return fetched


async def readiness(port: int, status: int, token: str = "") -> str:
    """
    Wait until C{/readyz} has a status, and return its body.
    """
    deadline = reactor.seconds() + PATIENCE
    while (found := await get(port, "/readyz", token))[0] != status:
        assert reactor.seconds() < deadline, found
        await deferLater(reactor, INTERVAL)
    return found[1]


async def values(port: int, token: str = "") -> dict[tuple[str, ...], float]:
    """
    Fetch the metrics.
    """
    status, text = await get(port, "/metrics", token)
    assert status == 200
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def committed(port: int) -> dict[tuple[str, ...], float]:
    """
    Wait until a server has committed, which it does once in a while, and fetch the
    metrics.
    """
    deadline = reactor.seconds() + PATIENCE
    while (found := await values(port))[
        "txwebqq_server_database_commit_seconds_count",
    ] < 1:
        assert reactor.seconds() < deadline, found
        await deferLater(reactor, INTERVAL)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProcessFolder]:
    """
    Make a folder for the daemons.
    """
    folder = ProcessFolder(tmp_path)
    yield folder
    folder.clear()


@ensureDeferred
async def test_daemons(folder: ProcessFolder) -> None:
    """
    A server and a gateway tell when they are ready, what they have done, and that
    the server is gone. They end with exit code 0 while a scraper is connected.
    """
    operator, client, irc = freePort(), freePort(), freePort()
    server = folder.server(
        *("--population", "people.toml", "--database", "qq.db", "--captcha", "never"),
        *("--operate", f"tcp:{operator}:interface=127.0.0.1"),
    )
    await folder.answers(operator, server)
    assert await get(operator, "/healthz") == (200, "ok\n")
    await readiness(operator, 200)
    folder.secret("token", TOKEN)
    text = CONFIGURATION.format(irc=irc, qq=folder.port)
    (folder.folder / "irc.toml").write_text(text, encoding="utf-8")
    gateway = folder.twistd(
        *("webqq-irc", "--config", "irc.toml", "--log-format", "json"),
        *("--operate", f"tcp:{client}", "--operate-token-file", "token"),
    )
    await folder.answers(client, gateway)
    assert (await get(client, "/readyz"))[0] == 401
    await readiness(client, 200, TOKEN)
    served = await committed(operator)
    assert served["txwebqq_server_sessions", "online"] == 1
    assert served["txwebqq_server_sign_ons_total", "signed_on"] == 1
    assert served["txwebqq_server_http_requests_total", "signon", "200"] >= 3
    kept = await values(client, TOKEN)
    assert kept["txwebqq_account_state", "10001", "online"] == 1
    assert kept["txwebqq_gateway_clients",] == 0
    assert (await get(client, "/"))[0] == 200
    assert (await get(client, "/status.json"))[0] == 401
    status = json.loads((await get(client, "/status.json", TOKEN))[1])
    assert (status["daemon"], status["ready"]) == ("webqq-irc", True)
    server.signal("TERM")
    assert await server.exits() == 0
    problem = await readiness(client, 503, TOKEN)
    assert problem.startswith("account 10001 is not signed on")
    assert (await get(client, "/healthz", TOKEN))[0] == 200
    gateway.signal("TERM")
    assert await gateway.exits() == 0
    for daemon in (server, gateway):
        assert "Traceback" not in daemon.output
        assert TOKEN not in daemon.output
    events = [json.loads(line) for line in gateway.output.splitlines()]
    [online] = [each for each in events if each["message"].startswith("Signed on")]
    assert (online["number"], online["level"]) == (10001, "info")


@pytest.mark.long
@ensureDeferred
async def test_browser(folder: ProcessFolder) -> None:
    """
    A browser shows the status page, which its policy allows to run.
    """
    chromium = program("chromium")
    operator = freePort()
    server = folder.server(
        *("--population", "people.toml", "--captcha", "never"),
        *("--operate", f"tcp:{operator}:interface=127.0.0.1"),
    )
    await folder.answers(operator, server)
    client = folder.client(10002, "bot")
    await client.says("Signed on (account 10002).")
    browser = folder.run(
        *(chromium, "--headless", "--no-sandbox", "--disable-gpu"),
        *("--enable-logging=stderr", "--virtual-time-budget=10000", "--dump-dom"),
        *(f"--user-data-dir={folder.folder}/chromium", f"http://127.0.0.1:{operator}/"),
    )
    assert await browser.exits() == 0, browser.output
    assert 'class="state good" role="status">Ready<' in browser.output
    assert "Sessions and polls: online 1; lapsed 0; polls held 1" in browser.output
    assert "<polyline" in browser.output
    assert "CONSOLE" not in browser.output


@ensureDeferred
async def test_portTaken(folder: ProcessFolder) -> None:
    """
    A port that another process has ends each daemon with one line.
    """
    taken = f"tcp:{folder.port}:interface=127.0.0.1"
    server = folder.server("--population", "people.toml")
    await folder.answers(folder.port, server)
    other = folder.twistd(
        *("webqq-server", "--listen", f"tcp:{freePort()}", "--operate", taken)
    )
    client = folder.client(10001, "alice", "--operate", taken)
    for daemon in (other, client):
        assert await daemon.exits() == 1
        assert f"Cannot listen on 127.0.0.1:{folder.port}" in daemon.output
        assert "Traceback" not in daemon.output


@ensureDeferred
async def test_realProcess(tmp_path: Path) -> None:
    """
    A real program is run without a shell, and its output logged.
    """
    script = tmp_path / "told"
    script.write_text('#!/bin/sh\necho "$1 $TXWEBQQ_STATE $TXWEBQQ_PASSWORD."\n')
    script.chmod(0o700)
    os.environ["TXWEBQQ_PASSWORD"] = "s3cret"
    try:
        command = StateCommand(Number(10001), (str(script), "$HOME;"), reactor)
        command.startService()
        with CapturedLog() as log:
            change = StateChange(AccountState.KICKED, AccountState.ONLINE, "elsewhere")
            command.stateChanged(Account(Number(10001), "x"), change)
            await command.stopService()
    finally:
        del os.environ["TXWEBQQ_PASSWORD"]
    assert "$HOME; kicked ." in log.text


def _answer(port: int, text: str) -> int:
    """
    Answer the captcha that is shown in a form.

    @return: the status of the reply.
    """
    url = f"http://127.0.0.1:{port}/captcha"
    [key] = re.findall('name="id" value="([^"]+)"', _get(url, "")[1])
    form = urlencode({"id": key, "text": text}).encode()
    with urlopen(url, form, timeout=PATIENCE) as reply:
        status: int = reply.status
        return status


@pytest.mark.long
@ensureDeferred
async def test_captchas(folder: ProcessFolder) -> None:
    """
    A captcha is answered wrongly in a form and then in a file, and a program is told
    of each state of the account.
    """
    operator = freePort()
    server = folder.server(
        *("--population", "people.toml", "--captcha", "always"),
        *("--captcha-text", "TEST"),
    )
    await server.says("The WebQQ server listens on")
    captchas = folder.folder / "captchas"
    captchas.mkdir(mode=0o700)
    program = folder.folder / "notify"
    program.write_text('#!/bin/sh\necho "now $TXWEBQQ_STATE$TXWEBQQ_PASSWORD."\n')
    program.chmod(0o700)
    client = folder.client(
        *(10001, "alice", "--captcha-folder", "captchas", "--on-state", "./notify"),
        *("--operate", f"tcp:{operator}:interface=127.0.0.1"),
        TXWEBQQ_PASSWORD="wrong",
    )
    await client.says("waits for an answer")
    problem = "account 10001 is not signed on (awaiting captcha)\n"
    assert await readiness(operator, 503) == problem
    image = captchas / "10001.jpg"
    first = image.read_bytes()
    assert image.stat().st_mode & 0o777 == 0o600
    assert await deferToThread(_answer, operator, "WRONG") == 200
    while not image.exists() or image.read_bytes() == first:
        await deferLater(reactor, INTERVAL)
    (captchas / "10001.txt").write_text("test\n")
    await readiness(operator, 200)
    await client.says("now online.")
    assert list(captchas.iterdir()) == []
    client.signal("TERM")
    assert await client.exits() == 0
    again = ["awaiting_captcha", "signing_on"]
    states = ["signing_on", *again, *again, "online", "offline"]
    assert re.findall(r"now (\w+)\.", client.output) == states
