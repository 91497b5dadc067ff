"""
C{fleet-...}: messages a second, and the delay of one, for several server processes
with one PostgreSQL database, beside one process with SQLite.

Each message goes to a friend whose poll is held by another process, if there is one.
"""

from __future__ import annotations

import json
import re
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlencode

from benchmarks.machine import ROOT
from benchmarks.measures import Measure, NotMeasured
from benchmarks.processes import Running, daemon, freePort
from benchmarks.server.http import Socket, form, poll
from benchmarks.server.route import friend, message
from benchmarks.servers import writePopulation

PAIRS = 40
"""Number of pairs of a sender and a recipient."""

PAUSE = 0.02
"""Seconds between two messages while the delay is measured."""

SETTINGS = {"max_connections": "60", "shared_buffers": "128MB"}
"""The settings of PostgreSQL: each commit is on the disk before it is answered."""

MESSAGE = b'"poll_type":"message"'


@dataclass
class _Account:
    """
    An account that is signed on at a process.
    """

    port: int
    clientid: str
    ticket: str
    socket: Socket = field(init=False)

    def __post_init__(self) -> None:
        self.socket = Socket(self.port)

    def poll(self) -> None:
        """
        Send a poll.
        """
        self.socket.post("/channel/poll2", poll(self.ticket, self.clientid))


def _signOn(port: int, n: int, clientid: str) -> _Account:
    from txwebqq.wire.digests import passwordDigest, passwordHash, saltFor

    number = 20001 + n
    connection = Socket(port)
    found = connection.get(f"/check?uin={number}&appid=1003903&r=0.1").decode()
    code = re.findall("'(.*?)'", found)[1]
    digest = passwordDigest(passwordHash("p"), saltFor(number), code)
    fields = {"u": number, "p": digest, "verifycode": code, "aid": 1003903}
    connection.get(f"/login?{urlencode(fields)}")
    [ptwebqq] = re.findall(rb"ptwebqq=([^;]+)", connection.head)
    r = {"status": "online", "ptwebqq": ptwebqq.decode(), "clientid": clientid}
    connection.post("/channel/login2", form({**r, "psessionid": None}, "", clientid))
    ticket = json.loads(connection.read())["result"]["psessionid"]
    connection.close()
    return _Account(port, clientid, ticket)


@contextmanager
def _server(
    folder: Path, database: str, population: Path, name: str
) -> Iterator[Running]:
    """
    Run one server process during a C{with} block.
    """
    port = freePort()
    options = "--message-rate 0 --captcha never --address-requests 1000000"
    argv = [
        *(sys.executable, "-m", "twisted", "webqq-server", *options.split()),
        *("--listen", f"tcp:{port}:interface=127.0.0.1:backlog=1000"),
        *("--database", database, "--files", str(folder / "files")),
        *("--population", str(population)),
    ]
    with (folder / name).open("wb") as log:
        output = {"stdout": log, "stderr": subprocess.STDOUT}
        with daemon(argv, port, cwd=ROOT, **output) as running:
            yield running


def _delays(
    pairs: Sequence[tuple[_Account, _Account]], bodies: list[bytes]
) -> list[float]:
    """
    Measure the time from a send to the reply to the held poll of its recipient, one
    message after the other.
    """
    taken = []
    for n, body in enumerate(bodies):
        sender, recipient = pairs[n % len(pairs)]
        began = time.perf_counter()
        sender.socket.post("/channel/send_buddy_msg2", body)
        while MESSAGE not in recipient.socket.read():
            # A message that is not acknowledged is never lost, a presence may be.
            recipient.poll()
        taken.append(time.perf_counter() - began)
        recipient.poll()
        sender.socket.read()
        time.sleep(PAUSE)
    return taken


def _rate(
    pairs: Sequence[tuple[_Account, _Account]], bodies: list[list[bytes]]
) -> float:
    """
    Measure the messages delivered in a second, when each sender sends as soon as its
    message before was accepted.
    """
    poller = select.poll()
    accounts = {}
    for n, (sender, recipient) in enumerate(pairs):
        for account, isSender in ((sender, True), (recipient, False)):
            accounts[account.socket.fileno()] = n, account, isSender
            poller.register(account.socket, select.POLLIN)
    left = [iter(some) for some in bodies]
    wanted = sum(map(len, bodies))
    arrived = 0
    began = time.perf_counter()
    for (sender, _), some in zip(pairs, left, strict=True):
        sender.socket.post("/channel/send_buddy_msg2", next(some))
    while arrived < wanted:
        ready = poller.poll(60_000)
        if not ready:
            raise NotMeasured(f"{arrived} of {wanted} messages arrived")
        for descriptor, _ in ready:
            n, account, isSender = accounts[descriptor]
            reply = account.socket.read()
            if not isSender:
                arrived += reply.count(MESSAGE)
                account.poll()
                continue
            if not reply.startswith(b'{"retcode":0'):
                raise NotMeasured(f"a send was refused: {reply[:100]!r}")
            body = next(left[n], None)
            if body is not None:
                account.socket.post("/channel/send_buddy_msg2", body)
    return arrived / (time.perf_counter() - began)


def ours(processes: int, messages: int, delays: int) -> dict[str, float]:
    """
    Measure messages a second, and the delay.

    @param processes: the number of server processes, 0 for one with SQLite.
    @param messages: the number of messages of each sender.
    @param delays: the number of messages whose delay is measured.
    """
    from tests.postgresql.server import PostgreSQLServer, programs

    if processes and programs() is None:
        raise NotMeasured("PostgreSQL is not installed")
    with (
        tempfile.TemporaryDirectory(prefix="txwebqq-bench-") as name,
        ExitStack() as stack,
    ):
        folder = Path(name)
        population = writePopulation(folder, 2 * PAIRS, 1, 0)
        database = str(folder / "qq.db")
        if processes:
            # The folder of a measure is closed to the user of PostgreSQL.
            Path(tempfile.gettempdir()).chmod(0o711)
            postgreSQL = PostgreSQLServer(SETTINGS)
            stack.callback(postgreSQL.stop)
            postgreSQL.start()
            database = postgreSQL.url("postgres")
        servers = [
            stack.enter_context(_server(folder, database, population, f"{n}.log"))
            for n in range(max(1, processes))
        ]
        pairs = []
        for n in range(PAIRS):
            there = servers[n % len(servers)], servers[(n + 1) % len(servers)]
            pairs.append(
                (
                    _signOn(there[0].port, 2 * n, str(2 * n)),
                    _signOn(there[1].port, 2 * n + 1, str(2 * n + 1)),
                )
            )
        friends = [
            friend(Socket(sender.port), sender.ticket, sender.clientid)
            for sender, _ in pairs
        ]
        for _, recipient in pairs:
            recipient.poll()

        def bodies(n: int, first: int, count: int) -> list[bytes]:
            sender = pairs[n][0]
            return [
                message(friends[n], each, sender.ticket, sender.clientid)
                for each in range(first, first + count)
            ]

        some = [bodies(n % PAIRS, n, 1)[0] for n in range(delays)]
        taken = _delays(pairs, some)
        before = [server.cpu() for server in servers]
        wanted = [bodies(n, 10_000, messages) for n in range(PAIRS)]
        rate = _rate(pairs, wanted)
        spent = sum(
            server.cpu() - was for server, was in zip(servers, before, strict=True)
        )
    return {
        "rate": rate,
        "delay ms, median": median(taken) * 1e3,
        "delay ms, of one in a hundred": quantiles(taken, n=100)[98] * 1e3,
        "server CPU ms/message": spent / (PAIRS * messages) * 1e3,
    }


def _fleet(name: str, processes: int) -> Measure:
    return Measure(
        f"fleet-{name}",
        "benchmarks.many.fleet:ours",
        "",
        None,
        "messages/s",
        isLimit=False,
        size={"processes": processes, "messages": 250, "delays": 400},
        quickSize={"messages": 40, "delays": 60},
        rounds=3,
        quickRounds=1,
    )


MEASURES = [_fleet("sqlite", 0), *(_fleet(str(n), n) for n in (1, 2, 3))]
