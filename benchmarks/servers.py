"""
Servers for measures, each in its own process: C{python -m benchmarks.servers KIND
SIZE}.
"""

from __future__ import annotations

import atexit
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import SystemRandom
from typing import Any

from twisted.internet import reactor
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from benchmarks.processes import FILES, Running, allowFiles, child

DISTINCT = 20_000
"""Number of different events: eight clients remember 500 messages each."""


@contextmanager
def running(kind: str, **size: Any) -> Iterator[Running]:
    """
    Run a server in a new process during a C{with} block.
    """
    argv = [sys.executable, "-m", "benchmarks.servers", kind, json.dumps(size)]
    with child(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield Running(process.pid, int(process.stdout.readline()))


# ---- a server that replies to each poll at once


def event(kind: str, n: int) -> dict[str, Any]:
    """
    Make an event as servers sent it.

    @param n: a number that makes the ids differ from those of other events.
    """
    font = ["font", {"size": 10, "color": "000000", "style": [0, 0, 0], "name": "宋体"}]
    value: dict[str, Any] = {
        "msg_id": 10_000 + n,
        "from_uin": 2963008411,
        "to_uin": 10001,
        "msg_id2": 150_000 + n,
        "msg_type": 9,
        "reply_ip": 176498310,
        "time": 1366004047 + n,
        "content": [font, f"在吗 {n} ", ["face", 14], " "],
    }
    if kind == "group_message":
        value |= {"group_code": 1821777555, "send_uin": 2417766001, "seq": n}
        value |= {"info_seq": 200001, "msg_type": 43}
    return {"poll_type": kind, "value": value}


def bodies(events: int) -> list[bytes]:
    """
    Make replies to polls with C{events} events each, with more different
    messages than clients remember.
    """
    made = []
    for first in range(0, DISTINCT, events):
        some = [
            event("message" if n % 2 else "group_message", n)
            for n in range(first, first + events)
        ]
        text = json.dumps({"retcode": 0, "result": some}, separators=(",", ":"))
        made.append(text.encode())
    return made


class _Canned(Protocol):
    """
    The part of HTTP that a client needs which repeats one request.
    """

    def __init__(self, answers: list[bytes], counter: list[int]) -> None:
        self._answers = answers
        self._counter = counter
        self._buffer = b""

    def dataReceived(self, data: bytes) -> None:
        self._buffer += data
        head, mark, body = self._buffer.partition(b"\r\n\r\n")
        if not mark:
            return
        _, _, length = head.lower().partition(b"content-length: ")
        if length and len(body) < int(length.partition(b"\r\n")[0]):
            return
        self._buffer = b""
        self._counter[0] += 1
        assert self.transport is not None
        self.transport.write(self._answers[self._counter[0] % len(self._answers)])


def canned(events: int) -> Factory:
    """
    Make a server that replies to each poll with C{events} events.
    """
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
    answers = [
        b"%sContent-Length: %d\r\n\r\n%s" % (head, len(body), body)
        for body in bodies(events)
    ]
    counter = [0]
    return Factory.forProtocol(lambda: _Canned(answers, counter))


# ---- a server written by hand with twisted.web


class Bare(Resource):
    """
    Holds polls, and replies to them when another request comes: to all polls,
    or to those of the same client.
    """

    isLeaf = True

    def __init__(self, answer: bytes, byClient: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._answer = answer
        self._byClient = byClient
        self._held: dict[bytes, list[Request]] = {}

    def render_GET(self, request: Request) -> bytes:
        return b"ok"

    def render_POST(self, request: Request) -> Any:
        assert request.content is not None
        body = request.content.read()
        client = b""
        if self._byClient:
            client = body.partition(b"&clientid=")[2].partition(b"&")[0]
        if request.path.endswith(b"/poll2"):
            self._held.setdefault(client, []).append(request)
            return NOT_DONE_YET
        for waiting in self._held.pop(client, ()):
            waiting.setHeader(b"Content-Length", b"%d" % len(self._answer))
            waiting.write(self._answer)
            waiting.finish()
        return b'{"retcode":0,"result":"ok"}'


def bare(byClient: bool = False) -> Site:
    """
    Make a server without a protocol.
    """
    return Site(Bare(bodies(1)[0], byClient), parsePOSTFormSubmission=False)


# ---- the server of txwebqq


def writePopulation(
    folder: Path, accounts: int, friends: int, members: int, groups: int = 1
) -> Path:
    """
    Write a population file.

    @param friends: the number of friends of each account.
    @param members: the number of members of each group, the first accounts.

    @return: the file.
    """
    lines = [
        f'[[account]]\nnumber = {20001 + n}\npassword = "p"\nnick = "n{n}"\n'
        for n in range(accounts)
    ]
    # Each account and the next ones, modulo the number of accounts; or pairs.
    pairs = {
        tuple(sorted((n, (n + step) % accounts)))
        for n in range(accounts)
        for step in range(1, friends // 2 + 1)
    }
    if friends == 1:
        pairs = {(n, n + 1) for n in range(0, accounts - 1, 2)}
    lines += [
        f"[[friendship]]\nbetween = [{20001 + one}, {20001 + other}]\n"
        for one, other in sorted(pairs)
        if one != other
    ]
    for n in range(groups if members else 0):
        numbers = list(range(20001, 20001 + members))
        lines.append(
            f'[[group]]\nnumber = {300001 + n}\nname = "g{n}"\n'
            f"owner = 20001\nmembers = {numbers}\n"
        )
    path = folder / "people.toml"
    path.write_text("".join(lines), encoding="utf-8")
    return path


def webqq(accounts: int, friends: int = 2, members: int = 0) -> Any:
    """
    Make the server of txwebqq with a database. Two more paths sign on accounts
    at once and return a reply of any length.
    """
    from txwebqq.model import Number, Status
    from txwebqq.server.domain.state import Joined, ServerState
    from txwebqq.server.limits import ConnectionLimits
    from txwebqq.server.population import load
    from txwebqq.server.resource import WebQQResource
    from txwebqq.server.storage.populationimport import importPopulation
    from txwebqq.server.storage.store import Store

    folder = Path(tempfile.mkdtemp(prefix="txwebqq-bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if os.fork() == 0:
        # In another process, since memory that the import leaves free would be
        # used by the measure.
        store = Store(folder / "qq.db")
        importPopulation(
            store, load(writePopulation(folder, accounts, friends, members))
        )
        store.close()
        os._exit(0)
    os.wait()
    clock: Any = reactor
    state = ServerState(
        Store(folder / "qq.db"), clock, SystemRandom(), Logger().failure
    )

    class Server(WebQQResource):
        def render(self, request: Request) -> Any:
            if request.path == b"/bench/long":
                return b"x" * int(request.args[b"n"][0])
            if request.path != b"/bench/tickets":
                return super().render(request)
            tickets = []
            for n in range(int(request.args[b"n"][0])):
                pending = state.sessions.admit(Number(20001 + n))
                joined = state.join(pending, "", str(n), Status.ONLINE)
                assert isinstance(joined, Joined)
                tickets.append(f"{joined.psessionid} {joined.vfwebqq}")
            return "\n".join(tickets).encode()

    # All clients of a measure have the same address.
    unlimited = ConnectionLimits(connections=FILES, rate=1e9)
    return Server(state, clock, connections=unlimited).site()


def main(kind: str, size: dict[str, Any]) -> None:
    """
    Listen and print the port, until the parent process ends.
    """
    makers: dict[str, Any] = {"canned": canned, "bare": bare, "webqq": webqq}
    allowFiles(min(FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    real: Any = reactor
    factory = makers[kind](**size)
    port = real.listenTCP(0, factory, backlog=8192, interface="127.0.0.1")
    print(port.getHost().port, flush=True)
    parent = os.getppid()

    def look() -> None:
        if os.getppid() != parent:
            real.stop()

    LoopingCall(look).start(1.0)
    real.run()


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
