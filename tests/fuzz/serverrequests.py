"""
Requests to the server, of accounts that are signed on.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any
from urllib.parse import quote_from_bytes

from tests.fuzz.hostile import damage, mutate, one, text, write
from tests.fuzz.http import Message, query, request, sent
from tests.server.forms import BOUNDARY, JPG, form
from tests.server.harness import (
    ALICE,
    BOB,
    CATS,
    POPULATION,
    HTTPClient,
    ServerHarness,
    Wire,
    textsOf,
)
from tests.wire.rows import (
    CLIENTID,
    LIN,
    ME,
    PSESSIONID,
    PTWEBQQ,
    TEAHOUSE,
    TEAHOUSE_CODE,
    VFWEBQQ,
    Row,
)
from tests.wire.test_hostile import ROWS
from txwebqq.model import Number
from txwebqq.wire.multipart import UploadCommand

ERIN, FRANK = Number(20001), Number(20002)

_POPULATION = f"""
{POPULATION}
[[account]]
number = {ERIN}
password = "e"

[[account]]
number = {FRANK}
password = "f"

[[friendship]]
between = [{ERIN}, {FRANK}]
"""

_POST = {b"Content-Type": b"application/x-www-form-urlencoded"}
_FORM = {b"Content-Type": b"multipart/form-data; boundary=%s" % BOUNDARY.encode()}
_COOKIES = {b"Cookie": b"uin=o%d; skey=SKEY; ptwebqq=%s" % (ME, PTWEBQQ.encode())}


def make(random: Random) -> Message:
    """
    Make a request of one of the commands.
    """
    row: Row = one(random, ROWS)
    command = row.command
    pairs = [
        (name, _parameter(random, name, text_))
        for name, text_ in row.request.encodeFields()
        if random.random() < 0.98
    ]
    if random.random() < 0.05:
        pairs.append((one(random, ("r", "t", "vfwebqq", "callback")), b"%ff"))
    target = command.path.encode() + query(random)
    headers = dict(_COOKIES) if random.random() < 0.3 else {}
    if isinstance(row.request, UploadCommand):
        return request(
            random, b"POST", target, _file(random, row, pairs), headers | _FORM
        )
    encoded = b"&".join(
        name.encode() + b"=" + (raw if random.random() < 0.1 else _quoted(raw))
        for name, raw in pairs
    )
    if random.random() < 0.05:
        encoded = damage(random, encoded)
    if command.method == "GET":
        return request(random, b"GET", target + b"&" + encoded, b"", headers)
    return request(random, b"POST", target, encoded, headers | _POST)


def _quoted(raw: bytes) -> bytes:
    return quote_from_bytes(raw).encode()


def _parameter(random: Random, name: str, given: str) -> bytes:
    raw = given.encode("utf-8", "surrogatepass")
    if not given.startswith(("{", "[")):
        isKept = random.random() < 0.85
        return raw if isKept else text(random).encode("utf-8", "surrogatepass")
    try:
        value: Any = json.loads(given)
    except ValueError:
        return damage(random, raw)
    content = value.get("content") if isinstance(value, dict) else None
    if isinstance(content, str) and random.random() < 0.5:
        value["content"] = write(random, mutate(random, json.loads(content))).decode(
            "utf-8", "replace"
        )
    return write(random, mutate(random, value) if random.random() < 0.7 else value)


def _file(random: Random, row: Row, pairs: list[tuple[str, bytes]]) -> bytes:
    command: Any = row.command
    fields = {name: raw.decode("utf-8", "replace") for name, raw in pairs}
    name = text(random).encode("utf-8", "surrogatepass")
    data = one(random, (JPG, b"", b"\x89PNG\r\n\x1a\n", b"--" + BOUNDARY.encode()))
    body = form(fields, command.fileField, name, data)
    return damage(random, body) if random.random() < 0.4 else body


class ServerTarget:
    """
    A server to which Alice and Bob are signed on.
    """

    def __init__(self) -> None:
        self._harness = ServerHarness(population=_POPULATION)
        self._signOn()

    def _signOn(self) -> None:
        self._alice, self._bob = map(self._harness.client, (ALICE, BOB))
        session = self._harness.state.sessions.online(ALICE)
        assert session is not None
        alice = self._alice
        self._live = [
            (PSESSIONID.encode(), alice.psessionid.encode()),
            (VFWEBQQ.encode(), alice.vfwebqq.encode()),
            (PTWEBQQ.encode(), alice.ptwebqq.encode()),
            (b"SKEY", alice.skey.encode()),
            (CLIENTID.encode(), alice.clientid.encode()),
            (b"%d" % LIN, b"%d" % alice.uin(BOB)),
            (b"%d" % ME, b"%d" % ALICE),
            (b"%d" % TEAHOUSE, b"%d" % alice.gid),
            (b"%d" % TEAHOUSE_CODE, b"%d" % session.sessionIds.code(CATS)),
        ]

    def feed(self, item: Message) -> None:
        framing, start, body, sizes = item
        for name, live in self._live:
            start, body = start.replace(name, live), body.replace(name, live)
        wire = Wire(self._harness, "192.0.2.1")
        for segment in sent((framing, start, body, sizes)):
            if not (wire.isAborted or wire.transport.disconnecting):
                wire.send(segment)
        for _ in range(3):
            self._harness.clock.advance(0.01)
        wire.close()

    def check(self) -> None:
        self._harness.clock.advance(2000)
        # Alice may have removed her friends and left her group by then.
        erin, frank = self._client(ERIN, "e"), self._client(FRANK, "f")
        erin.catchUp()
        assert frank.tell(ERIN, "still here").json["retcode"] == 0
        assert textsOf(erin.poll().response) == ["still here"]
        self._signOn()

    def _client(self, number: Number, password: str) -> HTTPClient:
        client = HTTPClient(self._harness, number)
        response = client.tryLogin(password, client.check()[1])
        client.ptwebqq = response.cookies["ptwebqq"]
        client.join()
        return client

    def close(self) -> None:
        self._harness.disconnectAll()
        self._harness.server.stop()
