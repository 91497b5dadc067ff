"""
Nicks and channel names.
"""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from txwebqq.irc.protocol.line import Line, parse, serialise
from txwebqq.irc.protocol.nicknames import (
    MAX_CHANNEL,
    MAX_NICK,
    NickStyle,
    channelFor,
    isChannel,
    isNick,
    nickFor,
)


@pytest.mark.parametrize(
    ("name", "nick"),
    [
        ("小明", "小明"),
        ("Bob's", "Bobs"),
        ("two words", "two_words"),
        ("a!b@c:d", "abcd"),
        ("9lives", "_9lives"),
        ("-x", "_-x"),
        ("", "qq10001"),
        ("\r\nQUIT", "QUIT"),
        ("\u202eevil\u2066", "evil"),
        ("!!!", "qq10001"),
        ("长" * 20, "长" * 10),
    ],
)
def test_nick(name: str, nick: str) -> None:
    """
    A nick has the characters of the name that a nick may have.
    """
    assert nickFor(name, 10001, NickStyle.UTF8, ()) == nick


@given(st.text(), st.integers(10001, 2**32 - 1))
@example("\u0339 \u0334", 10001)
@example("\u0339:\u0334", 10001)
def test_anyName(name: str, number: int) -> None:
    """
    The nick and the channel name for any name are valid, and a single parameter
    of a line.
    """
    nick = nickFor(name, number, NickStyle.UTF8, ())
    channel = channelFor(name, number, NickStyle.UTF8, ())
    assert isNick(nick)
    assert isChannel(channel)
    assert len(nick.encode()) <= MAX_NICK
    assert len(channel.encode()) <= MAX_CHANNEL
    line = Line("PRIVMSG", (channel, nick, "x"), f"{nick}!1@q")
    assert parse(serialise(line)[:-2]) == line


def test_taken() -> None:
    """
    The number is appended to a name that is taken, and a counter when that is
    taken too.
    """
    taken = ["小明"]
    second = nickFor("小明", 10002, NickStyle.UTF8, taken)
    assert second == "小明_10002"
    assert nickFor("小明", 10002, NickStyle.UTF8, [*taken, second]) == "小明_10002_2"
    assert channelFor("cats", 7, NickStyle.UTF8, ["#cats"]) == "#cats_7"


def test_styles() -> None:
    """
    NUMBER and PINYIN nicks have no Chinese characters; PINYIN without a
    transcription is NUMBER.
    """
    assert nickFor("小明", 10002, NickStyle.NUMBER, ()) == "qq10002"
    assert nickFor("小明", 10002, NickStyle.PINYIN, ()) == "qq10002"
    assert (
        nickFor("小明", 10002, NickStyle.PINYIN, (), lambda _: "XiaoMing") == "XiaoMing"
    )
    assert channelFor("猫", 7, NickStyle.NUMBER, ()) == "#7"


def test_isNick() -> None:
    """
    Names that nickFor or channelFor would change are invalid.
    """
    for nick in ("", "a b", "#x", "1a", "x" * 31, "a,b", "*qq"):
        assert not isNick(nick)
    for name in ("", "#", "cats", "#a b", "#a,b"):
        assert not isChannel(name)


@pytest.mark.parametrize(
    "name",
    [
        "小\u200b明",
        "\u202e小明",
        "小明\ufe0f",
        "小明\U000e0101",
        "\u3164小明\u2800",
        "小\u034f明",
        "\u0301小明",
        "\x0304小明\x0f",
        "<小明>",
        "\u2066小明\u2069 ",
    ],
)
def test_namesake(name: str) -> None:
    """
    A name that looks like another one gives the same nick, so that the second
    of them gets its number.
    """
    nick = nickFor(name, 10003, NickStyle.UTF8, ["小明"])
    assert nick in ("小明_10003", "_04小明")
    assert not isNick("小明\ufe0f")
