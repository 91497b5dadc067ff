"""
The WebQQ server of txwebqq as shipped, and sessions of its clients in plain HTTP.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from benchmarks.peers.chat import WAIT, ChatServer, Population
from benchmarks.peers.connection import HTTPConnection
from benchmarks.peers.processes import (
    ServerProcess,
    running,
    temporaryFolder,
)
from benchmarks.processes import freePort
from txwebqq.server.population import load
from txwebqq.server.storage.populationimport import importPopulation
from txwebqq.server.storage.store import Store
from txwebqq.wire.digests import passwordDigest, passwordHash, saltFor

ROOT = Path(__file__).parents[2]

FIRST = 20001
"""The number of the first account."""

GROUP = 300001
"""The number of the first group."""

PASSWORD = "p"

FONT = ["font", {"name": "Arial", "size": "10", "style": [0, 0, 0], "color": "000000"}]

UNLIMITED = "1000000"
"""The limits are checked, but all clients of a measure have one address."""

_FORM = "application/x-www-form-urlencoded"

_PLACE = b"987654321"
"""The place of C{ack} in the body of polls."""

_ACK = re.compile(rb'"ack":(\d+)')


def twistd() -> str:
    """
    Return the path of twistd.
    """
    return str(Path(sys.executable).with_name("twistd"))


def writeDatabase(folder: Path, population: Population) -> Path:
    """
    Write the database of a server. This process does it, since memory that the
    import leaves free would be used by the measure.

    @return: the file.
    """
    lines = [
        f'[[account]]\nnumber = {FIRST + n}\npassword = "{PASSWORD}"\nnick = "{n}"\n'
        for n in range(population.accounts)
    ]
    lines += [
        f"[[friendship]]\nbetween = [{FIRST + one}, {FIRST + other}]\n"
        for one, other in population.friendships()
    ]
    numbers = list(range(FIRST, FIRST + population.members))
    lines += [
        f'[[group]]\nnumber = {GROUP + n}\nname = "{GROUP + n}"\nowner = {FIRST}\n'
        f"members = {numbers}\n"
        for n in range(population.groups if population.members else 0)
    ]
    people = folder / "people.toml"
    people.write_text("".join(lines), encoding="utf-8")
    file = folder / "qq.db"
    store = Store(file)
    importPopulation(store, load(people))
    store.close()
    return file


class WebQQSession:
    """
    A session of WebQQ (L{ChatSession<benchmarks.peers.chat.ChatSession>}): polls have
    a connection, everything else has another, as in a browser. It acknowledges with
    C{ack}, as the client of txwebqq does.
    """

    def __init__(self, port: int, n: int) -> None:
        self.received = 0
        self._port = port
        self._n = n
        self._polls = HTTPConnection(port, _FORM)
        self._others: HTTPConnection | None = None
        self._clientid = f"{10_000_000 + n}"
        self._psessionid = ""
        self._vfwebqq = ""
        self._uins: dict[int, int] = {}
        self._gid = 0
        self._count = 0
        self._poll = b"", b""

    def signOn(self) -> None:
        number = FIRST + self._n
        connection = self._polls
        found = connection.get(f"/check?uin={number}&appid=1003903&r=0.1").decode()
        code = re.findall("'(.*?)'", found)[1]
        fields = {
            "u": number,
            "p": passwordDigest(passwordHash(PASSWORD), saltFor(number), code),
            "verifycode": code,
            "webqq_type": 10,
            "aid": 1003903,
        }
        connection.get(f"/login?{urlencode(fields)}")
        cookies = dict(
            re.findall(r"(?im)^set-cookie: (\w+)=([^;\r]*)", _head(connection))
        )
        members = {
            "status": "online",
            "ptwebqq": cookies["ptwebqq"],
            "passwd_sig": "",
            "clientid": self._clientid,
            "psessionid": None,
        }
        result = self._ask(connection, "/channel/login2", members)
        self._psessionid = result["psessionid"]
        self._vfwebqq = result["vfwebqq"]
        found = self._ask(
            connection,
            "/api/get_user_friends2",
            {"h": "hello", "hash": "", "vfwebqq": self._vfwebqq},
        )
        self._uins = {int(one["nick"]): one["uin"] for one in found["info"]}
        members = {
            "clientid": self._clientid,
            "psessionid": self._psessionid,
            "key": 0,
            "ids": [],
            "ack": int(_PLACE),
        }
        head, _, tail = self._form(members).partition(_PLACE)
        self._poll = head, tail
        self._sendPoll(0)

    def _sendPoll(self, ack: int) -> None:
        head, tail = self._poll
        self._polls.post("/channel/poll2", b"%s%d%s" % (head, ack, tail))

    def joinGroup(self) -> None:
        # Members of a group are in it from the sign-on; only the sender has to know
        # its id.
        members = {"vfwebqq": self._vfwebqq, "hash": ""}
        found = self._ask(self._other, "/api/get_group_name_list_mask2", members)
        gids = {int(one["name"]): one["gid"] for one in found["gnamelist"]}
        self._gid = gids[GROUP]

    def send(self, to: int, text: str) -> None:
        self._say("send_buddy_msg2", {"to": self._uins[to], "face": 0}, text)

    def sendToGroup(self, text: str) -> None:
        self._say("send_qun_msg2", {"group_uin": self._gid}, text)

    def _say(self, path: str, members: Mapping[str, object], text: str) -> None:
        self._count += 1
        found = {
            **members,
            "content": json.dumps([text, FONT]),
            "msg_id": 1000 + self._count,
            "clientid": self._clientid,
            "psessionid": self._psessionid,
        }
        self._other.post(f"/channel/{path}", self._form(found))

    def awaitSent(self) -> None:
        reply = self._other.read()
        if b'"retcode":0' not in reply:
            raise SystemExit(f"a message was refused: {reply!r}")

    def awaitReceived(self, count: int) -> None:
        while self.received < count:
            self._readPoll()

    def readPending(self) -> None:
        while self._polls.isReadable():
            self._readPoll()

    def _readPoll(self) -> None:
        reply = self._polls.read()
        ack = _ACK.search(reply)
        self._sendPoll(int(ack[1]) if ack else 0)
        self.received += reply.count(b'"poll_type":"message"')
        self.received += reply.count(b'"poll_type":"group_message"')

    def fileno(self) -> int:
        return self._polls.fileno()

    def close(self) -> None:
        self._polls.close()
        if self._others is not None:
            self._others.close()

    @property
    def _other(self) -> HTTPConnection:
        if self._others is None:
            self._others = HTTPConnection(self._port, _FORM)
        return self._others

    def _form(self, members: Mapping[str, object]) -> bytes:
        text = quote(json.dumps(members, separators=(",", ":")))
        return (
            f"r={text}&clientid={self._clientid}&psessionid={self._psessionid}".encode()
        )

    def _ask(
        self, connection: HTTPConnection, path: str, members: Mapping[str, object]
    ) -> Any:
        connection.post(path, self._form(members))
        answer = json.loads(connection.read())
        if answer["retcode"]:
            raise SystemExit(f"{path} was refused: {answer}")
        return answer["result"]


def _head(connection: HTTPConnection) -> str:
    return connection.head.decode("latin-1")


class WebQQServer:
    """
    A running server (L{ChatServer<benchmarks.peers.chat.ChatServer>}).
    """

    echoesGroup = False

    def __init__(self, process: ServerProcess, port: int) -> None:
        self.process = process
        self.port = port

    def session(self, n: int) -> WebQQSession:
        return WebQQSession(self.port, n)


class WebQQStarter:
    """
    Starts the server of txwebqq (L{Starter<benchmarks.peers.chat.Starter>}).
    """

    def check(self) -> None:
        pass

    @contextmanager
    def __call__(self, population: Population) -> Iterator[ChatServer]:
        with temporaryFolder() as folder:
            database = writeDatabase(folder, population)
            port = freePort()
            argv = [twistd(), "-n", "--pidfile=", "webqq-server"]
            argv += ["--listen", f"tcp:{port}:interface=127.0.0.1"]
            argv += ["--database", str(database), "--poll-timeout", f"{WAIT}"]
            argv += ["--message-rate", UNLIMITED]
            argv += ["--address-connections", UNLIMITED]
            argv += ["--address-requests", UNLIMITED]
            with running(argv, folder, {"PYTHONPATH": str(ROOT)}) as process:
                process.awaitPort(port)
                yield WebQQServer(process, port)
