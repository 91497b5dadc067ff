"""
Arbitrary input from clients and from QQ users.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, fail

from tests.irc.memorygateway import Client, MemoryGateway
from txwebqq.errors import Unreachable

ALL = [
    "account-tag",
    "batch",
    "draft/chathistory",
    "draft/multiline",
    "echo-message",
    "extended-join",
    "labeled-response",
    "message-tags",
    "multi-prefix",
    "server-time",
    "standard-replies",
]

COMMANDS = [
    "ADMIN",
    "AWAY",
    "BATCH",
    "CAP",
    "CHATHISTORY",
    "INFO",
    "INVITE",
    "ISON",
    "JOIN",
    "KICK",
    "LIST",
    "LUSERS",
    "MODE",
    "MONITOR",
    "MOTD",
    "NAMES",
    "NICK",
    "NOTICE",
    "PART",
    "PING",
    "PRIVMSG",
    "REDACT",
    "TAGMSG",
    "TIME",
    "TOPIC",
    "USER",
    "USERHOST",
    "VERSION",
    "WHO",
    "WHOIS",
    "WHOWAS",
]

WORDS = st.one_of(
    st.sampled_from(
        [
            "#猫咪",
            "小明",
            "*qq",
            "me",
            "+",
            "-",
            "+o",
            "o",
            "+q",
            "-m",
            "小明: hi",
            "*!*@*",
            "+1",
            "-1",
            "*",
            "LATEST",
            "BEFORE",
            "AROUND",
            "BETWEEN",
            "TARGETS",
            "5",
            "timestamp=2013-04-15T05:33:23.000Z",
            "msgid=1-1",
            "draft/multiline",
            "help",
            "set",
            "list",
            ":a",
            "::",
            ",",
            "#a,b",
            "\x02x",
            "a b",
            "",
            "\x01SHAKE\x01",
            "\x01ACTION",
        ]
    ),
    st.text(max_size=20),
)

LINES = st.builds(
    lambda tags, command, words, last: (
        f"{tags}{command} {' '.join(words)} :{last}".replace("\n", "").replace("\r", "")
    ),
    st.sampled_from(
        [
            "",
            "@label=7 ",
            "@batch=1 ",
            "@+typing=active ",
            "@a;b=\\ ",
            "@label=\\s;; ",
            "@+draft/react=\\r\\n;+reply=1-1 ",
            "@+draft/unreact;+draft/reply ",
        ]
    ),
    st.sampled_from(COMMANDS),
    st.lists(WORDS, max_size=3),
    WORDS,
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(said=st.lists(LINES, min_size=5, max_size=20))
def test_anything(gateway: MemoryGateway, said: list[str]) -> None:
    """
    After any lines from a client, all replies are valid lines, and this client
    and another one are still served.
    """
    other = gateway.client()
    client = gateway.client(*ALL)
    client.send(*said)
    for each in (client, other):
        seen = each.send("PING still")
        assert "PONG qq.test :still\r\n" in seen
        for line in each.transport.value().split(b"\r\n")[:-1]:
            body = line.split(b" ", 1)[1] if line.startswith(b"@") else line
            assert len(body) <= 510
            assert not re.search(rb"[\r\n\0]", line)
        each.close()


def test_singleBytes(gateway: MemoryGateway) -> None:
    """
    A line may arrive one byte at a time; a line that is not complete is
    ignored.
    """
    client = gateway.client()
    for byte in "PRIVMSG 小明 :你好\r\n".encode():
        client.connection.dataReceived(bytes([byte]))
    gateway.web.settle(1)
    assert gateway.ming.heard == ["你好"]
    client.send("PRIVMSG 小明 :half")
    client.connection.dataReceived(b"PRIVMSG \xe5")
    client.close()
    assert gateway.ming.heard == ["你好", "half"]


def test_longLabel(gateway: MemoryGateway) -> None:
    """
    A label that is too long is ignored.
    """
    client = gateway.client(*ALL)
    assert "label" not in client.send(f"@label={'x' * 4000} PING x")


def test_endlessBatch(gateway: MemoryGateway) -> None:
    """
    A batch that does not end keeps no more than one message in memory.
    """
    client = gateway.client(*ALL)
    client.send("BATCH +1 draft/multiline 小明")
    for _ in range(50):
        client.send(*[f"@batch=1 PRIVMSG 小明 :{'x' * 400}"] * 50)
    assert "MULTILINE_MAX_BYTES" in client.send("BATCH -1")
    assert "PONG" in client.send("PING x")


CARD = "QUIT :y#,! :z"
"""A card that the server does not refuse."""

HOSTILE = "x\r\nQUIT :y\r\n\x00\x01\x02\u202e#,! :z"


@pytest.mark.parametrize("capabilities", [(), tuple(ALL)])
def test_hostileGroup(capabilities: tuple[str, ...]) -> None:
    """
    Control characters and commands in the names and announcements of groups do
    no harm.
    """
    gateway = MemoryGateway(HOSTILE)
    gateway.web.group(HOSTILE, gateway.ming, gateway.alice)
    gateway.web.discussion(HOSTILE, gateway.ming, gateway.alice)
    gateway.signOn(gateway.ming)
    gateway.signOn(gateway.alice)
    client = gateway.client(*capabilities)
    ming = gateway.ming
    for group in list(ming.protocol.groups.values()):
        gateway.web.result(ming.protocol.editGroup(group.code, notice=HOSTILE))
        gateway.web.result(ming.protocol.sendGroupMessage(group.gid, HOSTILE))
        gateway.web.result(ming.protocol.setGroupCard(group.code, name=CARD))
    gateway.web.settle(3)
    assert_tame(client)
    client.send("LIST", "PRIVMSG *qq :list", "PRIVMSG *qq :requests")
    assert_tame(client)


def assert_tame(client: Client) -> None:
    for line in client.seen.split("\r\n")[:-1]:
        assert re.match(r"(@\S+ )?:\S+ [A-Z0-9]+ ", line), line
        assert " QUIT " not in line.partition(" :")[0]
        assert not re.search("[\r\n\0]", line)
    assert not client.transport.disconnecting


def test_hostileReason(gateway: MemoryGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Control characters and commands in a server's error text do no harm.
    """

    def refuse(*_: object) -> Deferred[None]:
        return fail(Unreachable(HOSTILE))

    account = gateway.aliceUser.accounts[gateway.alice.number]
    monkeypatch.setattr(account.actions, "setTopic", refuse)
    monkeypatch.setattr(account.actions, "send", refuse)
    for capabilities in ((), ALL):
        client = gateway.client(*capabilities)
        for line in ("TOPIC #猫咪 x", "PRIVMSG 小明 x"):
            assert " x QUIT :y " in client.send(line).replace(":x", " x")
            assert_tame(client)


def test_nameless() -> None:
    """
    A friend without a nick is called by the number, which stays, and not by an id
    of the session.
    """
    gateway = MemoryGateway(friend="")
    gateway.signOn(gateway.ming)
    gateway.signOn(gateway.alice)
    client = gateway.client()
    assert "@qq10002" in client.send("NAMES #猫咪")
    gateway.ming.tellGroup("猫咪", "在吗")
    gateway.ming.tell(gateway.alice, "你好")
    gateway.web.settle(3)
    assert ":qq10002!10002@qq.test PRIVMSG #猫咪 :在吗" in client.seen
    assert ":qq10002!10002@qq.test PRIVMSG me :你好" in client.seen
    assert "qq10002: 10002, online" in client.send("PRIVMSG *qq :list")
