"""
The durable queue, of an account at our server.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.web.server import NOT_DONE_YET

from tests.rig import PROBE, SEND, Reply, ScriptedServer, disconnect
from txwebqq.errors import (
    InvalidConfiguration,
    MessageExpired,
    NotQueued,
    PartlySent,
    QueueFull,
    RequestRefused,
    UnknownRecipient,
    Unreachable,
)
from txwebqq.model import (
    Delivered,
    Did,
    Face,
    Failed,
    Font,
    GroupPicture,
    Message,
    Number,
    QueuedMessage,
    QueuePolicy,
    SendOutcome,
    Text,
    ToDiscussion,
    ToFriend,
    ToGroup,
    ToStranger,
    Uncertain,
)
from txwebqq.outbox.queue import MessageQueue
from txwebqq.server.storage.store import Store
from txwebqq.service import WebQQService
from txwebqq.testing import (
    MemoryPerson,
    MemoryTreq,
    MemoryWebQQ,
    RecordingFactory,
    RecordingProtocol,
)

SEND_GROUP = "/channel/send_qun_msg2"
SENT = "/channel/get_sent2"
NUMBERS = "/api/get_friend_uin2"
TOO_FAST = b'{"retcode":112,"errmsg":"too fast"}'
REFUSED = b'{"retcode":100003,"errmsg":"no"}'
EXPIRED = b'{"retcode":121,"t":"0"}'
HOUR = 3600.0

Told = list[tuple[QueuedMessage, SendOutcome]]


class Scene:
    """
    Alice with a queue, and Bob, Carol and a group.

    @ivar told: the outcomes that the application was told by C{settled}.
    """

    def __init__(self, folder: Path, store: Store | None = None) -> None:
        self.folder = folder
        self.web = MemoryWebQQ(store=store)
        self.alice, self.bob, self.carol = self.web.friends("Alice", "Bob", "Carol")
        self.cats = self.web.group("cats", self.alice, self.bob, self.carol)
        self.server = ScriptedServer(self.web)
        self.web.treq = MemoryTreq(self.server)
        self.told: Told = []
        self.policy = QueuePolicy(burst=1000, seconds=0.0)
        self.queues: list[MessageQueue] = []
        self.services: list[WebQQService[Any]] = []
        self.files = 0
        self.begin()

    def begin(self, file: str = "queue.db") -> None:
        """
        Start a process, which does not sign on yet.
        """
        self.file = self.folder / file
        self.service: WebQQService[RecordingProtocol] = WebQQService(
            self.alice.account,
            RecordingFactory(),
            self.web.client(),
            self.web.clock,
            backoff=lambda n: 2.0,
        )
        self.queue = self.service.addQueue(
            self.file,
            lambda message, outcome: self.told.append((message, outcome)),
            self.policy,
        )
        self.queues.append(self.queue)
        self.services.append(self.service)

    def start(self) -> None:
        self.service.startService()
        self.web.settle()

    def restart(self) -> None:
        """
        End the process in good order, and start another one.
        """
        self.web.result(self.service.stopService())
        self.begin(self.file.name)

    def kill(self) -> None:
        """
        Start another process with the file as it is now.
        """
        self.files += 1
        name = f"queue{self.files}.db"
        for end in ("", "-wal"):
            shutil.copy(f"{self.file}{end}", self.folder / f"{name}{end}")
        self.begin(name)

    def send(self, text: str, to: MemoryPerson | None = None) -> list[SendOutcome]:
        """
        Queue a message, by default for Bob.

        @return: receives the outcome.
        """
        return self.sendTo(ToFriend((to or self.bob).number), text)

    def sendTo(self, to: Any, content: Any, **options: Any) -> list[SendOutcome]:
        outcomes: list[SendOutcome] = []
        self.queue.send(to, content, **options).addCallback(outcomes.append)
        self.web.settle()
        return outcomes

    def replies(self, *replies: Reply, path: str = SEND) -> None:
        self.server.replies[path] = list(replies)

    def hold(self) -> list[Any]:
        """
        Have the next send wait for its reply.

        @return: receives the request.
        """
        held: list[Any] = []

        def keep(request: Any) -> int:
            held.append(request)
            return NOT_DONE_YET

        self.replies(keep)
        return held

    def end(self, service: WebQQService[Any]) -> None:
        """
        Stop a service, which waits for its requests for a time.
        """
        stopped = service.stopService()
        self.web.settle(2)
        self.web.result(stopped)

    def finish(self) -> None:
        for service in self.services:
            if service.running:
                self.end(service)
        for queue in self.queues:
            self.web.result(queue.stopService())
        for person in (self.bob, self.carol):
            if hasattr(person, "service"):
                person.stop()
        self.web.stop()
        left = [str(call) for call in self.web.clock.getDelayedCalls()]
        assert left == []


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """
    Make a process with a queue, which is not signed on.
    """
    scene = Scene(tmp_path)
    yield scene
    scene.finish()


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Scene]:
    """
    Make the same at a server with a database, which recognises messages that are sent
    again.
    """
    store = Store(tmp_path / "server.db")
    scene = Scene(tmp_path, store)
    yield scene
    scene.finish()
    store.close()


def delivered(outcomes: list[SendOutcome]) -> bool:
    return [type(each) for each in outcomes] == [Delivered]


def reasonOf(outcomes: list[SendOutcome], kind: type[Any]) -> Exception:
    [outcome] = outcomes
    assert type(outcome) is kind
    reason: Exception = outcome.reason  # type: ignore[union-attr]
    return reason


# ---- the ordinary course


def test_waits(scene: Scene) -> None:
    """
    A message that is queued before the sign-on is sent after it, and its outcome has
    the id by which the recipient knows the message.
    """
    outcomes = scene.send("hello")
    assert outcomes == []
    assert scene.queue.counts() == {ToFriend(scene.bob.number): 1}
    scene.start()
    scene.bob.run()
    scene.web.settle()
    [message] = [e for e in scene.bob.events if isinstance(e, Message)]
    [outcome] = outcomes
    assert isinstance(outcome, Delivered)
    assert (message.text, message.id) == ("hello", outcome.sent.messageId)
    assert scene.queue.counts() == {}


def test_recipients(scene: Scene) -> None:
    """
    Friends, groups and discussions are named by their numbers.
    """
    did = scene.web.discussion("d", scene.alice, scene.bob, scene.carol)
    scene.bob.run()
    scene.start()
    for to in (ToFriend(scene.bob.number), ToGroup(scene.cats), ToDiscussion(did)):
        font = Font(size=20, bold=True)
        assert delivered(scene.sendTo(to, ["hi ", Face(14)], font=font))
        scene.web.settle()
        event: Any = scene.bob.events[-1]
        assert event.content == (Text("hi "), Face(14))
        assert (event.font.size, event.font.bold) == (20, True)
    assert scene.bob.heard == ["hi ", "hi ", "hi "]


def test_order(scene: Scene) -> None:
    """
    The messages of a conversation arrive in order, and conversations take turns.
    """
    scene.bob.run()
    scene.carol.run()
    for n in range(5):
        scene.send(f"b{n}")
    for n in range(5):
        scene.send(f"c{n}", scene.carol)
    scene.start()
    scene.web.settle()
    assert scene.bob.heard == [f"b{n}" for n in range(5)]
    assert scene.carol.heard == [f"c{n}" for n in range(5)]
    sends = [path for path in scene.server.requests if path == SEND]
    assert len(sends) == 10


def test_turns(scene: Scene) -> None:
    """
    A long conversation does not hold up another one.
    """
    scene.policy = QueuePolicy(burst=2, seconds=1.0)
    scene.kill()
    scene.start()
    many = [scene.send(f"b{n}") for n in range(5)]
    one = scene.send("c", scene.carol)
    scene.web.settle()
    assert [delivered(each) for each in many] == [True, True, False, False, False]
    scene.web.settle(2)
    assert delivered(one)
    assert not delivered(many[3])
    scene.web.settle(2)
    assert all(map(delivered, many))


def test_pace(scene: Scene) -> None:
    """
    After a burst, one message is sent in each interval.
    """
    scene.policy = QueuePolicy(burst=3, seconds=2.0)
    scene.kill()
    scene.start()
    outcomes = [scene.send(str(n)) for n in range(6)]
    counts = []
    for _ in range(4):
        scene.web.settle()
        counts.append(sum(map(delivered, outcomes)))
        scene.web.settle(2)
    assert counts == [3, 4, 5, 6]


def test_long(scene: Scene) -> None:
    """
    A long message is sent in parts, which are one message of the queue.
    """
    scene.bob.run()
    scene.start()
    [outcome] = scene.send("a" * 15_000 + "b" * 15_000 + "c")
    scene.web.settle()
    assert [len(text) for text in scene.bob.heard] == [15_000, 15_000, 1]
    ids = [e.id for e in scene.bob.events if isinstance(e, Message)]
    assert isinstance(outcome, Delivered)
    assert [*outcome.sent.earlier, outcome.sent.messageId] == ids


# ---- what cannot be queued


def test_limits(scene: Scene) -> None:
    """
    A conversation, and the queue, take a number of messages and no more; the error says
    which of them is full.
    """
    scene.policy = QueuePolicy(conversation=2, total=3)
    scene.kill()
    bob, carol = ToFriend(scene.bob.number), ToFriend(scene.carol.number)
    first = scene.queue.send(bob, "1")
    scene.queue.send(bob, "2")
    with pytest.raises(QueueFull, match=rf"^2 messages wait for friend {bob.number}$"):
        scene.web.result(scene.queue.send(bob, "3"))
    scene.queue.send(carol, "4")
    with pytest.raises(QueueFull, match=r"^3 messages wait$"):
        scene.web.result(scene.queue.send(carol, "5"))
    first.addErrback(lambda failure: failure.trap(CancelledError) and None).cancel()
    scene.queue.send(carol, "6")
    assert scene.queue.counts() == {bob: 1, carol: 2}


@pytest.mark.parametrize(
    ("content", "error", "text"),
    [
        (5, TypeError, "not int"),
        ("", ValueError, "without content"),
        ([GroupPicture("x")], ValueError, "a GroupPicture cannot be queued"),
    ],
)
def test_unsendable(
    scene: Scene, content: Any, error: type[Exception], text: str
) -> None:
    """
    A content that can never be sent fails at once, and is not in the queue.
    """
    with pytest.raises(error, match=text):
        scene.web.result(scene.queue.send(ToGroup(scene.cats), content))
    assert scene.queue.counts() == {}


@pytest.mark.parametrize(
    ("to", "text"),
    [
        (ToFriend(cast(Any, None)), "ToFriend is NoneType, not int"),
        (ToFriend(cast(Any, "10001")), "ToFriend is str, not int"),
        (ToFriend(Number(True)), "ToFriend is bool, not int"),
        (ToGroup(cast(Any, 1.5)), "ToGroup is float, not int"),
        (ToDiscussion(cast(Any, b"1")), "ToDiscussion is bytes, not int"),
        (
            10001,
            "a recipient is a ToFriend, ToGroup, ToDiscussion or ToStranger, not int",
        ),
        (None, "not NoneType"),
        (ToStranger(cast(Any, "1"), ToGroup(Number(1))), "is str, not int"),
        (ToStranger(Number(1), ToGroup(cast(Any, None))), "ToGroup is NoneType"),
        (ToStranger(Number(1), cast(Any, 5)), "the place of a ToStranger is"),
    ],
)
def test_noRecipient(scene: Scene, to: Any, text: str) -> None:
    """
    A recipient without a number is refused at once: the next process could not read
    its file, and the messages of others would wait for it.
    """
    with pytest.raises(TypeError, match=text):
        scene.web.result(scene.queue.send(to, "x"))
    assert scene.queue.counts() == {}


@pytest.mark.parametrize(
    ("key", "error", "text"),
    [
        (0, TypeError, "a key is a str, not int"),
        (None, TypeError, "a key is a str, not NoneType"),
        ("\ud800", ValueError, r"no Unicode text: '\\ud800'"),
    ],
)
def test_noKey(scene: Scene, key: Any, error: type[Exception], text: str) -> None:
    """
    A key is a text, also the key 0, which would be none.
    """
    with pytest.raises(error, match=text):
        scene.web.result(scene.queue.send(ToGroup(scene.cats), "x", key=key))
    assert scene.queue.counts() == {}


def test_unreadable(scene: Scene) -> None:
    """
    A file with a message that cannot be read is not used; the error names the file.
    """
    file = scene.folder / "queue1.db"
    scene.sendTo(ToGroup(scene.cats), "x")
    scene.kill()
    scene.web.result(scene.queue.stopService())
    with closing(sqlite3.connect(file)) as db:
        db.execute("UPDATE message SET recipient = 'nobody x'")
        db.commit()
    for _ in range(2):
        with pytest.raises(
            InvalidConfiguration, match=r"queue1.db: the queue cannot be read: .*'x'"
        ):
            scene.service.addQueue(file)


def test_locked(scene: Scene) -> None:
    """
    A file that another program is writing to is not used, and is closed.
    """
    scene.web.result(scene.queue.stopService())
    with closing(sqlite3.connect(scene.file, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        for _ in range(2):
            with pytest.raises(
                InvalidConfiguration, match=r"queue.db: .*: database is locked"
            ):
                scene.service.addQueue(scene.file)
    scene.begin()


def test_stopped(scene: Scene) -> None:
    """
    A queue that was stopped takes no message.
    """
    scene.start()
    scene.web.result(scene.service.stopService())
    with pytest.raises(NotQueued, match="stopped"):
        scene.web.result(scene.queue.send(ToGroup(scene.cats), "x"))


def test_files(scene: Scene, tmp_path: Path) -> None:
    """
    A file is that of one account and of one process.
    """
    with pytest.raises(InvalidConfiguration, match="another process has it open"):
        scene.begin()
    scene.web.result(scene.queue.stopService())
    other: Any = WebQQService(
        scene.bob.account, RecordingFactory(), scene.web.client(), scene.web.clock
    )
    number = scene.alice.number
    with pytest.raises(InvalidConfiguration, match=f"queue of account {number}, not"):
        MessageQueue(scene.file, other, scene.web.clock)


def test_unknown(scene: Scene) -> None:
    """
    A number that is no friend or group fails for good, and the messages to others go
    on.
    """
    scene.start()
    for to, text in (
        (ToFriend(Number(99)), "99 is no friend"),
        (ToGroup(Number(98)), "98 is no group of the account"),
    ):
        reason = reasonOf(scene.sendTo(to, "x"), Failed)
        assert isinstance(reason, UnknownRecipient)
        assert str(reason) == text
    assert delivered(scene.send("y"))


# ---- failures


def test_refused(scene: Scene) -> None:
    """
    A refused message fails with the server's reason, and is not sent again.
    """
    scene.start()
    scene.replies(REFUSED)
    first, second = scene.send("x"), scene.send("y")
    assert isinstance(reasonOf(first, Failed), RequestRefused)
    scene.web.settle()
    assert delivered(second)


def test_refusedForNow(scene: Scene) -> None:
    """
    A message that is refused because of the number of messages is sent later, before
    those behind it; other conversations go on.
    """
    scene.bob.run()
    scene.start()
    scene.replies(TOO_FAST, TOO_FAST)
    first, second = scene.send("1"), scene.send("2")
    other = scene.sendTo(ToGroup(scene.cats), "group")
    scene.web.settle()
    assert (first, second) == ([], [])
    assert delivered(other)
    scene.web.settle(30)
    assert delivered(first)
    assert delivered(second)
    assert scene.bob.heard == ["group", "1", "2"]


def test_lost(scene: Scene) -> None:
    """
    A message whose reply was lost is uncertain, and is not sent again. The next one
    is sent when the server has answered another request.
    """
    scene.bob.run()
    scene.start()

    def lose(request: Any) -> Any:
        scene.web.server.render(request)
        return disconnect(request)

    scene.replies(lose)
    scene.replies(502, path=PROBE)
    first, second = scene.send("1"), scene.send("2")
    scene.web.settle()
    assert isinstance(reasonOf(first, Uncertain), Unreachable)
    assert second == []
    scene.web.settle(2)
    assert delivered(second)
    assert scene.bob.heard == ["1", "2"]
    assert scene.queue.outcomes == {
        ("friend", "uncertain"): 1,
        ("friend", "delivered"): 1,
    }


def test_partlyLost(scene: Scene) -> None:
    """
    When a later part is lost, the outcome says which parts were delivered.
    """
    scene.bob.run()
    scene.start()
    scene.replies(scene.web.server.render, disconnect)
    reason = reasonOf(scene.send("a" * 15_000 + "b" * 15_000 + "c"), Uncertain)
    assert isinstance(reason, PartlySent)
    assert str(reason).startswith("piece 2 of 3 was not sent")
    assert "".join(s.text for part in reason.rest for s in part) == "b" * 15_000 + "c"
    scene.web.settle()
    assert scene.bob.heard == ["a" * 15_000]


def test_numbersFail(scene: Scene) -> None:
    """
    A message whose recipient cannot be looked up now waits.
    """
    scene.start()
    scene.replies(502, path=NUMBERS)
    outcomes = scene.send("x")
    scene.web.settle()
    assert outcomes == []
    scene.web.settle(2)
    assert delivered(outcomes)


def test_expires(scene: Scene) -> None:
    """
    A message that cannot be sent in time is given up, with the reason, also while the
    account is offline.
    """
    scene.policy = QueuePolicy(patience=100.0)
    scene.kill()
    scene.start()
    scene.web.result(scene.service.signOff())
    outcomes = scene.send("x")
    scene.web.settle(50)
    later = scene.send("y")
    scene.web.settle(51)
    reason = reasonOf(outcomes, Failed)
    assert isinstance(reason, MessageExpired)
    assert str(reason) == "not sent within 0.0277778 h: the account is not signed on"
    assert later == []
    scene.service.signOn()
    scene.web.settle()
    assert delivered(later)


def test_cancel(scene: Scene) -> None:
    """
    A message that is cancelled while it waits is not sent.
    """
    scene.bob.run()
    waiting = scene.queue.send(ToFriend(scene.bob.number), "x")
    scene.send("y")
    waiting.cancel()
    with pytest.raises(CancelledError):
        scene.web.result(waiting)
    scene.start()
    scene.web.settle()
    assert scene.bob.heard == ["y"]


def test_cancelOther(scene: Scene) -> None:
    """
    The callback of one who waits for a message may cancel the others; the queue goes
    on.
    """
    scene.start()
    held = scene.hold()
    first = scene.queue.send(ToFriend(scene.bob.number), "1", key="k")
    second = scene.queue.send(ToFriend(scene.bob.number), "1", key="k")
    cancelled: list[Any] = []
    second.addErrback(cancelled.append)
    first.addCallback(lambda outcome: second.cancel())
    scene.web.settle()
    [request] = held
    scene.server.render(request)
    scene.web.settle()
    assert len(cancelled) == 1
    assert isinstance(scene.send("2")[0], Delivered)


def test_stopWithinCallback(scene: Scene) -> None:
    """
    The callback of a message that was given up may stop the queue, which the next
    start takes up as it was.
    """
    scene.policy = QueuePolicy(patience=5.0, burst=1000, seconds=0.0)
    scene.kill()
    scene.queue.startService()
    bob = ToFriend(scene.bob.number)
    first = scene.queue.send(bob, "1")
    first.addCallback(lambda outcome: scene.queue.stopService())
    second = scene.queue.send(bob, "2")
    scene.web.settle(6)
    assert not scene.queue.running
    assert scene.web.clock.getDelayedCalls() == []
    scene.queue.startService()
    assert [message.content for message, _ in scene.told] == [(Text("1"),)]
    scene.web.settle(6)
    assert isinstance(scene.web.result(second), Failed)


def test_stoppedOnFullDisk(scene: Scene) -> None:
    """
    A queue that could not write an outcome before it was stopped writes again when it
    is started again.
    """
    scene.policy = QueuePolicy(patience=5.0, burst=1000, seconds=0.0)
    scene.kill()
    scene.queue.startService()
    store = scene.queue._store
    assert store is not None
    outcome = scene.sendTo(ToFriend(scene.bob.number), "1")
    store._db.execute("PRAGMA query_only = ON")
    scene.web.settle(6)
    assert outcome
    before = scene.queue.isUnwritable
    scene.web.result(scene.queue.stopService())
    scene.queue.startService()
    scene.sendTo(ToFriend(scene.bob.number), "2")
    scene.web.settle(6)
    assert (before, scene.queue.isUnwritable) == (True, False)


def test_cancelTooLate(scene: Scene) -> None:
    """
    A message that is being sent cannot be taken back.
    """
    scene.bob.run()
    scene.start()
    held = scene.hold()
    waiting = scene.queue.send(ToFriend(scene.bob.number), "x")
    scene.web.settle()
    waiting.cancel()
    scene.web.server.render(held[0])
    with pytest.raises(CancelledError):
        scene.web.result(waiting)
    assert scene.bob.heard == ["x"]
    assert scene.queue.outcomes == {("friend", "delivered"): 1}
    assert scene.told == []


# ---- sessions and processes


def test_rejoin(scene: Scene) -> None:
    """
    Messages go on after a rejoin, each once.
    """
    scene.bob.run()
    scene.start()
    scene.send("1")
    scene.replies(EXPIRED)
    scene.replies(EXPIRED, path="/channel/poll2")
    outcomes = scene.send("2")
    scene.web.settle(70)
    assert delivered(outcomes)
    assert scene.bob.heard == ["1", "2"]


def test_signOn(scene: Scene) -> None:
    """
    After a new sign-on friends have other uins: a message reaches the one for whom it
    was queued.
    """
    scene.bob.run()
    scene.carol.run()
    scene.start()
    uins = set(scene.web.result(scene.service.whenSignedOn()).buddies)
    scene.send("1")
    scene.web.result(scene.service.signOff())
    outcomes = [scene.send("2"), scene.send("c", scene.carol)]
    outcomes += [scene.sendTo(ToGroup(scene.cats), "g")]
    scene.web.settle(100)
    assert outcomes == [[], [], []]
    scene.service.signOn()
    scene.web.settle()
    assert not uins & set(scene.web.result(scene.service.whenSignedOn()).buddies)
    assert all(map(delivered, outcomes))
    assert scene.bob.heard == ["1", "2", "g"]
    assert scene.carol.heard == ["c", "g"]


@pytest.mark.parametrize("isGroup", [True, False])
def test_stranger(kept: Scene, isGroup: bool) -> None:
    """
    A member of a group or discussion who is no friend is found again by the number
    after a new sign-on, and a message whose answer is lost is delivered once.
    """
    [dave] = kept.web.friends("Dave")
    dave.run()
    kept.start()
    place: ToGroup | ToDiscussion
    if isGroup:
        place = ToGroup(kept.web.group("dogs", kept.alice, dave))
    else:
        place = ToDiscussion(kept.web.discussion("tea", kept.alice, dave))
    kept.web.result(kept.service.signOff())
    to = ToStranger(dave.number, place)
    outcomes = [kept.sendTo(to, "1"), kept.sendTo(to, "2")]
    kept.service.signOn()
    kept.replies(processed(kept), disconnect, path="/channel/send_sess_msg2")
    kept.web.settle(100)
    assert all(map(delivered, outcomes))
    assert dave.heard == ["1", "2"]
    dave.stop()


def test_noMember(scene: Scene) -> None:
    """
    A member who has left is told of, and no other member gets the message.
    """
    [dave] = scene.web.friends("Dave")
    scene.bob.run()
    scene.start()
    for place in (ToGroup(scene.cats), ToGroup(Number(5)), ToDiscussion(Did(5))):
        [outcome] = scene.sendTo(ToStranger(dave.number, place), "1")
        assert isinstance(outcome, Failed)
        assert isinstance(outcome.reason, UnknownRecipient)
    assert not scene.bob.heard


def test_restart(scene: Scene) -> None:
    """
    Another process sends what waited, and tells its application the outcomes.
    """
    scene.bob.run()
    scene.start()
    scene.web.result(scene.service.signOff())
    lost = [scene.send(str(n)) for n in range(3)]
    scene.sendTo(ToGroup(scene.cats), ["g", Face(3)], key="k")
    scene.restart()
    assert scene.told == []
    scene.start()
    scene.web.settle()
    assert lost == [[], [], []]
    assert scene.bob.heard == ["0", "g", "1", "2"]
    assert {type(outcome) for _, outcome in scene.told} == {Delivered}
    messages = [message for message, _ in scene.told]
    assert [(m.to, m.content) for m in messages[:2]] == [
        (ToFriend(scene.bob.number), (Text("0"),)),
        (ToGroup(scene.cats), (Text("g"), Face(3))),
    ]
    assert messages[1].key == "k"
    scene.restart()
    scene.start()
    assert len(scene.told) == 4


def test_killed(scene: Scene) -> None:
    """
    After a kill, the message that was being sent is uncertain; those behind it are
    sent once.
    """
    scene.bob.run()
    scene.start()
    held = scene.hold()
    for text in ("1", "2", "3"):
        scene.send(text)
    scene.web.settle()
    scene.kill()
    scene.web.server.render(held[0])
    scene.web.result(scene.services[0].stopService())
    scene.bob.events.clear()
    scene.start()
    scene.web.settle()
    assert [(m.content, type(o)) for m, o in scene.told[:1]] == [
        ((Text("1"),), Uncertain)
    ]


def test_killedWhileHeld(scene: Scene) -> None:
    """
    A message that waits for the end of a rejoin was certainly not sent: after a kill
    it is sent.
    """
    scene.bob.run()
    scene.start()
    protocol: Any = scene.web.result(scene.service.whenSignedOn())
    protocol.transport.pause()
    scene.send("1")
    scene.web.settle()
    scene.kill()
    protocol.transport.close()
    scene.start()
    scene.web.settle()
    assert scene.bob.heard == ["1"]
    assert [type(outcome) for _, outcome in scene.told] == [Delivered]


def test_tellsAgain(scene: Scene) -> None:
    """
    An outcome counts as told when the application's Deferred has fired; another
    process tells it again before that.
    """
    told: list[Deferred[None]] = []
    scene.send("1")
    scene.restart()

    def tell(message: QueuedMessage, outcome: SendOutcome) -> Deferred[None]:
        told.append(Deferred())
        return told[-1]

    scene.queue._settled = tell
    scene.start()
    assert len(told) == 1
    scene.restart()
    scene.start()
    assert [type(outcome) for _, outcome in scene.told] == [Delivered]


def test_tellingFails(
    scene: Scene, flushLoggedErrors: Callable[..., list[Any]]
) -> None:
    """
    An application that fails to handle an outcome does not stop the queue.
    """
    scene.send("1")
    scene.send("2")
    scene.restart()

    def tell(message: QueuedMessage, outcome: SendOutcome) -> None:
        raise KeyError("x")

    scene.queue._settled = tell
    scene.start()
    assert len(flushLoggedErrors(KeyError)) == 2
    assert scene.queue.counts() == {}


def test_partsRestart(scene: Scene) -> None:
    """
    Of a long message, another process sends the parts that were not accepted.
    """
    scene.bob.run()
    scene.start()
    scene.replies(scene.web.server.render, TOO_FAST)
    scene.send("a" * 15_000 + "b" * 15_000 + "c")
    scene.web.settle()
    scene.restart()
    scene.start()
    scene.web.settle()
    assert [text[:1] for text in scene.bob.heard] == ["a", "b", "c"]
    [(_, outcome)] = scene.told
    assert isinstance(outcome, Delivered)
    assert len(outcome.sent.earlier) == 2


def test_failedRestart(scene: Scene) -> None:
    """
    The reason of a failure survives a restart.
    """
    scene.start()
    scene.replies(scene.web.server.render, REFUSED)
    told: list[Any] = []
    waiting = scene.queue.send(ToFriend(scene.bob.number), "a" * 20_000)
    # The application is killed while it handles the outcome.

    def kill(outcome: Any) -> None:
        told.append(outcome)
        scene.kill()

    waiting.addCallback(kill)
    scene.web.settle()
    scene.start()
    [(_, outcome)] = scene.told
    assert isinstance(outcome, Failed)
    reason = outcome.reason
    assert isinstance(reason, PartlySent)
    assert str(reason) == str(told[0].reason)
    assert isinstance(reason.reason, RequestRefused)
    assert reason.reason.retcode == 100003
    assert reason.rest == ((Text("a" * 5000),),)


def test_key(scene: Scene) -> None:
    """
    A message with a key that was used before is not sent again, unless it has failed.
    """
    scene.bob.run()
    bob = ToFriend(scene.bob.number)
    first = scene.sendTo(bob, "x", key="order 5")
    second = scene.sendTo(bob, "x", key="order 5")
    scene.start()
    scene.web.settle()
    assert delivered(first)
    assert second == first
    scene.restart()
    scene.start()
    assert scene.sendTo(bob, "x", key="order 5") == first
    scene.replies(REFUSED)
    assert isinstance(reasonOf(scene.sendTo(bob, "y", key="6"), Failed), RequestRefused)
    assert delivered(scene.sendTo(bob, "y", key="6"))
    scene.web.settle()
    assert scene.bob.heard == ["x", "y"]
    scene.web.result(scene.service.stopService())
    scene.bob.stop()
    scene.web.clock.advance(8 * 24 * HOUR)
    scene.restart()
    scene.start()
    assert scene.sendTo(bob, "x", key="order 5") != first


def test_stale(scene: Scene) -> None:
    """
    A server that has lost its sessions gives the uins to others: the message waits for
    the new sign-on.
    """
    scene.bob.run()
    scene.start()
    scene.send("1")
    scene.web.settle()
    protocol: Any = scene.web.result(scene.service.whenSignedOn())
    protocol.transport.close()
    outcomes = scene.send("2")
    scene.web.settle()
    assert outcomes == []
    scene.web.result(scene.service.signOff())
    scene.service.signOn()
    scene.web.settle(5)
    assert delivered(outcomes)
    assert scene.bob.heard == ["1", "2"]


# ---- servers that recognise messages that are sent again


def processed(scene: Scene) -> Reply:
    """
    Make a handler that accepts a message and loses the answer.
    """

    def lose(request: Any) -> Any:
        scene.web.server.render(request)
        scene.web.clock.callLater(0.5, disconnect, request)
        return NOT_DONE_YET

    return lose


@pytest.mark.parametrize("isProcessed", [True, False])
def test_asks(kept: Scene, isProcessed: bool) -> None:
    """
    A message whose answer is lost is asked for, sent again if it did not arrive, and
    delivered once, in order.
    """
    kept.bob.run()
    kept.start()
    lose = processed(kept) if isProcessed else disconnect
    for to in (ToFriend(kept.bob.number), ToGroup(kept.cats)):
        path = SEND if isinstance(to, ToFriend) else SEND_GROUP
        kept.server.replies[path] = [lose, lose]
        first, second = kept.sendTo(to, "1"), kept.sendTo(to, "2")
        kept.web.settle(20)
        assert delivered(first)
        assert delivered(second)
        [message] = [e for e in kept.bob.events if getattr(e, "text", "") == "1"]
        [outcome] = first
        assert isinstance(outcome, Delivered)
        assert outcome.sent.messageId == getattr(message, "id", 0)
        assert kept.bob.heard == ["1", "2"]
        kept.bob.events.clear()


def test_asksForParts(kept: Scene) -> None:
    """
    So is each part of a long message.
    """
    kept.bob.run()
    kept.start()
    kept.replies(kept.web.server.render, processed(kept), disconnect)
    outcomes = kept.send("a" * 15_000 + "b" * 15_000 + "c")
    kept.web.settle(20)
    assert delivered(outcomes)
    assert [text[0] for text in kept.bob.heard] == ["a", "b", "c"]


@pytest.mark.parametrize("isProcessed", [True, False])
def test_asksAfterKill(kept: Scene, isProcessed: bool) -> None:
    """
    After a kill, the message that was being sent is delivered once, before those
    behind it.
    """
    kept.bob.run()
    kept.start()
    kept.send("0")
    held = kept.hold()
    kept.send("1")
    kept.send("2")
    kept.kill()
    if isProcessed:
        kept.web.server.render(held[0])
    kept.start()
    kept.web.settle()
    kept.end(kept.services[0])
    assert [type(outcome) for _, outcome in kept.told] == [Delivered, Delivered]
    assert kept.bob.heard == ["0", "1", "2"]


def test_restored(kept: Scene) -> None:
    """
    With the file of a backup, what was sent since then is not delivered again, and no
    new message is taken for one of that time.
    """
    kept.bob.run()
    kept.send("1")
    service, queue = kept.service, kept.queue
    kept.kill()
    service.startService()
    kept.web.settle()
    queue.send(ToFriend(kept.bob.number), "2")
    kept.web.settle()
    kept.end(service)
    kept.start()
    kept.send("3")
    assert kept.bob.heard == ["1", "2", "3"]


def test_asksLater(kept: Scene) -> None:
    """
    While the server does not answer, a message in doubt waits; when its time is over
    it is uncertain.
    """
    kept.policy = QueuePolicy(patience=100.0)
    kept.kill()
    kept.start()
    kept.send("0")
    kept.server.replies[SEND] = [disconnect]
    kept.server.replies[SENT] = [502] * 100
    kept.server.replies[PROBE] = [502] * 100
    outcomes = kept.send("1")
    kept.web.settle(90)
    assert outcomes == []
    kept.web.settle(20)
    reason = reasonOf(outcomes, Uncertain)
    assert isinstance(reason, Unreachable)
    assert str(reason).startswith("the answer is lost, and not sent within")


def test_asksTooLate(kept: Scene) -> None:
    """
    After two days the server may have forgotten: the message stays uncertain.
    """
    kept.policy = QueuePolicy(patience=1000 * HOUR)
    kept.kill()
    kept.start()
    kept.send("0")
    kept.hold()
    kept.send("1")
    kept.kill()
    for service in kept.services[:-1]:
        kept.end(service)
    kept.web.clock.advance(49 * HOUR)
    kept.start()
    [(_, outcome)] = kept.told
    assert isinstance(outcome, Uncertain)
    assert "cannot be asked" in str(outcome.reason)


def test_asksOther(kept: Scene) -> None:
    """
    A server that does not know the question any more is sent nothing again.
    """
    kept.start()
    kept.send("0")
    kept.hold()
    kept.send("1")
    kept.kill()
    kept.end(kept.services[0])
    kept.replies(404, path=SENT)
    kept.start()
    kept.web.settle()
    assert [type(outcome) for _, outcome in kept.told] == [Uncertain]
