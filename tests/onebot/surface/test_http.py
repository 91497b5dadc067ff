"""
Calls and events over HTTP.
"""

from __future__ import annotations

import hmac
import json
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.logger import formatEvent
from twisted.web.server import Site

from tests.onebot.surface.bots import PostedTreq
from tests.onebot.surface.test_events import Scene
from tests.rig import CapturedLog
from txwebqq.onebot.authorization import GUESS_WINDOW, MAX_GUESSES
from txwebqq.onebot.surface import httpapi
from txwebqq.onebot.surface.config import HTTPSettings, PostSettings
from txwebqq.onebot.surface.httpapi import BoundedRequest, CallResource, HTTPListener
from txwebqq.onebot.surface.httppost import (
    MAX_WAITING,
    POST_TIMEOUT,
    STOP_TIME,
    EventPoster,
)
from txwebqq.onebot.surface.replies import Call
from txwebqq.testing import MemoryTreq

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
OK = "Bearer s3cret"


class Caller(Scene):
    """
    A scene, and HTTP requests to the account.
    """

    def __init__(self, token: str = "s3cret") -> None:
        super().__init__()
        settings = HTTPSettings("tcp:3000", token)
        self.resource = CallResource(self.bot.account, settings, self.web.clock.seconds)
        self.treq = MemoryTreq(self.resource)
        self.host = "bot.test"

    def request(
        self, method: str, path: str, body: str = "", **headers: str
    ) -> tuple[int, Any]:
        """
        Send a request.

        @return: the status, and the JSON of the body.
        """
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        asked: Deferred[Any] = self.treq.request(
            method, f"http://{self.host}{path}", headers=names, data=body.encode()
        )
        response = self._settled(asked)
        body = self._settled(response.text())
        isJSON = body.startswith("{")
        return response.code, json.loads(body) if isJSON else None

    def _settled(self, deferred: Deferred[Any]) -> Any:
        results: list[Any] = []
        deferred.addBoth(results.append)
        for _ in range(10):
            self.web.settle()
            self.treq.flush()
        return results[0]


@pytest.fixture
def caller() -> Caller:
    """
    The caller.
    """
    return Caller()


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status"),
    [
        ("GET", "/get_status", {}, "", 401),
        ("GET", "/get_status", {"Authorization": "Bearer x"}, "", 403),
        ("GET", "/get_status?access_token=s3cret", {}, "", 200),
        ("GET", "/get_status", {"Authorization": OK}, "", 200),
        ("GET", "/nothing", {"Authorization": OK}, "", 404),
        ("PUT", "/get_status", {"Authorization": OK}, "", 405),
        ("POST", "/x", {"Authorization": OK, "Content_Type": "text/xml"}, "<x/>", 406),
        ("POST", "/x", {"Authorization": OK, "Content_Type": JSON}, "{", 400),
        ("POST", "/x", {"Authorization": OK, "Content_Type": JSON}, "[]", 400),
        ("POST", "/get_msg", {"Authorization": OK, "Content_Type": JSON}, "{}", 200),
    ],
)
def test_status(
    caller: Caller,
    method: str,
    path: str,
    headers: dict[str, str],
    body: str,
    status: int,
) -> None:
    """
    The status tells what is wrong with a request; what was understood has 200.
    """
    code, reply = caller.request(method, path, body, **headers)
    assert code == status
    if status in (200, 404):
        assert {"status", "retcode", "data"} <= set(reply)


def test_guesses(caller: Caller) -> None:
    """
    Wrong tokens of an address are limited; the right one that was given there before
    is accepted.
    """
    for n in range(MAX_GUESSES):
        assert caller.request("GET", f"/get_status?access_token={n}")[0] == 403
    assert caller.request("GET", "/get_status", Authorization=OK)[0] == 429
    caller.web.clock.advance(GUESS_WINDOW)
    assert caller.request("GET", "/get_status", Authorization=OK)[0] == 200
    for n in range(MAX_GUESSES):
        caller.request("GET", f"/get_status?access_token={n}")
    assert caller.request("GET", "/get_status?access_token=x")[0] == 429
    assert caller.request("GET", "/get_status", Authorization=OK)[0] == 200


def test_forms(caller: Caller) -> None:
    """
    Parameters come in the query, as a form or as JSON.
    """
    caller.alice.run()
    number = caller.alice.number
    for method, path, kind, body in (
        ("GET", f"/send_private_msg?user_id={number}&message=1%20%5Bx", JSON, ""),
        ("POST", "/send_private_msg", FORM, f"user_id={number}&message=2+%E8%8C%B6"),
        (
            "POST",
            "/send_msg",
            f"{JSON}; charset=utf-8",
            json.dumps({"user_id": str(number), "message": [{"type": "face"}, "3"]}),
        ),
    ):
        code, reply = caller.request(
            method, path, body, Authorization=OK, Content_Type=kind
        )
        assert code == 200
        assert reply["status"] == "ok", reply
    assert caller.alice.heard == ["1 [x", "2 茶", "[face-1]3"]


def test_browser() -> None:
    """
    Without a token a page in a browser is refused, also when it asks for a picture,
    which tells no origin, or has given this machine a name of its own.
    """
    caller = Caller("")
    for host in ("localhost", "127.0.0.1:3000"):
        caller.host = host
        assert caller.request("GET", "/get_status")[0] == 200
    for headers in (
        {"Origin": "http://evil.example"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "none"},
    ):
        assert caller.request("GET", "/get_status", **headers)[0] == 403
    for host in ("evil.example:3000", "localhost.evil.example", "127.0.0.1.evil"):
        caller.host = host
        assert caller.request("GET", "/get_status")[0] == 403


def test_refusalsLogged(caller: Caller) -> None:
    """
    The log tells why a call was refused, and no token.
    """
    with CapturedLog() as log:
        caller.request("GET", "/get_status")
        caller.request("GET", "/get_status?access_token=wrong")
        Caller("").request("GET", "/get_status")
    for reason in ("a token is needed", "the token is wrong", "has to be localhost"):
        assert reason in log.text
    assert "access_token" not in log.text


def test_notASCII() -> None:
    """
    A token need not be ASCII.
    """
    caller = Caller("绿茶")
    given = "Bearer 绿茶"
    assert caller.request("GET", "/get_status", Authorization=given)[0] == 200
    assert (
        caller.request("GET", "/get_status?access_token=%E7%BB%BF%E8%8C%B6")[0] == 200
    )


def test_stop() -> None:
    """
    The end of the service drops the calls that have not begun.
    """
    scene = Scene()
    clock: Any = scene.web.clock
    reactor: Any = MemoryReactorClock()
    listener: Any = HTTPListener(
        scene.bot.account, HTTPSettings("tcp:3000:interface=127.0.0.1"), reactor
    )
    listener.startService()
    before = len(clock.getDelayedCalls())
    for _ in range(2):
        call = Call("get_status_rate_limited", {}, {})
        listener.resource.dispatcher.perform(call)
    assert len(clock.getDelayedCalls()) > before
    listener.stopService()
    assert len(clock.getDelayedCalls()) == before


def test_longBody(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A body that is too long is not kept, and refused.
    """
    monkeypatch.setattr(httpapi, "MAX_BODY", 10)
    site: Any = Site(caller.resource, requestFactory=BoundedRequest)
    protocol = site.buildProtocol(None)
    transport = StringTransport()
    protocol.makeConnection(transport)
    protocol.dataReceived(
        b"POST /get_status HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer s3cret\r\n"
        b"Content-Type: application/json\r\nContent-Length: 13\r\n\r\n" + b"x" * 6
    )
    protocol.dataReceived(b"x" * 6)
    (request,) = protocol._channel.requests
    assert request.content.tell() == 6
    protocol.dataReceived(b"x")
    assert transport.value().startswith(b"HTTP/1.1 413 ")
    protocol.connectionLost(None)


class Posted(Scene):
    """
    A scene whose events are posted.
    """

    def __init__(self, secret: str = "") -> None:
        super().__init__()
        self.treq = PostedTreq()
        settings = PostSettings("http://bot.test/", secret)
        self.poster = EventPoster(self.bot.account, settings, self.treq)
        self.poster.startService()
        self.web.settle()
        self.treq.answer()
        self.web.settle()


def test_posted() -> None:
    """
    Events are posted one after the other, signed, and the first is that of the
    lifecycle.
    """
    scene = Posted("key")
    first, headers, body = scene.treq.posted[0]
    assert (first["meta_event_type"], first["sub_type"]) == ("lifecycle", "enable")
    assert headers["X-Self-ID"] == str(scene.person.number)
    expected = hmac.new(b"key", body, "sha1").hexdigest()
    assert headers["X-Signature"] == f"sha1={expected}"
    scene.alice.tell(scene.person, "one")
    scene.alice.tell(scene.person, "two")
    scene.web.settle(1)
    assert [e["raw_message"] for e, _, _ in scene.treq.posted[1:]] == ["one"]
    scene.treq.answer(200, b"ok")
    scene.web.settle()
    assert scene.treq.posted[-1][0]["raw_message"] == "two"
    assert "X-Signature" not in Posted().treq.posted[0][1]


def test_quickOperation() -> None:
    """
    The answer of the bot may be a quick operation.
    """
    scene = Posted()
    scene.alice.tell(scene.person, "ping")
    scene.web.settle(1)
    scene.treq.answer(200, b'{"reply":"pong","auto_escape":true}')
    scene.web.settle()
    assert scene.alice.heard == ["pong"]


def test_postFails() -> None:
    """
    An event that is not taken, or not in time, is lost, and the next one is posted;
    the log tells of it once, and how many were lost.
    """
    scene = Posted()
    with CapturedLog() as log:
        for word in ("one", "two", "three"):
            scene.alice.tell(scene.person, word)
        scene.web.settle(1)
        scene.treq.answer(500)
        scene.web.settle(POST_TIMEOUT + 1)
        assert scene.treq.posted[-1][0]["raw_message"] == "three"
        scene.treq.waiting = scene.treq.waiting[-1:]
        scene.treq.answer()
        scene.web.settle()
    lines = [
        formatEvent(event)
        for event in log.events
        if event["log_namespace"].endswith("EventPoster")
    ]
    assert len(lines) == 2
    assert "HTTP 500" in lines[0]
    assert "2 were lost" in lines[1]


def test_neverAnswers() -> None:
    """
    The log tells that a bot did not answer in time.
    """
    scene = Posted()
    with CapturedLog() as log:
        scene.alice.tell(scene.person, "one")
        scene.web.settle(POST_TIMEOUT + 1)
    assert "no complete reply within 30 s" in log.text


def test_stopWhilePosting() -> None:
    """
    Stopping during a request ends it after some seconds, without a line in the log, and
    leaves nothing on the clock.
    """
    scene = Posted()
    clock: Any = scene.web.clock
    before = len(clock.getDelayedCalls())
    scene.bot.account.notice("friend_add", user_id=1)
    with CapturedLog() as log:
        stopped = scene.poster.stopService()
        scene.web.settle(STOP_TIME)
    assert scene.web.result(stopped) is None
    assert len(clock.getDelayedCalls()) == before
    assert "failed" not in log.text


def test_slowBot() -> None:
    """
    Events for a bot that never answers do not pile up, and stopping drops them.
    """
    scene = Posted()
    for n in range(MAX_WAITING + 10):
        scene.bot.account.notice("friend_add", user_id=n)
    assert len(scene.treq.posted) == 2
    assert len(scene.poster._waiting) == MAX_WAITING
    scene.poster.stopService()
    scene.bot.account.notice("friend_add", user_id=1)
    scene.web.settle(POST_TIMEOUT)
    assert len(scene.treq.posted) == 2
