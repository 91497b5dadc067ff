"""
Recalls, mutes, pokes, reactions, mentions and replies, as clients are shown them and
send them.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed

from tests.irc.memorygateway import Client, MemoryGateway
from txwebqq.errors import RequestRefused, Unreachable
from txwebqq.irc.gateway.commands.channeladmin import MUTE_SECONDS
from txwebqq.irc.gateway.storage.mutes import StoredMutes
from txwebqq.irc.qq.account import QQAccount
from txwebqq.irc.qq.accountprotocol import AccountFactory, AccountProtocol
from txwebqq.irc.qq.messages import IncomingMessage
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import (
    Code,
    Content,
    Event,
    Face,
    Font,
    Gid,
    GroupMessage,
    MemberMuted,
    MemberPoked,
    Mention,
    Message,
    MessageRecalled,
    MessageSent,
    Number,
    Reaction,
    Reply,
    Sent,
    Text,
    Uin,
)
from txwebqq.requests.interaction import FOREVER
from txwebqq.testing import MemoryPerson

MODERN = ("message-tags", "draft/message-redaction", "echo-message", "batch")
NO_GROUP = (Gid(0), Code(0), Number(0))


class QQ:
    """
    QQ as the account of a gateway has it: events that the test makes, and actions
    that are recorded.

    @ivar done: the names and arguments of the actions.
    @ivar refusal: the error of all actions, L{None} for none.
    """

    def __init__(self, gateway: MemoryGateway, patch: pytest.MonkeyPatch) -> None:
        self.done: list[tuple[Any, ...]] = []
        self.refusal: Exception | None = None
        self._gateway = gateway
        self.account = gateway.aliceUser.accounts[gateway.alice.number]
        self.me, self.ming = self.account.number, gateway.ming.number
        self.cats = Target(TargetKind.GROUP, gateway.cats)
        ids = gateway.alice.groupCalled("猫咪")
        self.group = (ids.gid, ids.code, gateway.cats)
        self.mingUin = gateway.alice.uinOf(gateway.ming)
        for name in ("recall", "react", "poke", "mute", "muteAll", "shakeWindow"):
            patch.setattr(self.account.actions, name, self._action(name))

    def _action(self, name: str) -> Any:
        def act(*args: Any) -> Any:
            self.done.append((name, *args))
            return succeed(None) if self.refusal is None else fail(self.refusal)

        return act

    def happens(self, event: Event) -> None:
        """
        Give the account an event.
        """
        self.account.online.eventReceived(event)
        self._gateway.web.settle(1)

    def says(self, content: Content | str, group: bool = True) -> int:
        """
        Have Ming send a message.

        @return: its id.
        """
        ming, web = self._gateway.ming, self._gateway.web
        if group:
            gid = ming.groupCalled("猫咪").gid
            sending = ming.protocol.sendGroupMessage(gid, content)
        else:
            uin = ming.uinOf(self._gateway.alice)
            sending = ming.protocol.sendMessage(uin, content)
        sent = web.result(sending)
        web.settle(3)
        return sent.messageId

    def heard(self) -> Content:
        """
        Return the content of the last message that Ming has received.
        """
        event = self._gateway.ming.events[-1]
        assert isinstance(event, (GroupMessage, Message))
        return event.content


@pytest.fixture
def qq(gateway: MemoryGateway, monkeypatch: pytest.MonkeyPatch) -> QQ:
    """
    QQ, as the gateway has it.
    """
    return QQ(gateway, monkeypatch)


def msgidOf(seen: str) -> str:
    """
    The msgid of the last line that has one.
    """
    msgids: list[str] = re.findall(r"[@;]msgid=([0-9a-f-]+)", seen)
    return msgids[-1]


def ask(person: MemoryPerson) -> str:
    return f":{person.nick}!{person.number}@qq.test"


def test_mention(gateway: MemoryGateway, qq: QQ) -> None:
    """
    A mention of the user is the nick of each client, also of those that the message
    is played back to, and in the answers of the bot the user's name.
    """
    first, second = gateway.client(), gateway.client()
    second.send("NICK other")
    for client in (first, second):
        client.transport.clear()
    qq.says((Mention(qq.me, "Alice"), Text(" hello")))
    assert "PRIVMSG #猫咪 :me: hello\r\n" in first.seen
    assert "PRIVMSG #猫咪 :other: hello\r\n" in second.seen
    late = gateway.client(login="alice/late")
    assert "PRIVMSG #猫咪 :me: hello\r\n" in late.seen
    assert "<小明> alice: hello" in first.send("PRIVMSG *qq :history #猫咪")


def test_mentionOfOthers(gateway: MemoryGateway, qq: QQ) -> None:
    """
    A mention of a fellow member is its nick, and one of others C{@} and a name.
    """
    client = gateway.client()
    client.send("PRIVMSG *qq :rename 小明 Ming")
    client.transport.clear()
    qq.says((Mention(qq.ming, "小明"), Text(" hello")))
    qq.says((Mention(Number(0), "全体成员"), Text(" hello")))
    assert "PRIVMSG #猫咪 :Ming: hello\r\n" in client.seen
    assert "PRIVMSG #猫咪 :@全体成员 hello\r\n" in client.seen


@pytest.mark.parametrize("text", ["小明: hello", "@小明 hello"])
def test_sendMention(gateway: MemoryGateway, qq: QQ, text: str) -> None:
    """
    A member whom a client addresses is mentioned on QQ; the text stays as it is for
    the user's other clients.
    """
    client, other = gateway.client(), gateway.client()
    other.transport.clear()
    client.send(f"PRIVMSG #猫咪 :{text}")
    mention, *rest = qq.heard()
    assert mention == Mention(qq.ming, "小明")
    assert "".join(each.text for each in rest if isinstance(each, Text)) == " hello"
    assert f"PRIVMSG #猫咪 :{text}\r\n" in other.seen


@pytest.mark.parametrize(
    "line",
    [
        "PRIVMSG #猫咪 :me: hello",
        "PRIVMSG #猫咪 :*qq: hello",
        "PRIVMSG #猫咪 :@#猫咪 hello",
        "PRIVMSG 小明 :小明: hello",
    ],
)
def test_noMention(gateway: MemoryGateway, qq: QQ, line: str) -> None:
    """
    The user, the bot and channels are not mentioned, and nobody in a query.
    """
    gateway.client().send(line)
    assert qq.heard() == (Text(line.partition(":")[2]),)


def test_reply(gateway: MemoryGateway, qq: QQ) -> None:
    """
    A reply has the msgid of the message for clients that know tags, and quotes it for
    others, and for all by the user's preference; but not one that is not known.
    """
    modern, plain = gateway.client(*MODERN), gateway.client()
    question = qq.says("shall we go to the park at nine, or is ten better?")
    msgid = msgidOf(modern.seen)
    for client in (modern, plain):
        client.transport.clear()
    qq.says((Reply(question), Mention(qq.me, "Alice"), Text(" ten")))
    tags = f"+reply={msgid};+draft/reply={msgid}"
    assert re.search(
        rf"@msgid=\S+;{re.escape(tags)} \S+ PRIVMSG #猫咪 :me: ten\r\n", modern.seen
    )
    quote = "(re 小明: shall we go to the park at nine, or is …)"
    assert f"PRIVMSG #猫咪 :me: ten {quote}\r\n" in plain.seen
    plain.send("PRIVMSG *qq :set quotes on")
    for client in (modern, plain):
        client.transport.clear()
    qq.says((Reply(question), Text("nine")))
    for client in (modern, plain):
        assert f"PRIVMSG #猫咪 :nine {quote}\r\n" in client.seen
        client.transport.clear()
    qq.says((Reply(question + 1), Text("what")))
    for client in (modern, plain):
        assert client.seen.endswith("PRIVMSG #猫咪 :what\r\n")
        assert "reply" not in client.seen


def test_sendReply(gateway: MemoryGateway, qq: QQ) -> None:
    """
    A reply of a client to a message of QQ, or to its own, is one on QQ, and is shown
    so; a msgid of another conversation is none.
    """
    modern, plain = gateway.client(*MODERN), gateway.client()
    question = qq.says("at nine?")
    msgid = msgidOf(modern.seen)
    plain.transport.clear()
    echo = modern.send(f"@+draft/reply={msgid} PRIVMSG #猫咪 :no")
    assert f"+draft/reply={msgid}" in echo
    assert qq.heard() == (Reply(question), Text("no"))
    assert "PRIVMSG #猫咪 :no (re 小明: at nine?)\r\n" in plain.seen
    own = msgidOf(echo)
    answer = gateway.ming.events[-1]
    assert isinstance(answer, GroupMessage)
    plain.transport.clear()
    modern.send(f"@+reply={own} PRIVMSG #猫咪 :at ten")
    assert qq.heard() == (Reply(answer.id), Text("at ten"))
    assert "PRIVMSG #猫咪 :at ten (re me: no)\r\n" in plain.seen
    for tag in (f"+reply={msgid}", "+reply=nonsense", "+reply"):
        assert "reply" not in modern.send(f"@{tag} PRIVMSG 小明 :hello")
        assert qq.heard() == (Text("hello"),)


def test_sendReplyInBatch(gateway: MemoryGateway, qq: QQ) -> None:
    """
    A message of several lines is a reply by the tag of the line that begins it.
    """
    modern = gateway.client(*MODERN, "draft/multiline")
    question = qq.says("at nine?")
    msgid = msgidOf(modern.seen)
    echo = modern.send(
        f"@+draft/reply={msgid} BATCH +1 draft/multiline #猫咪",
        "@batch=1 PRIVMSG #猫咪 :no",
        "@batch=1 PRIVMSG #猫咪 :at ten",
        "BATCH -1",
    )
    assert qq.heard() == (Reply(question), Text("no\nat ten"))
    assert echo.count(f"+draft/reply={msgid}") == 1


def test_recall(gateway: MemoryGateway, qq: QQ) -> None:
    """
    A recalled message is redacted for clients that know it, and others are told whose
    it was and how it began; it is shown no longer.
    """
    modern, plain = gateway.client(*MODERN), gateway.client()
    secret = qq.says("the secret")
    msgid = msgidOf(modern.seen)
    for client in (modern, plain):
        client.transport.clear()
    event = MessageRecalled(*qq.group, qq.mingUin, qq.mingUin, secret)
    qq.happens(event)
    source = ask(gateway.ming)
    assert re.fullmatch(rf"@msgid=\S+ {source} REDACT #猫咪 {msgid}\r\n", modern.seen)
    assert (
        plain.seen == f"{source} NOTICE #猫咪 :has recalled a message: the secret\r\n"
    )
    qq.happens(event)
    assert modern.seen.count("REDACT") == plain.seen.count("NOTICE") == 1
    late = gateway.client(login="alice/late")
    assert "NOTICE #猫咪 :has recalled a message\r\n" in late.seen
    history = gateway.client(*MODERN, "draft/chathistory")
    asked = history.send("CHATHISTORY LATEST #猫咪 * 10")
    assert f"REDACT #猫咪 {msgid}\r\n" in asked
    bot = plain.send("PRIVMSG *qq :history #猫咪")
    assert "<小明> has recalled a message" in bot
    for seen in (late.seen, asked, bot):
        assert "secret" not in seen


def test_recallByAdministrator(gateway: MemoryGateway, qq: QQ) -> None:
    """
    An administrator recalls a message of the user.
    """
    modern, plain = gateway.client(*MODERN), gateway.client()
    own = msgidOf(modern.send("PRIVMSG #猫咪 :oops"))
    heard = gateway.ming.events[-1]
    assert isinstance(heard, GroupMessage)
    plain.transport.clear()
    qq.happens(MessageRecalled(*qq.group, Uin(qq.me), qq.mingUin, heard.id))
    source = ask(gateway.ming)
    assert f"{source} REDACT #猫咪 {own}\r\n" in modern.seen
    assert (
        f"{source} NOTICE #猫咪 :has recalled a message of me: oops\r\n" in plain.seen
    )


def test_recallOfFriend(gateway: MemoryGateway, qq: QQ) -> None:
    """
    Messages of a friend, and those of the user to it, are recalled by another client.
    """
    client = gateway.client(*MODERN)
    theirs = qq.says("mine", group=False)
    msgid = msgidOf(client.seen)
    qq.happens(MessageRecalled(*NO_GROUP, qq.mingUin, qq.mingUin, theirs))
    assert f"{ask(gateway.ming)} REDACT me {msgid}\r\n" in client.seen
    own = msgidOf(client.send("PRIVMSG 小明 :ours"))
    heard = gateway.ming.events[-1]
    assert isinstance(heard, Message)
    qq.happens(MessageRecalled(*NO_GROUP, Uin(qq.me), Uin(qq.me), heard.id))
    assert f":me!alice@qq.test REDACT 小明 {own}\r\n" in client.seen


def test_recallUnknown(gateway: MemoryGateway, qq: QQ) -> None:
    """
    The recall of a message that the gateway has not stored shows nothing.
    """
    client = gateway.client(*MODERN)
    client.transport.clear()
    qq.happens(MessageRecalled(*qq.group, qq.mingUin, qq.mingUin, 7))
    qq.happens(MessageRecalled(*NO_GROUP, Uin(qq.me), Uin(qq.me), 7))
    assert client.seen == ""


def test_redact(
    gateway: MemoryGateway, qq: QQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    C{REDACT} recalls the message on QQ, in all its parts, and all clients are shown
    it with the reason; once, although QQ tells the account as well.
    """
    client, plain = gateway.client(*MODERN), gateway.client()
    monkeypatch.setattr(AccountProtocol, "longest", 1000)
    own = msgidOf(client.send("PRIVMSG #猫咪 :" + "oops " * 400))
    parts = [each for each in gateway.ming.events if isinstance(each, GroupMessage)]
    assert len(parts) > 1
    plain.transport.clear()
    seen = client.send(f"REDACT #猫咪 {own} :wrong channel")
    assert qq.done == [("recall", qq.cats, each.id) for each in parts]
    assert seen.endswith(f":me!alice@qq.test REDACT #猫咪 {own} :wrong channel\r\n")
    notice = "NOTICE #猫咪 :has recalled a message: oops oops"
    assert notice in plain.seen
    assert plain.seen.endswith("… (wrong channel)\r\n")
    before = client.seen
    qq.happens(MessageRecalled(*qq.group, Uin(qq.me), Uin(qq.me), parts[-1].id))
    assert client.seen == before
    assert "UNKNOWN_MSGID" in client.send(f"REDACT #猫咪 {own}")


def test_redactRefused(gateway: MemoryGateway, qq: QQ) -> None:
    """
    A C{REDACT} that fails is answered with the codes of the specification, and the
    message stays.
    """
    client = gateway.client(*MODERN)
    qq.says("hello")
    msgid = msgidOf(client.seen)
    for line, answer in (
        (f"REDACT #nowhere {msgid}", "INVALID_TARGET #nowhere :"),
        (f"REDACT *qq {msgid}", "INVALID_TARGET *qq :"),
        ("REDACT #猫咪 nonsense", "UNKNOWN_MSGID #猫咪 nonsense :"),
        (f"REDACT 小明 {msgid}", f"UNKNOWN_MSGID 小明 {msgid} :"),
    ):
        assert client.send(line).startswith(f":qq.test FAIL REDACT {answer}"), line
    assert qq.done == []
    qq.refusal = RequestRefused(0, "too late")
    forbidden = f"FAIL REDACT REDACT_FORBIDDEN #猫咪 {msgid} :QQ refuses: "
    assert forbidden in client.send(f"REDACT #猫咪 {msgid}")
    qq.refusal = Unreachable("gone")
    assert "FAIL REDACT NOT_DONE #猫咪 " in client.send(f"REDACT #猫咪 {msgid}")
    assert gateway.aliceUser.interactions.reasons == {}
    qq.refusal = None
    assert f" REDACT #猫咪 {msgid}\r\n" in client.send(f"REDACT #猫咪 {msgid}")


def test_redactUnknownToQQ(gateway: MemoryGateway, qq: QQ) -> None:
    """
    A message to which QQ has given no id, such as a poke, cannot be recalled.
    """
    client = gateway.client(*MODERN)
    qq.happens(MemberPoked(*qq.group, qq.mingUin, Uin(qq.me)))
    msgid = msgidOf(client.seen)
    answer = f"FAIL REDACT REDACT_FORBIDDEN #猫咪 {msgid} :"
    assert answer in client.send(f"REDACT #猫咪 {msgid}")


def test_reaction(gateway: MemoryGateway, qq: QQ) -> None:
    """
    A reaction is a C{TAGMSG}, once, for clients that know tags; others are not told.
    """
    modern, plain = gateway.client(*MODERN), gateway.client()
    said = qq.says("hello")
    msgid = msgidOf(modern.seen)
    for client in (modern, plain):
        client.transport.clear()
    source = ask(gateway.ming)
    for face, isSet, tag in (
        (Face(14), True, "+draft/react=[微笑]"),
        (Text("👍"), True, "+draft/react=👍"),
        (Text("👍"), False, "+draft/unreact=👍"),
    ):
        for _ in range(2):
            qq.happens(Reaction(*qq.group, qq.mingUin, said, face, isSet))
        tags = f"@{tag};+reply={msgid};+draft/reply={msgid}"
        assert modern.seen == f"{tags} {source} TAGMSG #猫咪\r\n"
        modern.transport.clear()
    qq.happens(Reaction(*qq.group, qq.mingUin, said + 1, Face(14)))
    assert modern.seen == plain.seen == ""


def test_react(gateway: MemoryGateway, qq: QQ) -> None:
    """
    The reaction of a client is set on QQ, echoed, and shown to the user's other
    clients, once although QQ tells the account as well.
    """
    client, other = gateway.client(*MODERN), gateway.client("message-tags")
    said = qq.says("hello")
    msgid = msgidOf(client.seen)
    other.transport.clear()
    react = f"@+draft/react=:Smile:;+draft/reply={msgid} TAGMSG #猫咪"
    tags = f"@+draft/react=[微笑];+reply={msgid};+draft/reply={msgid}"
    shown = f"{tags} :me!alice@qq.test TAGMSG #猫咪\r\n"
    assert client.send(react) == other.seen == shown
    assert qq.done == [("react", qq.cats, said, Face(14), True)]
    qq.happens(Reaction(*qq.group, Uin(qq.me), said, Face(14)))
    assert client.seen == other.seen == shown
    assert other.send(react.replace("react", "unreact")) == ""
    assert qq.done[1:] == [("react", qq.cats, said, Face(14), False)]


def test_reactRefused(gateway: MemoryGateway, qq: QQ) -> None:
    """
    A reaction that cannot be set is answered with C{FAIL}.
    """
    client = gateway.client(*MODERN, "standard-replies")
    qq.says("hello")
    tags = f"@+reply={msgidOf(client.seen)};+draft/react="
    failed = ":qq.test FAIL TAGMSG NOT_DONE #猫咪 :"
    for line in (
        f"{tags}lol TAGMSG #猫咪",
        "@+draft/react=👍 TAGMSG #猫咪",
        "@+draft/react=👍;+reply=x TAGMSG #猫咪",
    ):
        assert client.send(line).startswith(failed)
    assert qq.done == []
    assert client.send("@+draft/react=👍 TAGMSG #nowhere") == ""
    qq.refusal = Unreachable("gone")
    assert client.send(f"{tags}👍 TAGMSG #猫咪").startswith(failed)


def test_muted(gateway: MemoryGateway, qq: QQ) -> None:
    """
    A mute is C{MODE +q} of the member and C{+m} of the whole group, once; its end is
    shown also when it comes by itself.
    """
    client = gateway.client()
    client.transport.clear()
    source = ask(gateway.ming)
    for member, seconds, modes in (
        (Uin(qq.me), 60, "+q me!*@*"),
        (qq.mingUin, 600, "+q 小明!*@*"),
        (Uin(0), FOREVER, "+m"),
        (qq.mingUin, 0, "-q 小明!*@*"),
    ):
        for _ in range(2):
            qq.happens(MemberMuted(*qq.group, member, qq.mingUin, seconds))
        assert client.seen == f"{source} MODE #猫咪 {modes}\r\n"
        client.transport.clear()
    assert "324 me #猫咪 +mnt\r\n" in client.send("MODE #猫咪")
    quiet = client.send("MODE #猫咪 +q")
    assert "728 me #猫咪 q :me!*@*\r\n" in quiet
    assert "729 me #猫咪 q :End of channel quiet list\r\n" in quiet
    gateway.web.settle(60)
    client.transport.clear()
    gateway.aliceUser.interactions.endMutes()
    assert client.seen == ":qq.test MODE #猫咪 -q :me!*@*\r\n".replace(":me!", "me!")
    assert "728" not in client.send("MODE #猫咪 q")
    qq.happens(MemberMuted(*qq.group, Uin(0), qq.mingUin, 0))
    assert "324 me #猫咪 +nt\r\n" in client.send("MODE #猫咪")


def test_mute(gateway: MemoryGateway, qq: QQ) -> None:
    """
    C{MODE} mutes members, by nick or mask, and whole groups; and ends it.
    """
    client = gateway.client()
    own = ":me!alice@qq.test MODE #猫咪"
    for modes, action, shown in (
        ("+q 小明", ("mute", qq.ming, MUTE_SECONDS), "+q 小明!*@*"),
        ("-q 小明!*@*", ("mute", qq.ming, 0), "-q 小明!*@*"),
        (f"+q *!{qq.ming}@*", ("mute", qq.ming, MUTE_SECONDS), "+q 小明!*@*"),
        ("+m", ("muteAll", True), "+m"),
        ("-m", ("muteAll", False), "-m"),
    ):
        assert client.send(f"MODE #猫咪 {modes}") == f"{own} {shown}\r\n"
        name, *args = action
        assert qq.done.pop() == (name, qq.cats, *args)
    qq.refusal = RequestRefused(0, "you are no administrator")
    for modes in ("+m", "+q 小明"):
        refused = client.send(f"MODE #猫咪 {modes}")
        assert refused.startswith(":qq.test 482 me #猫咪 :QQ refuses: ")
    for mask in ("nobody", "*!1@*", "*!*@*"):
        assert " 441 me " in client.send(f"MODE #猫咪 +q {mask}")


def test_poke(gateway: MemoryGateway, qq: QQ) -> None:
    """
    A poke is an action, with the client's own nick when the user is poked. A poke by
    the bot's command is shown once, whether QQ tells the account of it or not.
    """
    client = gateway.client()
    client.transport.clear()
    now = int(gateway.clock.seconds())
    for _ in range(2):
        qq.happens(MemberPoked(*qq.group, qq.mingUin, Uin(qq.me), now))
    source = ask(gateway.ming)
    assert client.seen == f"{source} PRIVMSG #猫咪 :\x01ACTION pokes me\x01\r\n"
    own = ":me!alice@qq.test PRIVMSG #猫咪 :\x01ACTION pokes 小明\x01\r\n"
    assert own in client.send("PRIVMSG *qq :poke 小明 #猫咪")
    for seconds in (0, 12):
        gateway.web.settle(seconds)
        client.transport.clear()
        qq.happens(MemberPoked(*qq.group, Uin(qq.me), qq.mingUin, now))
        assert client.seen == (own if seconds else "")


def test_botCommands(gateway: MemoryGateway, qq: QQ) -> None:
    """
    The bot mutes and pokes members, and names the error in a wrong command.
    """
    client = gateway.client()
    for command, answer, action in (
        ("mute 小明 60", "muted in #猫咪 for 60 s", ("mute", qq.cats, qq.ming, 60)),
        ("mute 小明 5 #猫咪", "muted in #猫咪", ("mute", qq.cats, qq.ming, 5)),
        ("unmute 小明", "no longer muted", ("mute", qq.cats, qq.ming, 0)),
        ("poke 小明 #猫咪", "has been poked in #猫咪", ("poke", qq.cats, qq.ming)),
        ("poke 小明", "window of 小明 has been shaken", ("shakeWindow", qq.ming)),
    ):
        assert answer in client.send(f"PRIVMSG *qq :{command}"), command
        assert qq.done == [action]
        qq.done.clear()
    for command, answer in (
        ("mute", "SECONDS is missing"),
        ("mute 小明 long", "SECONDS is missing"),
        ("mute 小明 0", "unmute ends a mute"),
        ("mute nobody 60", "no such nick"),
        ("mute #猫咪 60", "not the nick of a QQ user"),
        ("mute 小明 60 小明", "not a member of 小明"),
        ("unmute", "NICK is missing"),
        ("poke", "NICK is missing"),
    ):
        assert answer in client.send(f"PRIVMSG *qq :{command}"), command
    assert qq.done == []
    assert "MODE #猫咪 +q 小明!*@*" in client.send("PRIVMSG *qq :mute 小明 60")
    qq.refusal = RequestRefused(0, "no")
    assert "mute failed: " in client.send("PRIVMSG *qq :mute 小明 60")


def test_severalGroups(gateway: MemoryGateway, qq: QQ) -> None:
    """
    The bot wants to know the group of a member who is in several.
    """
    gateway.alice.stop()
    gateway.web.group("狗", gateway.ming, gateway.alice)
    gateway.signOn(gateway.alice)
    client = gateway.client()
    assert "several groups" in client.send("PRIVMSG *qq :mute 小明 60")
    assert "in #狗" in client.send("PRIVMSG *qq :mute 小明 60 #狗")


def test_sentElsewhere(gateway: MemoryGateway, qq: QQ) -> None:
    """
    A message of another client of the account is shown as the user's own, in the
    query with the friend, and can be replied to; a message that the gateway has sent
    itself is not shown again.
    """
    client = gateway.client(*MODERN)
    client.transport.clear()
    now = int(gateway.clock.seconds())
    hello = (Text("hello"),)
    qq.happens(MessageSent(*qq.group, Uin(0), hello, 1001, now))
    qq.happens(MessageSent(*NO_GROUP, qq.mingUin, hello, 1002, now))
    own = ":me!alice@qq.test PRIVMSG"
    assert re.findall(rf"{own} (\S+) :hello\r\n", client.seen) == ["#猫咪", "小明"]
    client.send(f"@+reply={msgidOf(client.seen)} PRIVMSG 小明 :yes")
    assert qq.heard() == (Reply(1002), Text("yes"))
    client.send("PRIVMSG #猫咪 :ho")
    heard = gateway.ming.events[-1]
    assert isinstance(heard, GroupMessage)
    client.transport.clear()
    qq.happens(MessageSent(*qq.group, Uin(0), (Text("ho"),), heard.id, now))
    assert client.seen == ""


def test_ownMessageOfTwoAccounts() -> None:
    """
    A message of one account of the user to a group is not shown again when another
    one receives it.
    """
    gateway = MemoryGateway()
    user, hua = gateway.aliceUser, gateway.web.person("阿花")
    gateway.web.group("狗", gateway.ming, gateway.alice, hua)
    account = user.accounts[hua.number] = QQAccount(hua.number, user)
    hua.run(AccountFactory(account))
    gateway.signOn(gateway.ming)
    gateway.signOn(gateway.alice)
    client = gateway.client("echo-message")
    client.transport.clear()
    client.send("PRIVMSG #狗 :woof")
    gateway.web.settle(5)
    assert client.seen.count("woof") == 1


def test_copyBeforeAnswer(
    gateway: MemoryGateway, qq: QQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A message of the user that another of its accounts receives before the server has
    answered is shown once, and one that the gateway has not sent as well.
    """
    client, other = gateway.client("echo-message"), gateway.client()
    for each in (client, other):
        each.transport.clear()
    answer: Deferred[Sent] = Deferred()
    monkeypatch.setattr(qq.account.actions, "send", lambda *args: answer)
    client.send("PRIVMSG #猫咪 :woof")
    for text, messageId in (("woof", 77), ("meow", 78)):
        gateway.aliceUser.messageReceived(
            qq.account,
            IncomingMessage(
                qq.cats,
                qq.me,
                (Text(text),),
                Font(),
                0,
                sequence=messageId,
                id=messageId,
            ),
        )
    assert other.seen == ""
    answer.callback(Sent(77))
    gateway.web.settle(1)
    own = ":me!alice@qq.test PRIVMSG #猫咪"
    for each in (client, other):
        assert sorted(each.seen.splitlines()) == [f"{own} :meow", f"{own} :woof"]


def test_longReply(gateway: MemoryGateway, qq: QQ) -> None:
    """
    Of the lines of a long reply, the first has the tags.
    """
    client = gateway.client("message-tags")
    question = qq.says("at nine?")
    client.transport.clear()
    qq.says((Reply(question), Text("no " * 300)))
    assert client.seen.count("PRIVMSG") > 1
    assert client.seen.count("+reply=") == 1


def test_leave(gateway: MemoryGateway, qq: QQ) -> None:
    """
    The mutes of a group that the user has left are forgotten.
    """
    client = gateway.client()
    qq.happens(MemberMuted(*qq.group, Uin(0), qq.mingUin, FOREVER))
    client.send("PRIVMSG *qq :leave #猫咪")
    mutes = gateway.aliceUser.interactions.mutes
    assert not mutes.isMuted(qq.cats, gateway.clock.seconds())


def test_mutesAreStored(gateway: MemoryGateway, qq: QQ) -> None:
    """
    A mute is in the database until it ends, for the next start of the gateway.
    """
    user = gateway.aliceUser
    stored = StoredMutes(user.preferences, user.name)
    qq.happens(MemberMuted(*qq.group, qq.mingUin, Uin(0), 60))
    [(target, member)] = stored.load()
    assert (target, member) == (qq.cats, qq.ming)
    qq.happens(MemberMuted(*qq.group, qq.mingUin, Uin(0), 0))
    assert stored.load() == {}


def test_afterRestart(gateway: MemoryGateway, qq: QQ) -> None:
    """
    The ids of messages are known after a restart: they are in the database.
    """
    client: Client = gateway.client(*MODERN)
    own = msgidOf(client.send("PRIVMSG #猫咪 :oops"))
    heard = gateway.ming.events[-1]
    assert isinstance(heard, GroupMessage)
    history = gateway.aliceUser.history
    history.commit()
    found = history.references.withMsgid("alice", qq.cats, own)
    assert found is not None
    assert (found.id, found.account) == (heard.id, qq.me)
