"""
Talking, from the callback interface to the server and back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from msgspec.structs import replace
from twisted.internet.defer import Deferred, DeferredLock
from twisted.trial.unittest import SynchronousTestCase

from txwebqq.errors import MessageTooLong, NotSignedOn, PartlySent, RequestRefused
from txwebqq.model import (
    WEB_CLIENT,
    Content,
    Did,
    Face,
    Font,
    Gid,
    Message,
    Segment,
    Sent,
    Shake,
    Status,
    StatusChange,
    Text,
    Typing,
    Uin,
    UnknownSegment,
    plainText,
)
from txwebqq.protocol import WebQQFactory, WebQQProtocol
from txwebqq.requests.messages import DEFAULT_FONT, MessageRequests
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.testing import MemoryPerson, MemoryWebQQ, RecordingProtocol
from txwebqq.wire.command import Command
from txwebqq.wire.commands.messages import Poll2, SendBuddyMsg2
from txwebqq.wire.commands.signon import Logout2
from txwebqq.wire.form import Ticket

LONG = 20_000


class FriendsTestCase(SynchronousTestCase):
    """
    Alice and Bob are friends and signed on; Eve knows neither.
    """

    def setUp(self) -> None:
        self.web = MemoryWebQQ()
        self.alice, self.bob = self.web.friends("Alice", "Bob")
        self.eve = self.web.person("Eve")
        for person in (self.alice, self.bob, self.eve):
            person.run()
            self.web.settle()
        self.addCleanup(self.web.stop)

    def forget(self) -> None:
        for person in (self.alice, self.bob):
            person.events.clear()

    def of(self, person: MemoryPerson, kind: type[Any]) -> list[Any]:
        self.web.settle()
        return [event for event in person.events if isinstance(event, kind)]


class ContentTests(FriendsTestCase):
    """
    Values that are accepted as a message, and others.
    """

    def test_textAmongSegments(self) -> None:
        """
        A C{str} in a list is a text.
        """
        self.alice.tell(self.bob, ["plain", Face(14), "words"])
        [message] = self.of(self.bob, Message)
        self.assertEqual(message.content, (Text("plain"), Face(14), Text("words")))

    def failureOf(self, content: Any) -> Exception:
        """
        Send a content by all requests; return their common failure.
        """
        protocol = self.alice.protocol
        uin = self.alice.uinOf(self.bob)
        failures = [
            self.failureResultOf(sent).value
            for sent in (
                protocol.sendMessage(uin, content),
                protocol.sendGroupMessage(Gid(1), content),
                protocol.sendDiscussionMessage(Did(1), content),
                protocol.sendStrangerMessage(uin, content, group=Gid(1)),
            )
        ]
        self.assertEqual(len(set(map(str, failures))), 1)
        assert isinstance(failures[0], Exception)
        return failures[0]

    def test_wrongType(self) -> None:
        """
        Anything that is neither a text nor segments is a TypeError that names
        what was given; nothing is sent.
        """
        values: list[tuple[Any, str]] = [
            (b"bytes", "bytes"),
            (bytearray(b"x"), "bytearray"),
            (None, "NoneType"),
            (5, "int"),
            (Text("alone"), "Text"),
            ([1, 2], "int"),
            ([None], "NoneType"),
            ({"a": 1}, "dict"),
            (["x", b"y"], "bytes"),
            ([["face", 14]], "list"),
            ([Text(cast(Any, 7))], "int"),
        ]
        for value, name in values:
            failure = self.failureOf(value)
            self.assertIsInstance(failure, TypeError)
            self.assertRegex(str(failure), rf"\b{name}\b")
        self.assertEqual(self.of(self.bob, Message), [])

    def test_empty(self) -> None:
        """
        A message without content is a ValueError.
        """
        for value in ("", [], [""], (Text(""), Text(""))):
            self.assertIsInstance(self.failureOf(value), ValueError)
        self.assertEqual(self.of(self.bob, Message), [])


class SurrogateTests(FriendsTestCase):
    """
    Half a surrogate pair in a text that is no message.
    """

    def test_halves(self) -> None:
        """
        It becomes the replacement character, wherever it is sent, and two halves
        become one character.
        """
        protocol, uin = self.alice.protocol, self.alice.uinOf(self.bob)
        text = "x\ud83dy \ud83c\udf75"
        self.web.result(protocol.setMarkname(uin, text))
        category = self.web.result(protocol.createCategory(text))
        self.web.result(protocol.searchGroups(text))
        with self.assertRaises(RequestRefused):
            self.web.result(protocol.searchNumber(text))
        self.assertEqual(category.name, "x\ufffdy 🍵")
        friends = self.web.result(protocol.fetchBuddies())
        self.assertEqual(friends.buddies[uin].markname, "x\ufffdy 🍵")


class WaitingTests(FriendsTestCase):
    """
    Messages that wait for an account.
    """

    def test_oldestFirst(self) -> None:
        """
        They come oldest first, whichever friends or groups they are of.
        """
        carol = self.web.person("Carol")
        self.web.befriend(carol, self.bob)
        self.bob.stop()
        self.web.group("cats", carol, self.bob)
        carol.run()
        for n in range(12):
            if n % 5 == 4:
                carol.tellGroup("cats", str(n))
            else:
                (carol if n % 3 else self.alice).tell(self.bob, str(n))
            self.web.settle(600)
        self.bob.run()
        self.web.settle()
        self.assertEqual(self.bob.heard, [str(n) for n in range(12)])

    def test_sameSecond(self) -> None:
        """
        Those of several friends within one second come in the order in which
        they were sent.
        """
        carol = self.web.person("Carol")
        self.web.befriend(carol, self.bob)
        carol.run()
        self.bob.stop()
        carol.tell(self.bob, "1")
        self.alice.tell(self.bob, "2")
        self.bob.run()
        self.web.settle()
        self.assertEqual(self.bob.heard, ["1", "2"])


class SplitTests(FriendsTestCase):
    """
    Long messages.
    """

    def test_split(self) -> None:
        """
        A text of 20,000 characters comes whole and in order, in as many
        messages as it takes.
        """
        text = "".join(chr(0x4E00 + n) for n in range(LONG))
        self.alice.tell(self.bob, text)
        self.web.settle()
        self.assertEqual("".join(self.bob.heard), text)
        self.assertEqual([len(part) for part in self.bob.heard], [5000] * 4)

    def test_order(self) -> None:
        """
        A message after a long one arrives after its last part; a message in
        another conversation does not wait.
        """
        uin = self.alice.uinOf(self.bob)
        protocol = self.alice.protocol
        for text in ("x" * 40_000, "end", "y" * 20_000, "END"):
            protocol.sendMessage(uin, text)
        self.web.settle()
        heard = self.bob.heard
        self.assertEqual("".join(heard), "x" * 40_000 + "end" + "y" * 20_000 + "END")
        self.assertEqual(heard[3:4] + heard[-1:], ["end", "END"])

    def test_refuse(self) -> None:
        """
        An application that does not want a message split gets an error, and
        nothing is sent.
        """
        sent = self.alice.protocol.sendMessage(
            self.alice.uinOf(self.bob), "x" * 15_001, tooLong="refuse"
        )
        self.failureResultOf(sent, MessageTooLong)
        self.web.settle()
        self.assertEqual(self.bob.heard, [])

    def test_limit(self) -> None:
        """
        Our limit is the server's: one byte more is refused there with 123.
        """
        uin = self.alice.uinOf(self.bob)
        self.alice.tell(self.bob, "x" * 15_000)
        call = self.alice.protocol.transport.call
        content = (Text("x" * 15_001),)
        with self.assertRaises(MessageTooLong) as caught:
            self.web.result(call(lambda t: SendBuddyMsg2(t, uin, content, 1)))
        self.assertEqual(caught.exception.retcode, 123)
        self.assertEqual([len(text) for text in self.bob.heard], [15_000])

    def test_group(self) -> None:
        """
        Groups get long messages in order too.
        """
        web = MemoryWebQQ()
        self.addCleanup(web.stop)
        one, other = web.friends("One", "Other")
        web.group("cats", one, other)
        for person in (one, other):
            person.run()
        one.tellGroup("cats", "z" * 31_000)
        web.settle()
        self.assertEqual("".join(other.heard), "z" * 31_000)

    def test_shorter(self) -> None:
        """
        An application can set a lower limit for the parts.
        """

        class Terse(RecordingProtocol):
            longest = 10

        class TerseFactory(WebQQFactory):
            protocol = Terse

        self.alice.stop()
        self.alice.run(TerseFactory())
        self.alice.tell(self.bob, "one two three four")
        self.web.settle()
        self.assertEqual(self.bob.heard, ["one two ", "three four"])

    def test_kept(self) -> None:
        """
        The parts for an account that is offline wait, in order.
        """
        uin = self.alice.uinOf(self.bob)
        self.bob.stop()
        self.web.result(self.alice.protocol.sendMessage(uin, "q" * 32_000))
        self.bob.run()
        self.web.settle()
        self.assertEqual([len(t) for t in self.bob.heard], [15_000, 15_000, 2000])

    def test_anyText(self) -> None:
        """
        Any text survives exactly.
        """
        texts = [
            "\"quotes\" 'and' \\backslashes\\",
            "<script>alert('x')</script>&amp;",
            "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e8\U0001f1f3",
            "\u202eright to left\u202c \u05e9\u05dc\u05d5\u05dd",
            "NUL \0 and \x1f",
            "  two spaces around  ",
            "line\nbreak\n",
        ]
        for text in texts:
            self.alice.tell(self.bob, text)
            self.web.settle()
        self.assertEqual(self.bob.heard, texts)


class Scripted:
    """
    A transport that answers sends as it is told.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[Content, int, Deferred[Any]]] = []
        self.sendLocks: dict[tuple[str, int], DeferredLock] = {}
        self._last = 0

    def call(self, make: Callable[..., Command[Any]], *args: Any) -> Deferred[Any]:
        command = make(Ticket(), *args)
        assert isinstance(command, SendBuddyMsg2)
        deferred: Deferred[Any] = Deferred()
        self.asked.append((command.content, command.messageId, deferred))
        return deferred

    def nextMessageId(self) -> int:
        self._last += 1
        return self._last


class MessagePartTests(SynchronousTestCase):
    """
    The order in which the parts of a message are sent.
    """

    def setUp(self) -> None:
        self.transport = Scripted()
        self.protocol = MessageRequests()
        self.protocol.transport = self.transport  # type: ignore[assignment]

    @property
    def asked(self) -> list[str]:
        return [plainText(content)[:1] for content, _, _ in self.transport.asked]

    def test_oneByOne(self) -> None:
        """
        Each part waits until the one before is accepted, and has an id of its
        own; the send ends when all are accepted.
        """
        sent = self.protocol.sendMessage(Uin(1), "a" * 15_000 + "b" * 15_000 + "c")
        for text in "abc":
            self.assertNoResult(sent)
            self.assertEqual(self.asked[-1], text)
            self.transport.asked[-1][2].callback(Sent(7, 1))
        self.assertEqual(self.successResultOf(sent), Sent(7, 1, (7, 7)))
        self.assertEqual([n for _, n, _ in self.transport.asked], [1, 2, 3])

    def test_firstFails(self) -> None:
        """
        A failure of the first part means that nothing was sent: the send fails
        like any other.
        """
        sent = self.protocol.sendMessage(Uin(1), "a" * 20_000)
        self.transport.asked[0][2].errback(RequestRefused(108, "no"))
        self.failureResultOf(sent, RequestRefused)
        self.assertEqual(self.asked, ["a"])

    def test_laterFails(self) -> None:
        """
        A failure of a later part names the part and the rest that was not sent;
        the messages that wait behind it are sent.
        """
        text = "a" * 15_000 + "b" * 15_000 + "c" * 10
        sent = self.protocol.sendMessage(Uin(1), text)
        after = self.protocol.sendMessage(Uin(1), "z")
        self.transport.asked[0][2].callback(Sent(7, 1))
        self.transport.asked[1][2].errback(NotSignedOn("gone"))
        error = self.failureResultOf(sent, PartlySent).value
        self.assertEqual((error.piece, error.pieces), (1, 3))
        self.assertEqual("".join(map(plainText, error.rest)), text[15_000:])
        self.assertIsInstance(error.reason, NotSignedOn)
        self.assertEqual(self.asked, ["a", "b", "z"])
        self.transport.asked[2][2].callback(Sent(7, 1))
        self.successResultOf(after)

    def test_others(self) -> None:
        """
        A message waits for the parts of another one in the same conversation
        only.
        """
        self.protocol.sendMessage(Uin(1), "a" * 20_000)
        self.protocol.sendMessage(Uin(2), "x")
        self.protocol.sendMessage(Uin(1), "y")
        self.assertEqual(self.asked, ["a", "x"])
        self.transport.asked[0][2].callback(Sent(7, 1))
        self.assertEqual(self.asked, ["a", "x", "a"])
        self.transport.asked[2][2].callback(Sent(7, 1))
        self.assertEqual(self.asked, ["a", "x", "a", "y"])
        self.transport.asked[3][2].callback(Sent(7, 1))
        self.protocol.sendMessage(Uin(1), "1")
        self.protocol.sendMessage(Uin(1), "2")
        self.assertEqual(self.asked[-2:], ["1", "2"])

    def test_queue(self) -> None:
        """
        A later message waits for all that wait already.
        """
        self.protocol.sendMessage(Uin(1), "a" * 20_000)
        self.protocol.sendMessage(Uin(1), "b" * 20_000)
        for n in range(2):
            self.transport.asked[n][2].callback(Sent(7, 1))
        self.protocol.sendMessage(Uin(1), "c")
        self.assertEqual(self.asked, ["a", "a", "b"])
        for n in range(2, 4):
            self.transport.asked[n][2].callback(Sent(7, 1))
        self.assertEqual(self.asked, ["a", "a", "b", "b", "c"])

    def test_misspelt(self) -> None:
        """
        A choice that does not exist fails, even where nothing is too long.
        """
        sent = self.protocol.sendMessage(
            Uin(1),
            "a",
            tooLong="cut",  # type: ignore[arg-type]
        )
        self.failureResultOf(sent, ValueError)


class SignalTests(FriendsTestCase):
    """
    Typing and shaking.
    """

    def test_typing(self) -> None:
        """
        A friend sees that one types, under the friend's own uin for one.
        """
        uin = self.alice.uinOf(self.bob)
        self.web.result(self.alice.protocol.sendTyping(uin))
        [typing] = self.of(self.bob, Typing)
        self.assertEqual(typing.uin, self.bob.uinOf(self.alice))
        self.assertEqual(typing.recipient, self.bob.number)
        self.assertEqual(self.of(self.alice, Typing), [])

    def test_shake(self) -> None:
        """
        A friend's window is shaken.
        """
        shaken: list[Uin] = []

        class Shaken(WebQQProtocol):
            def windowShaken(self, uin: Uin) -> None:
                shaken.append(uin)

        class ShakenFactory(WebQQFactory):
            protocol = Shaken

        self.bob.stop()
        self.bob.run(ShakenFactory())
        uin = self.alice.uinOf(self.bob)
        self.web.result(self.alice.protocol.shakeWindow(uin))
        self.web.settle()
        self.assertEqual(shaken, [self.bob.uinOf(self.alice)])
        self.bob.appear(Status.SILENT)
        self.web.result(self.alice.protocol.shakeWindow(uin))
        self.web.settle()
        self.assertEqual(len(shaken), 1, "a silent window does not shake")

    def test_strangers(self) -> None:
        """
        Only friends can be told, and nobody can be guessed.
        """
        bob = self.alice.uinOf(self.bob)
        for uin in (bob, Uin(self.bob.number), Uin(0), Uin(2**40)):
            for ask in (self.eve.protocol.sendTyping, self.eve.protocol.shakeWindow):
                with self.assertRaises(RequestRefused) as caught:
                    self.web.result(ask(uin))
                self.assertEqual(caught.exception.retcode, NO_SUCH_ID)
        self.assertEqual(self.of(self.bob, Typing) + self.of(self.bob, Shake), [])

    def test_absent(self) -> None:
        """
        An account that was offline is not told of it later.
        """
        uin = self.alice.uinOf(self.bob)
        self.bob.stop()
        self.web.result(self.alice.protocol.sendTyping(uin))
        self.web.result(self.alice.protocol.shakeWindow(uin))
        self.bob.run()
        self.assertEqual(self.of(self.bob, Typing) + self.of(self.bob, Shake), [])

    def test_hidden(self) -> None:
        """
        A hidden account gets the signal; the sender cannot tell it from an
        account that is offline.
        """
        uin = self.alice.uinOf(self.bob)
        self.bob.appear(Status.HIDDEN)
        self.assertIsNone(self.web.result(self.alice.protocol.sendTyping(uin)))
        self.assertEqual(len(self.of(self.bob, Typing)), 1)


class PresenceTests(FriendsTestCase):
    """
    The status that an account shows to its friends.
    """

    def seen(self) -> list[Status]:
        """
        List the statuses of Bob that Alice was told, and clear the list.
        """
        changes = self.of(self.alice, StatusChange)
        self.alice.events.clear()
        return [change.status for change in changes]

    def test_words(self) -> None:
        """
        An account can set all seven statuses; friends see each change once, and
        hidden as offline.
        """
        self.seen()
        for status, visible in (
            (Status.AWAY, [Status.AWAY]),
            (Status.AWAY, []),
            (Status.BUSY, [Status.BUSY]),
            (Status.CALLME, [Status.CALLME]),
            (Status.SILENT, [Status.SILENT]),
            (Status.HIDDEN, [Status.OFFLINE]),
            (Status.OFFLINE, []),
            (Status.HIDDEN, []),
            (Status.ONLINE, [Status.ONLINE]),
        ):
            self.bob.appear(status)
            self.assertEqual(self.seen(), visible, status)
            self.assertIs(self.bob.protocol.status, status)

    def test_clientType(self) -> None:
        """
        Our sessions are those of WebQQ.
        """
        self.alice.events.clear()
        self.bob.appear(Status.AWAY)
        [change] = self.of(self.alice, StatusChange)
        self.assertEqual(change.clientType, WEB_CLIENT)
        buddy = self.alice.protocol.buddies[self.alice.uinOf(self.bob)]
        self.assertEqual((buddy.status, buddy.clientType), (Status.AWAY, WEB_CLIENT))

    def test_offline(self) -> None:
        """
        Appearing offline ends nothing: messages come as before.
        """
        self.bob.appear(Status.OFFLINE)
        self.alice.tell(self.bob, "are you there?")
        self.web.settle(60)
        self.assertEqual(self.bob.heard, ["are you there?"])

    def test_signOnOffline(self) -> None:
        """
        An account that signs on hidden is not seen to come or to go.
        """
        self.bob.stop()
        self.seen()
        self.bob.run(status=Status.HIDDEN)
        self.assertEqual(self.seen(), [])
        uin = self.alice.uinOf(self.bob)
        self.assertIs(self.alice.protocol.buddies[uin].status, Status.OFFLINE)
        self.bob.stop()
        self.assertEqual(self.seen(), [])

    def test_group(self) -> None:
        """
        A group's list of members hides who hides, except from themselves.
        """
        web = MemoryWebQQ()
        self.addCleanup(web.stop)
        one, other = web.friends("One", "Other")
        web.group("cats", one, other)
        for person in (one, other):
            person.run()
        other.appear(Status.HIDDEN)
        for person, visible in ((one, Status.OFFLINE), (other, Status.HIDDEN)):
            code = person.groupCalled("cats").code
            details = web.result(person.protocol.fetchGroup(code))
            [status] = [m.status for m in details.members if m.nick == "Other"]
            self.assertIs(status, visible)


class QuirkTests(FriendsTestCase):
    """
    Forms of messages that old clients send.
    """

    def hear(self, *segments: Segment, font: Font = DEFAULT_FONT) -> Message:
        sent = self.alice.protocol.sendMessage(
            self.alice.uinOf(self.bob), segments, font
        )
        self.web.result(sent)
        message: Message = self.of(self.bob, Message)[-1]
        return message

    def test_font(self) -> None:
        """
        No font is too small to read; names and the rest are left alone.
        """
        font = Font("方正舒体", 3, True, False, True, "00ff00")
        self.assertEqual(self.hear(Text("x"), font=font).font, replace(font, size=8))
        font = replace(font, size=22)
        self.assertEqual(self.hear(Text("x"), font=font).font, font)

    def test_unknown(self) -> None:
        """
        A segment of an unknown type arrives as it was sent.
        """
        segments = (
            Text("x"),
            UnknownSegment(["pic_id", "5E10B9BC-A2BD-F848-9CB3-239DFFA745B5"]),
            UnknownSegment(["image", "jpg", 0]),
            UnknownSegment(["cface_idx", 0]),
        )
        self.assertEqual(self.hear(*segments).content, segments)

    def test_texts(self) -> None:
        """
        Advertisements and invitations are texts like others.
        """
        for text in (
            "\n【提示：此用户正在使用Q+ Web：http://web.qq.com/】",
            "\u3000  \u3000http://web.qq.com/",
        ):
            segments = (Text("hi"), Text(text))
            self.assertEqual(self.hear(*segments).content, segments)


class ShownTests(FriendsTestCase):
    """
    The ids of messages that were shown.
    """

    def setUp(self) -> None:
        super().setUp()
        self.told: list[tuple[str, tuple[str, ...]]] = []

        def watch(command: type[Any]) -> None:
            decode = command.decodeFields

            def watched(fields: Any) -> Any:
                question = decode(fields)
                self.told.append((command.__name__, question.ids))
                return question

            self.patch(command, "decodeFields", staticmethod(watched))

        watch(Poll2)
        watch(Logout2)

    def test_poll(self) -> None:
        """
        The next poll tells the server which messages were shown, and the one
        after it does not repeat them.
        """
        self.alice.tell(self.bob, "one")
        self.web.settle()
        [message] = self.of(self.bob, Message)
        ids = [ids for name, ids in self.told if ids]
        self.assertEqual(ids, [(str(message.messageId),)])
        self.web.settle(60)
        self.assertEqual([ids for _, ids in self.told if ids], ids)

    def test_logout(self) -> None:
        """
        The messages that no answered poll has acknowledged are acknowledged in
        the farewell.
        """
        self.alice.tell(self.bob, "one")
        self.web.settle()
        self.bob.stop()
        [message] = self.of(self.bob, Message)
        farewells = [ids for name, ids in self.told if name == "Logout2"]
        self.assertEqual(farewells, [(str(message.messageId),)])
