"""
Replies to IRC commands, by the section of the specification that defines them:
the numbers are those of RFC 2812, "modern" is the page modern.ircdocs.horse.
"""

from __future__ import annotations

import re

import pytest

from tests.irc.memorygateway import MemoryGateway
from txwebqq.model import Status

REPLIES = [
    # RFC 2812, 3.1.5: user modes, one's own only.
    ("MODE me", ["221 me +i"]),
    ("MODE me +i", ["221 me +i"]),
    ("MODE 小明 +i", ["502 me :Can't change mode for other users"]),
    ("MODE *qq", ["502 me :Can't change mode for other users"]),
    # RFC 2812, 3.2.1: a channel that does not exist.
    ("JOIN nowhere", ["403 me nowhere :No such channel"]),
    # RFC 2812, 3.2.2: several channels, each with its own reply.
    (
        "PART #nowhere,#neither",
        ["403 me #nowhere :No such channel", "403 me #neither :No such channel"],
    ),
    # RFC 2812, 3.2.3: channel modes; there are no bans, so none can be set.
    ("MODE #猫咪", ["324 me #猫咪 +nt"]),
    ("MODE #猫咪 b", ["368 me #猫咪 :End of channel ban list"]),
    ("MODE #猫咪 +b", ["368 me #猫咪 :End of channel ban list"]),
    (
        "MODE #猫咪 +b *!*@*",
        ["472 me b :is unknown mode char to me: QQ has only +m, +o and +q"],
    ),
    ("MODE #nowhere", ["403 me #nowhere :No such channel"]),
    # RFC 2812, 3.2.5: names of several channels.
    (
        "NAMES #猫咪,#nowhere",
        [
            "353 me = #猫咪 :me @小明",
            "366 me #猫咪 :End of NAMES list",
            "366 me #nowhere :End of NAMES list",
        ],
    ),
    (
        "NAMES #猫咪,#猫咪",
        ["353 me = #猫咪 :me @小明", "366 me #猫咪 :End of NAMES list"],
    ),
    # RFC 2812, 3.2.6: some channels only.
    ("LIST #猫咪", ["322 me #猫咪 2 :", "323 me :End of LIST"]),
    ("LIST #nowhere", ["323 me :End of LIST"]),
    ("LIST #nowhere,#猫咪", ["322 me #猫咪 2 :", "323 me :End of LIST"]),
    # RFC 2812, 3.2.8 and 3.2.4.
    ("KICK #nowhere 小明", ["403 me #nowhere :No such channel"]),
    ("TOPIC #nowhere", ["403 me #nowhere :No such channel"]),
    ("INVITE 小明 #nowhere", ["403 me #nowhere :No such channel"]),
    # RFC 2812, 3.3.1.
    ("PRIVMSG", ["411 me :No recipient given (PRIVMSG)"]),
    ("PRIVMSG 小明", ["412 me :No text to send"]),
    ("PRIVMSG 小明 :", ["412 me :No text to send"]),
    ("PRIVMSG me :again 和 again", ["PRIVMSG me :again 和 again"]),
    ("PRIVMSG ME hi", ["PRIVMSG me :hi"]),
    ("PRIVMSG me,ME hi", ["PRIVMSG me :hi"]),
    ("NOTICE me hi", ["NOTICE me :hi"]),
    # RFC 2812, 3.4.1 to 3.4.4, 3.4.6, 3.4.9, 3.4.10.
    ("MOTD", ["422 me :MOTD File is missing"]),
    ("MOTD qq.test", ["422 me :MOTD File is missing"]),
    ("MOTD elsewhere", ["402 me elsewhere :No such server"]),
    ("TIME", ["391 me qq.test :2013-04-15 05:33:27 UTC"]),
    ("TIME elsewhere", ["402 me elsewhere :No such server"]),
    (
        "LUSERS",
        [
            "251 me :There are 2 users and 0 invisible on 1 servers",
            "254 me 1 :channels formed",
            "255 me :I have 2 clients and 0 servers",
        ],
    ),
    ("ADMIN", ["423 me qq.test :No administrative info available"]),
    (
        "INFO",
        [
            "371 me :txwebqq, an IRC gateway to QQ",
            "371 me :/msg *qq help lists the commands of the bot",
            "374 me :End of INFO list",
        ],
    ),
    # RFC 2812, 3.6.1, and modern, "WHO message".
    ("WHO me", ["352 me * alice qq.test qq.test me H :0 10001", "315 me me :End"]),
    (
        "WHO 小明",
        ["352 me * 10002 qq.test qq.test 小明 H :0 10002", "315 me 小明 :End"],
    ),
    (
        "WHO #猫咪",
        [
            "352 me #猫咪 alice qq.test qq.test me H :0 10001",
            "352 me #猫咪 10002 qq.test qq.test 小明 H@ :0 10002",
            "315 me #猫咪 :End",
        ],
    ),
    (
        "WHO *qq",
        [
            "352 me * qq qq.test qq.test *qq H :0 The bot of the gateway",
            "315 me *qq :End",
        ],
    ),
    ("WHO nobody", ["315 me nobody :End of WHO list"]),
    # RFC 2812, 3.6.2, and modern, "WHOIS message".
    (
        "WHOIS me",
        [
            "311 me me alice qq.test * :QQ 10001",
            "319 me me :#猫咪",
            "330 me me alice :is logged in as",
            "318 me me :End of WHOIS list",
        ],
    ),
    (
        "WHOIS qq.test 小明",
        [
            "311 me 小明 10002 qq.test * :QQ 10002",
            "319 me 小明 :#猫咪",
            "330 me 小明 10002 :is logged in as",
            "318 me 小明 :End of WHOIS list",
        ],
    ),
    (
        "WHOIS nobody",
        ["401 me nobody :No such nick/channel", "318 me nobody :End of WHOIS list"],
    ),
    # RFC 2812, 3.6.3.
    (
        "WHOWAS nobody",
        ["406 me nobody :There was no such nickname", "369 me nobody :End of WHOWAS"],
    ),
    # RFC 2812, 3.7.2.
    ("PING", ["409 me :No origin specified"]),
    ("PING 茶", ["PONG qq.test :茶"]),
    # RFC 2812, 4.8 and 4.9.
    (
        "USERHOST me 小明 nobody *qq",
        ["302 me :me=+alice@qq.test 小明=+10002@qq.test *qq=+qq@qq.test"],
    ),
    ("USERHOST nobody", ["302 me :"]),
    ("ISON me 小明 nobody", ["303 me :me 小明"]),
]


@pytest.mark.parametrize(("line", "expected"), REPLIES, ids=[r[0] for r in REPLIES])
def test_replies(gateway: MemoryGateway, line: str, expected: list[str]) -> None:
    """
    A command is answered with the lines of its specification.
    """
    seen = gateway.client().send(line)
    found = [re.sub("^:[^ ]+ ", "", each) for each in seen.splitlines()]
    assert len(found) == len(expected)
    for each, beginning in zip(found, expected, strict=True):
        assert each.startswith(beginning)


def test_away(gateway: MemoryGateway) -> None:
    """
    C{USERHOST} has a minus before the user name of a contact who is away, and
    no contact who is offline.
    """
    client = gateway.client()
    gateway.ming.appear(Status.AWAY)
    gateway.web.settle(3)
    assert ":小明=-10002@qq.test\r" in client.send("USERHOST 小明")
    gateway.ming.stop()
    gateway.web.settle(3)
    assert "302 me :\r" in client.send("USERHOST 小明")


def test_version(gateway: MemoryGateway) -> None:
    """
    C{VERSION} is answered with 351 and all lines of 005 (modern, "VERSION
    message").
    """
    client = gateway.client()
    welcome = [each for each in client.seen.splitlines() if " 005 " in each]
    first, *support = client.send("VERSION").splitlines()
    assert first.startswith(":qq.test 351 me txwebqq qq.test :")
    assert support == welcome != []


def test_motd(gateway: MemoryGateway) -> None:
    """
    C{MOTD} is answered as at the registration (RFC 2812, 3.4.1).
    """
    gateway.factory.motd = "Tea is ready\nand warm"
    client = gateway.client()
    seen = client.send("MOTD")
    assert re.findall(r" (\d+) me :(.*)\r", seen) == [
        ("375", "- qq.test Message of the day -"),
        ("372", "- Tea is ready"),
        ("372", "- and warm"),
        ("376", "End of MOTD command"),
    ]


def test_toOneself(gateway: MemoryGateway) -> None:
    """
    A message to one's own nick comes back once, with the label, and is shown to
    no other client.
    """
    client, other = (
        gateway.client("echo-message", "labeled-response", "batch"),
        gateway.client(),
    )
    other.transport.clear()
    seen = client.send("@label=7 PRIVMSG me hi")
    assert seen == "@label=7 :me!alice@qq.test PRIVMSG me :hi\r\n"
    assert other.seen == ""
    client.close()
    assert ":hi" not in gateway.client().seen
