"""
Recalls, reactions, pokes and mutes in a room, and messages that the account of the
relay has sent elsewhere.
"""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs, formatEvent

from tests.irc.memoryrelay import MemoryRelay
from txwebqq.errors import RequestRefused, Unreachable
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.qq.messages import IncomingMessage
from txwebqq.irc.relay.interactions import MAX_POKES, MAX_REACTIONS, MAX_REACTORS
from txwebqq.irc.relay.text.loopdetection import REMEMBERED_SECONDS
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import (
    Code,
    Content,
    Face,
    Font,
    Gid,
    GroupFile,
    Number,
    Reaction,
    Sent,
    Text,
    Uin,
)

MING = "<小\u200b明>"
THUMB = Text("👍")


def taggedRelay(offers: str = "draft/message-redaction") -> MemoryRelay:
    """
    Start a relay between two groups and a channel whose server has ids of messages.

    @param offers: further capabilities of the server.
    """
    relay = MemoryRelay(more=["狗狗"])
    relay.server.offers = f"message-tags echo-message {offers}"
    relay.start()
    relay.record()
    return relay


@pytest.fixture
def tagged() -> MemoryRelay:
    """
    A relay whose server has also redaction.
    """
    return taggedRelay()


def recall(relay: MemoryRelay, messageId: int, operator: int = 10002) -> None:
    """
    Let a member recall a message in the first group.
    """
    target = relay.groupLink.group.target
    relay.account.messageRecalled(relay.account.qq, target, operator, messageId)
    relay.settle()


def react(
    relay: MemoryRelay,
    messageId: int,
    face: Face | Text = THUMB,
    isSet: bool = True,
    sender: int = 10002,
) -> None:
    """
    Let a member react to a message in the first group.
    """
    target = relay.groupLink.group.target
    reaction = Reaction(
        Gid(1), Code(1), Number(target.number), Uin(1), messageId, face, isSet
    )
    relay.account.reactionChanged(relay.account.qq, target, sender, reaction)
    relay.settle()


def tagmsgs(relay: MemoryRelay) -> list[dict[str, str]]:
    """
    Return the tags of the C{TAGMSG}s that the relay has sent.
    """
    received = relay.server.last.received
    return [dict(line.tags) for line in received if line.command == "TAGMSG"]


def sentElsewhere(relay: MemoryRelay, text: str, messageId: int) -> None:
    """
    Have the account given a message as sent by another client.
    """
    target = relay.groupLink.group.target
    message = IncomingMessage(target, 10001, (Text(text),), Font(), 0, id=messageId)
    relay.account.messageSent(relay.account.qq, message)


def test_recall(tagged: MemoryRelay) -> None:
    """
    A recalled message is recalled in the other groups, and redacted on IRC; the
    recall of a copy does nothing.
    """
    said = tagged.say("wrong window")
    [copy] = tagged.messages("狗狗")
    other = tagged.groupLinks[1].group.target
    tagged.account.messageRecalled(tagged.account.qq, other, 10001, copy.id)
    recall(tagged, said)
    assert tagged.recalled == [(other.number, copy.id)]
    assert tagged.received("REDACT") == [("REDACT", "#cats", "m1")]
    tagged.account.messageRecalled(tagged.account.qq, other, 10001, copy.id)
    recall(tagged, said)
    tagged.settle()
    assert len(tagged.recalled) == len(tagged.received("REDACT")) == 1
    assert tagged.irc() == [f"{MING} wrong window"]


def test_recallLine() -> None:
    """
    On an IRC server without redaction, a line says who has recalled which message.
    """
    relay = taggedRelay("")
    first = relay.say("wrong window")
    second = relay.say("third line\nand more")
    recall(relay, first)
    recall(relay, second, operator=10001)
    assert relay.irc()[-2:] == [
        "* 小\u200b明 recalled: wrong window",
        "* A\u200blice recalled a message of 小明: third line…",
    ]


def test_recallRefused(tagged: MemoryRelay) -> None:
    """
    A copy that cannot be recalled any more stays, which is logged; one that the IRC
    server does not redact gets a line.
    """
    tagged.refusal = RequestRefused(1, "too old")
    tagged.server.refuse["REDACT"] = "FAIL"
    said = tagged.say("wrong window")
    with capturedLogs() as events:
        recall(tagged, said)
        tagged.settle(300)
    logged = [text for text in map(formatEvent, events) if text and "too old" in text]
    assert len(logged) == len(tagged.recalled) == 1
    assert tagged.irc()[-1] == "* 小\u200b明 recalled: wrong window"


def test_recallLater(tagged: MemoryRelay) -> None:
    """
    A recall waits in the outbox while the server cannot be reached.
    """
    tagged.refusal = Unreachable("no route")
    said = tagged.say("wrong window")
    recall(tagged, said)
    assert tagged.outbox.count(tagged.groupLinks[1].source) == 1
    tagged.refusal = None
    tagged.settle(300)
    assert len(tagged.recalled) > 1
    assert tagged.outbox.queues() == {}


def test_recallQueued(tagged: MemoryRelay) -> None:
    """
    A message that is recalled before it was sent is not sent.
    """
    tagged.network.stopService()
    tagged.settle()
    said = tagged.say("wrong window")
    assert tagged.outbox.count(tagged.link.source) == 1
    recall(tagged, said)
    assert tagged.outbox.count(tagged.link.source) == 0
    tagged.network.startService()
    tagged.say("第 2")
    tagged.settle(30)
    assert tagged.irc() == [f"{MING} 第 2"]


def test_recallInFlight(tagged: MemoryRelay) -> None:
    """
    A message that is recalled while it is being sent is recalled afterwards.
    """
    tagged.server.override = lambda connection, line: line.command == "PRIVMSG"
    said = tagged.say("wrong window")
    recall(tagged, said)
    assert tagged.received("REDACT") == []
    tagged.server.override = lambda *_: False
    echo = Line("PRIVMSG", ("#cats", "x"), "qqrelay!r@host", {"msgid": "late"})
    tagged.server.last.send(echo)
    tagged.settle()
    assert tagged.received("REDACT") == [("REDACT", "#cats", "late")]


def test_redacted(tagged: MemoryRelay) -> None:
    """
    A message that an IRC user redacts is recalled in all groups.
    """
    tagged.server.bob("wrong window", msgid="b1")
    tagged.settle()
    redact = Line("REDACT", ("#cats", "b1", "oops"), "bob!b@host")
    tagged.server.last.send(redact, redact)
    tagged.settle()
    copies = [tagged.messages(name)[0].id for name in ("猫咪", "狗狗")]
    assert [messageId for _, messageId in tagged.recalled] == copies


def test_reaction(tagged: MemoryRelay) -> None:
    """
    A reaction on QQ is one on IRC and in the other group, while one member has it;
    those of our own account are not relayed.
    """
    said = tagged.say("茶好了")
    [copy] = tagged.messages("狗狗")
    react(tagged, said, sender=10001)
    react(tagged, said, Face(14))
    react(tagged, said, Face(14), sender=10003)
    react(tagged, said, Face(14), isSet=False)
    react(tagged, said, Face(14), isSet=False, sender=10003)
    tags = {"+draft/reply": "m1", "+txwebqq/origin": tagged.groupLink.source}
    assert tagmsgs(tagged) == [
        {"+draft/react": "[微笑]", **tags},
        {"+draft/unreact": "[微笑]", **tags},
    ]
    other = tagged.groupLinks[1].group.target.number
    assert tagged.reacted == [
        (other, copy.id, Face(14), True),
        (other, copy.id, Face(14), False),
    ]


def test_manyReact(tagged: MemoryRelay) -> None:
    """
    A user with ever new nicks makes the relay remember no more than a fixed number of
    members: the reaction ends when these have taken it back.
    """
    said = tagged.say("茶好了")
    for n in range(MAX_REACTORS + 5):
        react(tagged, said, sender=20000 + n)
    for n in range(MAX_REACTORS):
        assert len(tagmsgs(tagged)) == 1
        react(tagged, said, sender=20000 + n, isSet=False)
    assert len(tagmsgs(tagged)) == 2


def test_ircReaction(tagged: MemoryRelay) -> None:
    """
    A reaction on IRC is one of the relay's account on QQ, but for words.
    """
    said = tagged.say("茶好了")
    [copy] = tagged.messages("狗狗")
    for text in ("👍", "[微笑]", "lol", "", "👍"):
        tagged.server.tag(react=text, reply="m1")
    tagged.server.tag(unreact="👍", reply="m1")
    tagged.settle()
    cats, dogs = (link.group.target.number for link in tagged.groupLinks)
    faces: list[tuple[Face | Text, bool]]
    faces = [(THUMB, True), (Face(14), True), (THUMB, False)]
    assert [each for each in tagged.reacted if each[0] == cats] == [
        (cats, said, *each) for each in faces
    ]
    assert [each for each in tagged.reacted if each[0] == dogs] == [
        (dogs, copy.id, *each) for each in faces
    ]
    assert tagmsgs(tagged) == []


def test_reactionDenied(tagged: MemoryRelay) -> None:
    """
    Nothing is sent for a reaction where the IRC server removes its tag, or QQ does not
    know the emoji; this is logged once.
    """
    tagged.server.last.send(
        Line("005", ("qqrelay", "CLIENTTAGDENY=*,-draft/reply", "x"))
    )
    tagged.refusal = RequestRefused(1, "no such emoji")
    said = tagged.say("茶好了")
    with capturedLogs() as events:
        react(tagged, said)
        react(tagged, said, isSet=False)
    logged = [text for text in map(formatEvent, events) if text and "emoji" in text]
    assert len(tagged.reacted) == 2
    assert len(logged) == 1
    assert tagmsgs(tagged) == []


def test_secondRelay(tagged: MemoryRelay) -> None:
    """
    The reaction that another relay has passed on is not relayed again.
    """
    tagged.say("茶好了")
    tags = {
        "+draft/react": "👍",
        "+draft/reply": "m1",
        "+txwebqq/origin": tagged.groupLink.source,
    }
    tagged.server.last.send(Line("TAGMSG", ("#cats",), "other!r@host", tags))
    tagged.settle()
    assert tagged.reacted == []


def test_poke(relay: MemoryRelay) -> None:
    """
    A poke is an action on IRC; the same one is relayed once.
    """
    target = relay.groupLink.group.target
    for _ in range(2):
        relay.account.memberPoked(relay.account.qq, target, 10002, 10001, 1366000000)
    relay.settle()
    assert relay.irc() == ["* 小\u200b明 pokes Alice"]


def test_file(tagged: MemoryRelay) -> None:
    """
    A file that a member shares is shown by its name and size, with a link; one that
    the server delivers twice is shown once.
    """
    gid = tagged.ming.groupCalled("猫咪").gid
    for data in (b"x" * 40, b"x" * 3_000_000):
        shared = tagged.ming.protocol.sendGroupFile(gid, data, "茶 单.pdf")
        tagged.web.result(shared)
    tagged.settle(2)
    first, second = tagged.irc()
    assert first.startswith(f"{MING} [文件] 茶 单.pdf (40 bytes) http://qq.test/")
    assert second.startswith(f"{MING} [文件] 茶 单.pdf (2.9 MiB) http://qq.test/")
    for line in (first, second):
        linked = tagged.links.files.find(line.rpartition("/")[2])
        assert linked is not None
        assert (linked.account, linked.name) == (10001, "茶 单.pdf")
    assert [message.text for message in tagged.messages("狗狗")] == [
        line.replace("\u200b", "") for line in tagged.irc()
    ]
    target = tagged.groupLink.group.target
    file = GroupFile(
        Gid(1), Code(1), Number(target.number), Uin(1), "a.pdf", 5, "key", time=1
    )
    for _ in range(2):
        tagged.account.groupFileShared(tagged.account.qq, target, 10002, file)
    tagged.settle()
    assert len(tagged.irc()) == 3


def test_floods(tagged: MemoryRelay) -> None:
    """
    Only a few reactions and pokes are relayed in a minute, so that messages do not
    wait behind them.
    """
    target = tagged.groupLink.group.target
    said = tagged.say("茶好了")
    for n in range(30):
        react(tagged, said, Face(n))
        tagged.account.memberPoked(tagged.account.qq, target, 10002, 10001, n)
    tagged.settle(1)
    assert len(tagmsgs(tagged)) == len(tagged.reacted) == MAX_REACTIONS
    assert len(tagged.irc()) == 1 + MAX_POKES


def test_recallSeen(relay: MemoryRelay) -> None:
    """
    The line of another relay about a recall is not relayed.
    """
    said = relay.say("wrong window")
    relay.settle(REMEMBERED_SECONDS + 1)
    recall(relay, said)
    relay.server.bob("* 小\u200b明 recalled: wrong window")
    relay.settle(10)
    assert relay.irc()[-1] == "* 小\u200b明 recalled: wrong window"
    assert relay.qq() == []


def test_mute(tagged: MemoryRelay) -> None:
    """
    The other targets are told who was muted, for how long and by whom.
    """
    account, qq, target = (
        tagged.account,
        tagged.account.qq,
        tagged.groupLink.group.target,
    )
    account.memberMuted(qq, target, 10002, 10001, 600)
    account.memberMuted(qq, target, 10002, 10001, 0)
    account.memberMuted(qq, target, 0, 0, 2**31 - 1)
    account.memberMuted(qq, target, 0, 0, 0)
    # The longest mute of our gateway.
    account.memberMuted(qq, target, 10002, 10001, 30 * 86400 - 60)
    tagged.settle()
    assert tagged.irc() == [
        "小\u200b明 is muted in 猫咪 for 10 minutes by A\u200blice",
        "小\u200b明 is no longer muted in 猫咪",
        "All members are muted in 猫咪",
        "All members are no longer muted in 猫咪",
        "小\u200b明 is muted in 猫咪 for 30 days by A\u200blice",
    ]
    assert (
        tagged.messages("狗狗")[0].text
        == "小明 is muted in 猫咪 for 10 minutes by Alice"
    )
    assert tagged.messages() == []


def test_sentElsewhere(relay: MemoryRelay) -> None:
    """
    A message that the account has sent by another client is relayed under its name;
    our own messages that the server gives back are not, also after a restart.
    """
    sentElsewhere(relay, "on my phone", 77)
    relay.server.bob("hello")
    relay.say("!status")
    relay.settle()
    copy, *answers = relay.messages()
    for answer in answers:
        sentElsewhere(relay, answer.text, 0)
    sentElsewhere(relay, "<bob>   hello", 0)
    sentElsewhere(relay, "changed by the server", copy.id)
    relay.settle(10)
    assert len(answers) == 2
    assert relay.irc() == ["<A\u200blice> on my phone"]
    relay.stop()
    again = MemoryRelay(database=relay.database)
    again.start()
    sentElsewhere(again, "changed by the server", copy.id)
    sentElsewhere(again, "on my phone", 78)
    again.settle(10)
    assert again.irc() == ["<A\u200blice> on my phone"]


def test_eventBeforeAnswer(relay: MemoryRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A message of ours that the server gives back before it answers the sending is told
    by its id from one that was sent elsewhere meanwhile.
    """
    answer: Deferred[Sent] = Deferred()

    def send(target: Target, content: Content, sendId: str) -> Deferred[Sent]:
        return answer

    monkeypatch.setattr(relay.account.qq.actions, "send", send)
    relay.server.bob("hello [doge]")
    relay.settle()
    sentElsewhere(relay, "<bob> hello /doge", 41)
    sentElsewhere(relay, "on my phone", 42)
    relay.settle()
    assert relay.irc() == []
    answer.callback(Sent(41, 1))
    relay.settle()
    assert relay.irc() == ["<A\u200blice> on my phone"]


def test_otherTargets(relay: MemoryRelay) -> None:
    """
    Nothing happens at events of a group that is in no room, or of unknown messages.
    """
    account, qq = relay.account, relay.account.qq
    elsewhere = Target(TargetKind.GROUP, 999)
    account.messageRecalled(qq, None, 10002, 1)
    account.messageRecalled(qq, elsewhere, 10002, 1)
    account.memberMuted(qq, elsewhere, 10002, 0, 60)
    account.memberPoked(qq, elsewhere, 10002, 10001, 0)
    recall(relay, 12345)
    react(relay, 12345)
    relay.server.tag(react="👍", reply="nothing")
    relay.server.tag(typing="active")
    relay.settle()
    assert relay.irc() == []
    assert relay.qq() == []
