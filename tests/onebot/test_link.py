"""
The link to a OneBot program: calls and their answers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from tests.onebot.rawsocket import (
    CLOSE,
    TEXT,
    RawPeer,
    accepted,
    closeFrame,
    frame,
)
from txwebqq.errors import (
    LoginRefused,
    MalformedReply,
    NotSent,
    RequestRefused,
    Unreachable,
)
from txwebqq.model import Number
from txwebqq.onebot.handshakes import ClientWebSocket
from txwebqq.onebot.link import CALL_TIMEOUT, OneBotLink


class Listener:
    """
    Records what comes.
    """

    def __init__(self) -> None:
        self.events: list[Mapping[str, Any]] = []
        self.ends: list[Exception] = []

    def eventReceived(self, event: Mapping[str, Any]) -> None:
        """
        Record it.
        """
        self.events.append(event)

    def linkLost(self, reason: Exception) -> None:
        """
        Record it.
        """
        self.ends.append(reason)


class LinkTests(SynchronousTestCase):
    """
    One link over one WebSocket.
    """

    def setUp(self) -> None:
        """
        Open one.
        """
        self.clock = Clock()
        self.listener = Listener()
        self.link = OneBotLink(Number(10001), self.listener, self.clock)
        self.opened: list[Any] = []
        self.link.whenOpen.addBoth(self.opened.append)
        self.peer = self.connect()

    def connect(self) -> RawPeer:
        """
        Open a WebSocket.
        """
        peer = RawPeer(
            ClientWebSocket(self.link, self.clock, "localhost", "/", (), set())
        )
        peer.give(accepted(peer.written()))
        return peer

    def give(self, value: Any) -> None:
        """
        Have a frame come.
        """
        text = value if isinstance(value, str) else json.dumps(value)
        self.peer.give(frame(TEXT, text.encode()))

    def asked(self) -> list[dict[str, Any]]:
        """
        Return the calls that were made since the last time.
        """
        return [json.loads(text) for kind, text in self.peer.frames() if kind == TEXT]

    def over(self) -> None:
        """
        Lose the connection; nothing is left.
        """
        self.peer.lose()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_open(self) -> None:
        """
        The link is open when its WebSocket is.
        """
        self.assertEqual(self.opened, [None])
        self.assertTrue(self.link.isOpen)
        self.over()
        self.assertFalse(self.link.isOpen)

    def test_call(self) -> None:
        """
        A call is answered by the frame with its echo.
        """
        called = self.link.call("get_status", {"x": "漢"})
        ((call),) = self.asked()
        self.assertEqual((call["action"], call["params"]), ("get_status", {"x": "漢"}))
        self.give({"status": "ok", "retcode": 0, "data": [1], "echo": call["echo"]})
        self.assertEqual(self.successResultOf(called), [1])
        self.over()

    def test_otherOrder(self) -> None:
        """
        Answers may come in another order; each is for its own call.
        """
        calls = [self.link.call(f"a{n}") for n in range(5)]
        for asked in self.asked()[::-1]:
            self.give({"status": "ok", "data": asked["action"], "echo": asked["echo"]})
        self.assertEqual(
            [self.successResultOf(call) for call in calls],
            ["a0", "a1", "a2", "a3", "a4"],
        )
        self.over()

    def test_unknownEcho(self) -> None:
        """
        An answer to no call, or a second answer, changes nothing.
        """
        called = self.link.call("x")
        ((asked),) = self.asked()
        echoes: list[Any] = ["999", None, 1, {"seq": 1}, [], "", 1.5]
        for echo in echoes:
            self.give({"status": "ok", "data": 1, "echo": echo})
        self.give({"status": "failed", "retcode": 1400, "message": "json解析失败"})
        self.assertNoResult(called)
        self.give({"status": "ok", "data": 2, "echo": asked["echo"]})
        self.give({"status": "ok", "data": 3, "echo": asked["echo"]})
        self.assertEqual(self.successResultOf(called), 2)
        self.over()

    def test_failures(self) -> None:
        """
        A failed answer is a refusal, with the reason where there is one.
        """
        for answer, code, reason in (
            ({"retcode": 1200, "message": "m", "wording": "w"}, 1200, "w"),
            ({"retcode": 100, "msg": "MSG"}, 100, "MSG"),
            ({"retcode": None, "message": None}, -1, "without a reason"),
            ({"retcode": "404", "wording": {}}, 404, "without a reason"),
            ({}, -1, "without a reason"),
        ):
            called = self.link.call("send_msg")
            ((asked),) = self.asked()
            self.give({"status": "failed", "echo": asked["echo"], **answer})
            error = self.failureResultOf(called, RequestRefused).value
            self.assertEqual(error.retcode, code)
            self.assertIn(f"send_msg was refused: {reason}", str(error))
        self.over()

    def test_statuses(self) -> None:
        """
        An answer without a status is malformed; C{async} is a success.
        """
        called = self.link.call("x")
        self.give({"retcode": 0, "echo": self.asked()[0]["echo"]})
        self.failureResultOf(called, MalformedReply)
        called = self.link.call("x_async")
        self.give({"status": "async", "data": None, "echo": self.asked()[0]["echo"]})
        self.assertIsNone(self.successResultOf(called))
        self.over()

    def test_timeout(self) -> None:
        """
        A call without an answer fails, and says that it may have been carried out;
        a late answer changes nothing.
        """
        called = self.link.call("send_msg")
        ((asked),) = self.asked()
        for _ in range(int(CALL_TIMEOUT)):
            self.assertNoResult(called)
            self.give({"post_type": "notice"})
            self.clock.advance(1)
        error = self.failureResultOf(called, Unreachable).value
        self.assertNotIsInstance(error, NotSent)
        self.assertIn("may have been carried out", str(error))
        self.give({"status": "ok", "data": 1, "echo": asked["echo"]})
        self.over()

    def test_largeCall(self) -> None:
        """
        A call with a picture may take longer.
        """
        called = self.link.call("send_msg", {"file": "x" * 10 * 1024 * 1024})
        for _ in range(int(CALL_TIMEOUT) + 39):
            self.give({"post_type": "notice"})
            self.clock.advance(1)
        self.assertNoResult(called)
        self.clock.advance(1)
        self.failureResultOf(called, Unreachable)
        self.over()

    def test_lost(self) -> None:
        """
        When the link is lost, all calls under way fail, after the listener was told;
        later ones are not sent.
        """
        calls = [self.link.call("x") for _ in range(3)]
        endsBefore: list[int] = []

        def failed(failure: Failure) -> Failure:
            endsBefore.append(len(self.listener.ends))
            return failure

        calls[0].addErrback(failed)
        self.over()
        for call in calls:
            error = self.failureResultOf(call, Unreachable).value
            self.assertIn("may have been carried out", str(error))
        self.assertEqual(endsBefore, [1])
        self.assertIsInstance(self.listener.ends[0], Unreachable)
        self.failureResultOf(self.link.call("y"), NotSent)

    def test_cancel(self) -> None:
        """
        A call can be cancelled.
        """
        called = self.link.call("x")
        called.addErrback(lambda failure: None)
        called.cancel()
        self.give({"status": "ok", "data": 1, "echo": self.asked()[0]["echo"]})
        self.over()

    def test_notJSON(self) -> None:
        """
        Values that JSON lacks are not sent.
        """
        self.failureResultOf(self.link.call("x", {"n": float("nan")}), NotSent)
        self.failureResultOf(self.link.call("x", {"n": "\ud800"}), NotSent)
        self.assertEqual(self.asked(), [])
        self.over()

    def test_strangeFrames(self) -> None:
        """
        Frames that are neither events nor answers are ignored.
        """
        for text in (
            "",
            "{",
            "null",
            "[]",
            "1",
            '"x"',
            "{}",
            "[" * 100_000,
            '{"post_type": null}',
            '{"echo": null, "status": null}',
        ):
            self.give(text)
        self.give({"post_type": "notice", "n": 1})
        self.assertEqual(self.listener.events, [{"post_type": "notice", "n": 1}])
        self.assertTrue(self.link.isOpen)
        self.over()

    def test_halfSurrogates(self) -> None:
        """
        Halves of surrogate pairs are replaced: they could not be written as UTF-8.
        """
        self.give('{"post_type": "notice", "text": "a\\ud83d"}')
        self.assertEqual(self.listener.events[0]["text"], "a\ufffd")
        self.over()

    def test_tokenByFrame(self) -> None:
        """
        A first frame with retcode 1403 refuses the token; that is not a loss.
        """
        called = self.link.call("get_login_info")
        self.give({"status": "failed", "retcode": 1403, "data": None, "echo": None})
        (end,) = self.listener.ends
        self.assertIsInstance(end, LoginRefused)
        self.failureResultOf(called, Unreachable)
        self.peer.give(closeFrame(1000))
        self.over()
        self.assertEqual(len(self.listener.ends), 1)

    def test_laterRefusal(self) -> None:
        """
        A later frame of that kind is not about the token.
        """
        self.give({"post_type": "meta_event"})
        self.give({"status": "failed", "retcode": 1403, "data": None, "echo": None})
        self.assertEqual(self.listener.ends, [])
        self.over()

    def test_close(self) -> None:
        """
        Closing the link closes its WebSocket.
        """
        called = self.link.call("x")
        self.peer.frames()
        closed = self.link.close("bye")
        self.failureResultOf(called, Unreachable)
        self.give({"post_type": "notice"})
        self.assertEqual((self.listener.events, self.listener.ends), ([], []))
        self.assertEqual([kind for kind, _ in self.peer.frames()], [CLOSE])
        self.failureResultOf(self.link.call("x"), NotSent)
        self.over()
        self.successResultOf(closed)


class UnopenedTests(SynchronousTestCase):
    """
    A link that does not open.
    """

    def unopened(self) -> tuple[Clock, Listener, OneBotLink, RawPeer]:
        """
        Ask for a handshake.
        """
        clock, listener = Clock(), Listener()
        link = OneBotLink(Number(10001), listener, clock)
        peer = RawPeer(ClientWebSocket(link, clock, "localhost", "/", (), set()))
        return clock, listener, link, peer

    def test_refused(self) -> None:
        """
        HTTP 401 and 403 refuse the token; other refusals are failures.
        """
        for status, kind in (
            (401, LoginRefused),
            (403, LoginRefused),
            (404, Unreachable),
            (502, Unreachable),
        ):
            clock, listener, link, peer = self.unopened()
            peer.give(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode())
            peer.lose()
            self.failureResultOf(link.whenOpen, kind)
            self.assertEqual((listener.ends, clock.getDelayedCalls()), ([], []))

    def test_intercepted(self) -> None:
        """
        A page of HTML in the place of a refusal is none of the program's: it is tried
        again later.
        """
        for page, kind in (
            (b"<!DOCTYPE html><p>Log in first", Unreachable),
            (b"Unauthorized", LoginRefused),
        ):
            _, _, link, peer = self.unopened()
            head = "HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\n"
            length = f"Content-Length: {len(page)}\r\n\r\n"
            peer.give(f"{head}{length}".encode() + page)
            peer.lose()
            self.failureResultOf(link.whenOpen, kind)

    def test_givenUp(self) -> None:
        """
        A link that is given up is not told of.
        """
        clock, listener, link, peer = self.unopened()
        link.whenOpen.addErrback(lambda failure: None)
        link.whenOpen.cancel()
        peer.lose()
        self.assertEqual((listener.ends, clock.getDelayedCalls()), ([], []))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["post_type", "echo", "status", "retcode", "data", "message", "msg"]
                )
                | st.text(max_size=3),
                inner,
                max_size=5,
            )
        ),
        max_leaves=12,
    )
)
def test_anyFrame(value: Any) -> None:
    """
    No JSON raises.
    """
    clock = Clock()
    link = OneBotLink(Number(1), Listener(), clock)
    peer = RawPeer(ClientWebSocket(link, clock, "localhost", "/", (), set()))
    peer.give(accepted(peer.written()))
    called = link.call("x")
    called.addErrback(lambda failure: None)
    if isinstance(value, dict):
        value = {"echo": "1", **value}
    peer.give(frame(TEXT, json.dumps(value).encode()))
    peer.lose()
    assert clock.getDelayedCalls() == []
